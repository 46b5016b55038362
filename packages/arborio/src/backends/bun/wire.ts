/**
 * A wire over a socket of Bun's own. An echo costs the process a third less than through `node:net` (Bun 1.4.5).
 */
import type {
  SocketAddress,
  SocketOptions,
  Wire,
  WireDetails,
  WireReceiver,
} from "../../platform/wire.ts";
import type { UnixEnds } from "../shared/node-wire.ts";
import { toSystemError } from "../shared/system-error.ts";
import type { BunHandlers, BunSocket } from "./api.ts";

export class BunWire implements Wire, WireDetails {
  readonly #socket: BunSocket<BunWire>;
  /** `null`: it is a TCP socket. */
  readonly #unix: UnixEnds | null;
  #receiver: WireReceiver | null = null;
  /** What broke the connection, perhaps before anybody opened the wire. */
  #failure: Error | null = null;
  /** What the system has not taken yet of the `write` that waits. */
  #rest: Uint8Array | null = null;
  /** Reading was stopped since nobody had opened the wire: not even the end has been seen. */
  #held = false;
  #ending: "no" | "after the rest" | "done" = "no";
  #hasEnded = false;
  /** The socket is gone, by its owner or by itself. */
  #gone = false;

  constructor(socket: BunSocket<BunWire>, unix: UnixEnds | null) {
    this.#socket = socket;
    this.#unix = unix;
  }

  /** @internal Reads nothing until somebody opens the wire; called when the first could be read. */
  hold(): void {
    if (this.#receiver !== null || this.#gone) return;
    this.#held = true;
    this.#socket.pause();
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    if (this.#failure !== null) queueMicrotask(() => this.#tellFailure());
    else if (this.#held) this.#socket.resume();
  }

  pause(): void {
    if (!this.#gone) this.#socket.pause();
  }

  resume(): void {
    if (!this.#gone) this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    const taken = this.#socket.write(bytes);
    if (taken === bytes.length) return true;
    if (taken < 0) this.#breakOff();
    else this.#rest = bytes.subarray(taken);
    return false;
  }

  end(): void {
    if (this.#gone) return;
    if (this.#rest !== null) {
      this.#ending = "after the rest";
      return;
    }
    this.#ending = "done";
    this.#socket.shutdown();
  }

  close(abortively: boolean): void {
    this.#receiver = null;
    this.#rest = null;
    if (this.#gone) return;
    this.#gone = true;
    if (abortively && this.#unix === null) this.#socket.terminate();
    else this.#socket.close();
  }

  get details(): WireDetails {
    return this;
  }

  // Details --------------------------------------------------------------------------------------------------------------

  readonly tls = undefined;
  readonly securing = false;

  get localAddress(): SocketAddress | undefined {
    if (this.#gone) return undefined;
    if (this.#unix !== null) return this.#unix.local;
    const { localAddress: host, localPort: port } = this.#socket;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  get remoteAddress(): SocketAddress | undefined {
    if (this.#gone) return undefined;
    if (this.#unix !== null) return this.#unix.remote;
    const { remoteAddress: host, remotePort: port } = this.#socket;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  get descriptor(): number | undefined {
    if (this.#gone) return undefined;
    const { fd } = this.#socket;
    return fd < 0 ? undefined : fd;
  }

  setOptions({ noDelay, keepAliveMs }: SocketOptions): void {
    if (this.#unix !== null || this.#gone) return;
    if (noDelay !== undefined) this.#socket.setNoDelay(noDelay);
    if (keepAliveMs === false) this.#socket.setKeepAlive(false);
    else if (keepAliveMs !== undefined) this.#socket.setKeepAlive(true, keepAliveMs);
  }

  // What the socket tells ------------------------------------------------------------------------------------------------

  /** @internal Bun makes an array of its own for each read. */
  received(bytes: Uint8Array): void {
    this.#receiver?.received(bytes);
  }

  /** @internal There is room again; Bun says so also when nobody waits for it. */
  drained(): void {
    const rest = this.#rest;
    if (rest === null) return;
    const taken = this.#socket.write(rest);
    if (taken < 0) {
      this.#breakOff();
      return;
    }
    if (taken < rest.length) {
      this.#rest = rest.subarray(taken);
      return;
    }
    this.#rest = null;
    if (this.#ending === "after the rest") this.end();
    this.#receiver?.written();
  }

  /** @internal */
  ended(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#receiver?.ended();
  }

  /** @internal When both directions have ended, Bun tells the second end only by closing. */
  closed(error: unknown): void {
    if (this.#gone) return;
    this.#gone = true;
    if (error === undefined && this.#ending === "done") {
      this.ended();
    } else {
      this.#failure ??= toSystemError("connection", error ?? withCode("ECONNRESET"));
      this.#tellFailure();
    }
  }

  /** A write has failed. The system says so only once, and to a socket that is paused Bun says nothing more (1.4.5). */
  #breakOff(): void {
    if (this.#failure !== null) return;
    this.#rest = null;
    this.#failure = toSystemError("connection", withCode("EPIPE"));
    queueMicrotask(() => this.#tellFailure());
  }

  #tellFailure(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(this.#failure as Error);
  }
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** For sockets whose `data` is their wire. `opened` is called before anything else. */
export function wireHandlers(opened: (socket: BunSocket<BunWire>) => void): BunHandlers<BunWire> {
  return { binaryType: "uint8array", open: opened, data, drain, end, close, error };
}

function data(socket: BunSocket<BunWire>, bytes: Uint8Array): void {
  socket.data.received(bytes);
}

function drain(socket: BunSocket<BunWire>): void {
  socket.data.drained();
}

function end(socket: BunSocket<BunWire>): void {
  socket.data.ended();
}

function close(socket: BunSocket<BunWire>, error?: unknown): void {
  socket.data.closed(error);
}

/** A receiver has thrown, which is a bug; Bun would say so to nobody else. */
function error(_socket: BunSocket<BunWire>, thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
