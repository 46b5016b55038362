import type { Socket } from "node:net";
import type {
  Acceptor,
  Completion,
  ConnectTarget,
  ListenerHandle,
  ListenTarget,
  Network,
  Withdraw,
} from "../../platform/network.ts";
import type { SocketAddress, Wire } from "../../platform/wire.ts";
import { outsideContext } from "../shared/ambient.ts";
import { faultOfDescriptor } from "../shared/descriptor.ts";
import { watchDescriptors } from "../shared/descriptor-watch.ts";
import { unixEnds } from "../shared/node-listen.ts";
import { nodeNetwork } from "../shared/node-network.ts";
import { NodeWire, type UnixEnds } from "../shared/node-wire.ts";
import { type ListeningSocket, openListener, type Settled } from "../shared/open-listener.ts";
import { toSystemError } from "../shared/system-error.ts";
import { connect as nodeConnect } from "../shared/node-connect.ts";
import { bun, type BunListener, type BunListenOptions, type BunSocket } from "./api.ts";
import { BunWire, wireHandlers } from "./wire.ts";

/**
 * The network of Bun: its own listeners and sockets. It connects through `node:net`, and takes the socket over: an attempt of
 * `Bun.connect` cannot be stopped, so that a descriptor would be left behind for minutes.
 */
export const bunNetwork: Network = { ...nodeNetwork, connect, listen, adopt };

function connect(target: ConnectTarget, completion: Completion<Wire>): Withdraw {
  return nodeConnect(target, completion, takenOver);
}

/** Below a connected socket of `node:net` there is one of Bun's (1.4.5); without it, the socket serves as it is. */
function takenOver(socket: Socket, unix: UnixEnds | null): Wire {
  const { _handle: handle } = socket as { _handle?: BunSocket<BunWire> | null };
  if (typeof handle?.reload !== "function") return new NodeWire(socket, unix);
  const wire = new BunWire(handle, unix);
  // Not before `node:net` has told of the connection: then it begins to read, and leaves a note on it.
  queueMicrotask(() => {
    handle.reload({ socket: wireHandlers(() => {}) });
    handle.data = wire;
    wire.hold();
  });
  return wire;
}

function listen(
  target: ListenTarget,
  acceptor: Acceptor,
  completion: Completion<ListenerHandle>,
): Withdraw {
  // Bun 1.4.5 does not tell where a descriptor listens; its `node:net` does.
  if (target.kind === "descriptor") return nodeNetwork.listen(target, acceptor, completion);
  return openListener(
    target,
    completion,
    (at, settled) => new BunListening(at as Target, unixEnds(target), acceptor, settled),
  );
}

type Target = Exclude<ListenTarget, { readonly kind: "descriptor" }>;

/** A listener of Bun as the contract wants it. */
class BunListening implements ListeningSocket {
  readonly #unix: UnixEnds | null;
  readonly #acceptor: Acceptor;
  #listener: BunListener | null = null;
  #closed = false;
  #stopWatching: () => void = () => {};

  constructor(at: Target, unix: UnixEnds | null, acceptor: Acceptor, settled: Settled) {
    this.#unix = unix;
    this.#acceptor = acceptor;
    let error: unknown = null;
    try {
      this.#listener = bun.listen<BunWire>({
        ...listenOptions(at),
        allowHalfOpen: true,
        socket: wireHandlers((socket) => this.#accepted(socket)),
      });
      this.#stopWatching = watchDescriptors(this);
    } catch (thrown) {
      error = thrown;
    }
    queueMicrotask(() => {
      if (!this.#closed) settled(error);
    });
  }

  get address(): SocketAddress {
    const { hostname = "", port, unix = "" } = this.#listener ?? {};
    return port === undefined ? { path: unix } : { host: hostname, port };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching();
    this.#listener?.stop(false);
  }

  /** @internal The process has no descriptors left. */
  exhausted(error: unknown): void {
    if (!this.#closed) this.#acceptor.failed(toSystemError("accept", error));
  }

  #accepted(socket: BunSocket<BunWire>): void {
    const wire = new BunWire(socket, this.#unix);
    socket.data = wire;
    // Bun sets TCP_NODELAY on all it accepts.
    if (this.#closed) wire.close(true);
    else this.#acceptor.accepted(wire);
    wire.hold();
  }
}

function listenOptions(at: Target): BunListenOptions {
  if (at.kind === "unix") return { unix: at.path, backlog: at.backlog };
  const { host: hostname, port, reusePort, ipv6Only, backlog } = at;
  return { hostname, port, reusePort, ipv6Only, backlog };
}

/** Bun opens what it is given at once. */
function adopt(descriptor: number): Wire {
  return outsideContext(() => {
    let wire: BunWire | undefined;
    let failure: unknown;
    const handlers = wireHandlers((socket) => {
      const isUnix = socket.remoteAddress === undefined;
      wire = new BunWire(socket, isUnix ? { local: { path: "" }, remote: { path: "" } } : null);
      socket.data = wire;
      if (!isUnix) socket.setNoDelay(true);
      wire.hold();
    });
    const connectError = (_socket: unknown, error: unknown): void => {
      failure = error;
    };
    const opened = bun.connect({
      fd: descriptor,
      allowHalfOpen: true,
      socket: { ...handlers, connectError },
    });
    opened.catch(() => {});
    if (wire !== undefined) return wire;
    throw toSystemError(`adopt descriptor ${descriptor}`, faultOfDescriptor(descriptor) ?? failure);
  });
}
