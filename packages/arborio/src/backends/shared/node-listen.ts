import type { ListenOptions, Server, Socket } from "node:net";
import type {
  Acceptor,
  Completion,
  ListenerHandle,
  ListenTarget,
  Withdraw,
} from "../../platform/network.ts";
import type { SocketAddress } from "../../platform/wire.ts";
import { lazily } from "./builtin.ts";
import { watchDescriptors } from "./descriptor-watch.ts";
import { type ListeningSocket, openListener, type Settled } from "./open-listener.ts";
import { NodeWire, type UnixEnds } from "./node-wire.ts";
import { toSystemError } from "./system-error.ts";

const net = lazily("node:net");

/** Listens through `node:net`. */
export function listen(
  target: ListenTarget,
  acceptor: Acceptor,
  completion: Completion<ListenerHandle>,
): Withdraw {
  return openListener(
    target,
    completion,
    (at, settled) => new NodeListener(target, at, acceptor, settled),
  );
}

/** A server of `node:net` as the contract wants it. */
export class NodeListener implements ListeningSocket {
  readonly #backlog: number;
  readonly #acceptor: Acceptor;
  readonly #unix: UnixEnds | null;
  #server: Server;
  #closed = false;
  #stopWatching: () => void = () => {};

  /** Begins to listen at `at`, for connections that believe they came to `target`. */
  constructor(target: ListenTarget, at: ListenTarget, acceptor: Acceptor, settled: Settled) {
    this.#backlog = target.backlog;
    this.#acceptor = acceptor;
    this.#unix = unixEnds(target);
    const server = this.#createServer();
    this.#server = server;
    const fail = (error: unknown): void => {
      if (!this.#closed) settled(error);
    };
    server.once("error", fail);
    server.listen(listenOptions(at), () => {
      if (this.#closed) return;
      server.removeListener("error", fail);
      server.on("error", (error) => this.#acceptFailed(error));
      this.#stopWatching = watchDescriptors(this);
      settled(null);
    });
  }

  get address(): SocketAddress {
    const address = this.#server.address();
    if (address === null || typeof address === "string") return { path: address ?? "" };
    // Bun has an empty object for descriptors of Unix sockets.
    if (address.address === undefined) return { path: "" };
    return { host: address.address, port: address.port };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching();
    this.#server.on("error", ignore);
    this.#server.close();
  }

  /** Goes on with a new server on the same TCP socket: for runtimes whose server may have stopped accepting without a word. */
  renew(): void {
    if (this.#closed || !this.#server.listening || !("host" in this.address)) return;
    const next = this.#createServer();
    next.on("error", (error) => this.#acceptFailed(error));
    next.listen(this.#server, this.#backlog);
    this.#server = next;
  }

  /** @internal The process has no descriptors left. */
  exhausted(error: unknown): void {
    this.#acceptFailed(error);
  }

  #createServer(): Server {
    return net().createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
      const wire = new NodeWire(socket, this.#unix);
      if (this.#closed) wire.close(true);
      else this.#acceptor.accepted(wire);
    });
  }

  #acceptFailed(error: unknown): void {
    if (!this.#closed) this.#acceptor.failed(toSystemError("accept", error));
  }
}

function ignore(): void {}

function listenOptions(target: ListenTarget): ListenOptions {
  if (target.kind === "descriptor")
    return { fd: target.descriptor, backlog: target.backlog } as ListenOptions;
  if (target.kind === "unix") return { path: target.path, backlog: target.backlog };
  const { host, port, backlog, reusePort, ipv6Only } = target;
  return { host, port, backlog, reusePort, ipv6Only };
}

/** What connections to a Unix socket have for addresses. */
export function unixEnds(target: ListenTarget): UnixEnds | null {
  return target.kind === "unix" ? { local: { path: target.path }, remote: { path: "" } } : null;
}
