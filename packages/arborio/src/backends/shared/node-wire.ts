/**
 * A wire over a stream of `node:net`, or over any other of Node's streams that is both readable and writable.
 */
import type { Socket } from "node:net";
import type {
  SocketAddress,
  SocketOptions,
  Wire,
  WireDetails,
  WireReceiver,
} from "../../platform/wire.ts";
import { toSystemError } from "./system-error.ts";

/** So that the shared listeners find the wire: a closure for each socket and event would cost 64 bytes each. */
const WIRE: unique symbol = Symbol("arborio.wire");

type WiredSocket = Socket & { [WIRE]?: NodeWire };

export class NodeWire implements Wire, WireDetails {
  readonly #socket: WiredSocket;
  #receiver: WireReceiver | null = null;
  /** A `write` waits for its bytes to be handed over. */
  #writing = false;
  readonly #onWritten: () => void;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#socket[WIRE] = this;
    this.#onWritten = () => this.#written();
    // Without a listener the runtime would throw what happens to a socket that nobody has opened yet.
    socket.on("error", onError);
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    const socket = this.#socket;
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", onClose);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    socket.write(bytes, this.#onWritten);
    if (socket.writableLength === 0) return true;
    this.#writing = true;
    return false;
  }

  end(): void {
    this.#socket.end();
  }

  close(abortively: boolean): void {
    this.#receiver = null;
    if (abortively) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  get details(): WireDetails {
    return this;
  }

  // Details --------------------------------------------------------------------------------------------------------------

  readonly tls = undefined;
  readonly securing = false;

  get localAddress(): SocketAddress | undefined {
    const { localAddress: host, localPort: port } = this.#socket;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  get remoteAddress(): SocketAddress | undefined {
    const { remoteAddress: host, remotePort: port } = this.#socket;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  get descriptor(): number | undefined {
    const { _handle: handle } = this.#socket as { _handle?: { fd?: number } | null };
    const fd = handle?.fd;
    return fd === undefined || fd < 0 ? undefined : fd;
  }

  setOptions({ noDelay, keepAliveMs }: SocketOptions): void {
    if (noDelay !== undefined) this.#socket.setNoDelay(noDelay);
    if (keepAliveMs === false) this.#socket.setKeepAlive(false);
    else if (keepAliveMs !== undefined) this.#socket.setKeepAlive(true, keepAliveMs);
  }

  // What the socket tells ------------------------------------------------------------------------------------------------

  received(chunk: Uint8Array): void {
    this.#receiver?.received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }

  ended(): void {
    this.#receiver?.ended();
  }

  failed(error: unknown): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(toSystemError("connection", error));
  }

  /** A socket that nobody destroyed is closed when both directions have ended, which is no failure. */
  #written(): void {
    if (!this.#writing || this.#socket.destroyed) return;
    this.#writing = false;
    this.#receiver?.written();
  }
}

function onData(this: WiredSocket, chunk: Uint8Array): void {
  this[WIRE]?.received(chunk);
}

function onEnd(this: WiredSocket): void {
  this[WIRE]?.ended();
}

function onError(this: WiredSocket, error: unknown): void {
  this[WIRE]?.failed(error);
}

function onClose(this: WiredSocket, hadError: boolean): void {
  if (!hadError && !this.readableEnded)
    this[WIRE]?.failed(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
}
