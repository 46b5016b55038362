import type { Server } from "@arborio/http";
import type { SocketAddress } from "arborio/net";
import type { Shell } from "../host/shell.ts";

/** Where a server listens, as it can be told to others. */
export interface Listening {
  /** `null` for a Unix socket, which no URL names. */
  readonly url: string | null;
  readonly addresses: readonly SocketAddress[];
}

/** Where this server listens. */
export function listeningOf(server: Server): Listening {
  const { addresses } = server;
  const isUnix = addresses.some((address) => "path" in address);
  return { url: isUnix ? null : server.url, addresses };
}

/** The one line that says so: for people on standard error, for programs on standard output. */
export function announce(shell: Shell, listening: Listening, json: boolean): void {
  if (json) {
    shell.write(`${JSON.stringify({ event: "listening", ...listening })}\n`);
    return;
  }
  const places = listening.addresses.map((address) => ("path" in address ? address.path : ""));
  shell.warn(`arborio: listening on ${listening.url ?? places.join(", ")}`);
}
