import type { ListenerHandle } from "../platform/network.ts";
import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "./host-operation.ts";
import { Listener } from "./listener.ts";
import { SocketStream } from "./socket-stream.ts";

/** Options of `listenTcp`. */
export interface ListenTcpOptions {
  /** Name or address to listen on. Default: all addresses of this machine. */
  readonly host?: string;
  /** Length of the queue of connections that nobody has accepted yet. Default 511. */
  readonly backlog?: number;
  /** Lets several processes listen on the same port, and the system spread connections over them. Default `false`. */
  readonly reusePort?: boolean;
}

/** Listens for TCP connections. */
export async function listenTcp(port: number, options: ListenTcpOptions = {}): Promise<Listener> {
  const { host = "127.0.0.1", backlog = 511, reusePort = false } = options;
  const listener = new Listener(backlog, (wire) => new SocketStream(wire));
  listener.add(
    await hostOperation<ListenerHandle>({
      name: "listen",
      resource: listener,
      begin: (backend, completion) =>
        requireCapability(backend, "network", "listenTcp").listen(
          { kind: "tcp", host, port, backlog, reusePort, ipv6Only: false },
          listener,
          completion,
        ),
    }),
  );
  return listener;
}
