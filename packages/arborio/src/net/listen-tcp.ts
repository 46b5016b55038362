import { requireFlag } from "../core/arguments.ts";
import { SystemError } from "../core/errors.ts";
import type { ListenTarget } from "../platform/network.ts";
import type { IpAddress } from "../platform/wire.ts";
import { type IpFamily, ipFamily } from "./address.ts";
import { requireHost, requirePort } from "./host-name.ts";
import {
  listen,
  type ListenOptions,
  listenOn,
  type ListenSettings,
  requireListenOptions,
} from "./listen.ts";
import { Listener } from "./listener.ts";
import { lookup, requireFamilies } from "./lookup.ts";

/** Options of `listenTcp`. */
export interface ListenTcpOptions extends ListenOptions {
  /** Name or numeric address to listen on. Default: all addresses of this machine. */
  readonly host?: string;
  /** Only addresses of this version of the protocol. Default: both. */
  readonly family?: IpFamily;
  /** Lets several sockets, also of several processes, listen on the same port, and the system spread connections over them. Default `false`. */
  readonly reusePort?: boolean;
}

/** So often a port is looked for that is free on all addresses, before somebody is told that there may be none. */
const PORT_ATTEMPTS_MAX = 10;

/**
 * Listens for TCP connections. Without `host`, on all addresses of this machine, by one socket for IPv6 and IPv4, or for IPv4 alone
 * where there is no IPv6. A name is looked up, and all its addresses are listened on; a socket for an IPv6 address takes no
 * IPv4 connections.
 *
 * If it fails or is cancelled, no socket is left open.
 *
 * @param port 0 to 65,535; 0: the system chooses one that is free, and all addresses share it (`listener.port`).
 * @returns the listener; best held by `using`.
 * @throws SystemError with the code `EADDRINUSE` if a port is taken (the message says at which address), `EACCES`, `EADDRNOTAVAIL` and
 *   others as the system has them; those of `lookup` for a name.
 * @throws TypeError, RangeError for wrong arguments; NotSupportedError if the backend has no network, or no TLS.
 *
 * Counterpart: `anyio.create_tcp_listener`, `trio.open_tcp_listeners`.
 *
 * @example An echo server
 * ```ts
 * import { run } from "arborio";
 * import { connectTcp, listenTcp } from "arborio/net";
 *
 * await run(async (group) => {
 *   using listener = await listenTcp(0);
 *   group.startSoon(
 *     () =>
 *       listener.serve(async (stream) => {
 *         for await (const chunk of stream) await stream.send(chunk);
 *       }),
 *     { daemon: true },
 *   );
 *   using stream = await connectTcp("localhost", listener.port);
 *   await stream.send(new TextEncoder().encode("hello"));
 *   console.assert(new TextDecoder().decode(await stream.receive()) === "hello");
 * });
 * ```
 */
export async function listenTcp(port: number, options: ListenTcpOptions = {}): Promise<Listener> {
  const settings = requireListenOptions("listenTcp", options);
  const { host, family, reusePort = false } = options;
  requirePort("listenTcp", port, 0);
  requireFamilies("listenTcp({ family })", family);
  requireFlag("listenTcp({ reusePort })", reusePort);
  if (host === undefined && family === undefined)
    return listenEverywhere(port, reusePort, settings);
  const wildcard = family === 4 ? "0.0.0.0" : "::";
  const hosts = await addressesOf(host ?? wildcard, family);
  return listenOnAll(hosts, port, reusePort, settings);
}

async function addressesOf(host: string, family: IpFamily | undefined): Promise<readonly string[]> {
  const name = requireHost("listenTcp({ host })", host);
  return ipFamily(name) !== undefined && family === undefined
    ? [name]
    : lookup(name, family === undefined ? {} : { family });
}

/** One socket for both families, where the machine has both. */
async function listenEverywhere(
  port: number,
  reusePort: boolean,
  settings: ListenSettings,
): Promise<Listener> {
  try {
    return await listenOn({ ...tcp("::", port, reusePort, settings), ipv6Only: false }, settings);
  } catch (error) {
    if (!isWithoutFamily(error)) throw error;
    return listenOn(tcp("0.0.0.0", port, reusePort, settings), settings);
  }
}

/** One socket for each address, all with the same port. */
async function listenOnAll(
  hosts: readonly string[],
  port: number,
  reusePort: boolean,
  settings: ListenSettings,
): Promise<Listener> {
  for (let attempt = 1; ; attempt++) {
    // Another address chooses the port each time: who chose first may have neighbours that the others do not have.
    const first = (attempt - 1) % hosts.length;
    const order = [...hosts.slice(first), ...hosts.slice(0, first)];
    try {
      return await listenInOrder(order, port, reusePort, settings);
    } catch (error) {
      if (port !== 0 || hosts.length === 1 || !hasCode(error, "EADDRINUSE")) throw error;
      if (attempt === PORT_ATTEMPTS_MAX) {
        throw new SystemError(
          `listen on ${hosts.join(" and ")}: ${attempt} ports that were free on one of them were in use on another, ` +
            "needs one that is free on all; give a port (EADDRINUSE)",
          "EADDRINUSE",
          { cause: error },
        );
      }
    }
  }
}

async function listenInOrder(
  hosts: readonly string[],
  port: number,
  reusePort: boolean,
  settings: ListenSettings,
): Promise<Listener> {
  const listener = new Listener(settings.backlog, settings.toStream);
  let shared = port;
  let skipped: unknown;
  try {
    for (const host of hosts) {
      try {
        listener.add(await listen(tcp(host, shared, reusePort, settings), listener, settings));
      } catch (error) {
        // "localhost" has this address in many hosts files of machines, containers above all, where IPv6 is switched off.
        if (host !== "::1" || !isWithoutFamily(error)) throw error;
        skipped = error;
        continue;
      }
      shared = (listener.addresses[0] as IpAddress).port;
    }
    if (listener.addresses.length === 0) throw skipped;
    return listener;
  } catch (error) {
    listener.close();
    throw error;
  }
}

function tcp(
  host: string,
  port: number,
  reusePort: boolean,
  { backlog }: ListenSettings,
): ListenTarget & { kind: "tcp" } {
  return { kind: "tcp", host, port, backlog, reusePort, ipv6Only: ipFamily(host) === 6 };
}

/** Whether the machine has no addresses of the family: it is not built in, or switched off. */
function isWithoutFamily(error: unknown): boolean {
  return hasCode(error, "EAFNOSUPPORT") || hasCode(error, "EADDRNOTAVAIL");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof SystemError && error.systemCode === code;
}
