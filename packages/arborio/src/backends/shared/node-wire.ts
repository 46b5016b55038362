/**
 * A wire over a socket of `node:net`.
 *
 * It goes past two things that Node's streams do for each chunk and that cost an echo a quarter of its time outside the kernel (Node
 * 26: 3.9 µs with them, 2.9 µs without, 2.7 µs for a bare `node:net`). Both ways are public methods, and a runtime that did not
 * know them would only be slower:
 *
 * - While the stream flows and holds nothing back, what the socket `push`es is handed to the receiver at once, not as an event.
 * - A small `write` has no callback, since each one is called in a tick of its own. If the bytes have to wait after all, an empty
 *   `write` behind them has one.
 */
import type { Socket } from "node:net";
import type {
  SocketAddress,
  SocketOptions,
  UnixAddress,
  Wire,
  WireDetails,
  WireReceiver,
} from "../../platform/wire.ts";
import { lazily } from "./builtin.ts";
import { toSystemError } from "./system-error.ts";

const stream = lazily("node:stream");

/** So that the shared listeners find the wire: a closure for each socket and event would cost 64 bytes each. */
const WIRE: unique symbol = Symbol("arborio.wire");

/** Without a wire once that is closed: then what happens to the socket is nobody's. */
type WiredSocket = Socket & { [WIRE]?: NodeWire | undefined };

/** Writes from this length on have a callback of their own: what it costs does not show beside the bytes. */
const LARGE_WRITE_BYTES = 16_384;

/** `ENOTCONN`, as libuv's functions return it on Linux. */
const NOT_CONNECTED = -107;

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * libuv before 1.52, which Node 22 has, takes a reset that comes while nobody reads for the end. Asking for the peer at each end costs
 * 2 µs, so only there it is asked for.
 */
const MISSES_RESETS: boolean = /^1\.(?:[0-9]|[1-4][0-9]|5[01])\./.test(
  process.versions["uv"] ?? "",
);

/** Both ends of a Unix socket, which the runtimes do not tell. */
export interface UnixEnds {
  readonly local: UnixAddress;
  readonly remote: UnixAddress;
}

export class NodeWire implements Wire, WireDetails {
  readonly #socket: WiredSocket;
  /** `null`: it is a TCP socket. */
  readonly #unix: UnixEnds | null;
  #receiver: WireReceiver | null = null;
  /** What broke the connection, perhaps before anybody opened the wire. */
  #failure: Error | null = null;
  /** A `write` waits for its bytes to be handed over. */
  #writing = false;
  /** Made for the first `write` that needs it: most sockets never do. */
  #onWritten: ((error?: Error | null) => void) | null = null;

  constructor(socket: Socket, unix: UnixEnds | null = null) {
    this.#socket = socket;
    this.#unix = unix;
    this.#socket[WIRE] = this;
    socket.push = push;
    // Without a listener the runtime would throw what happens to a socket that nobody has opened yet, or that is closed.
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    const socket = this.#socket;
    if (this.#failure !== null) {
      queueMicrotask(() => this.#tellFailure());
    } else if (socket.readableEnded) {
      // A stream that ends without bytes tells it also to nobody.
      queueMicrotask(() => this.ended());
    } else {
      socket.on("end", onEnd);
      // From here on it flows, beginning with the next tick.
      socket.on("data", onData);
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    const isLarge = bytes.length >= LARGE_WRITE_BYTES;
    if (isLarge) socket.write(bytes, this.#callback());
    else socket.write(bytes);
    // A destroyed socket takes nothing; then `failed` is on its way.
    if (socket.writableLength === 0) return !socket.destroyed;
    if (!isLarge) socket.write(NOTHING, this.#callback());
    this.#writing = true;
    return false;
  }

  end(): void {
    this.#socket.end();
  }

  close(abortively: boolean): void {
    this.#receiver = null;
    const socket = this.#socket;
    socket[WIRE] = undefined;
    // Unix sockets cannot be reset.
    if (abortively && this.#unix === null && !socket.destroyed) socket.resetAndDestroy();
    else socket.destroy();
  }

  get details(): WireDetails {
    return this;
  }

  // Details --------------------------------------------------------------------------------------------------------------

  readonly tls = undefined;
  readonly securing = false;

  get localAddress(): SocketAddress | undefined {
    const { destroyed, localAddress: host, localPort: port } = this.#socket;
    if (destroyed) return undefined;
    if (this.#unix !== null) return this.#unix.local;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  get remoteAddress(): SocketAddress | undefined {
    const { destroyed, remoteAddress: host, remotePort: port } = this.#socket;
    if (destroyed) return undefined;
    if (this.#unix !== null) return this.#unix.remote;
    return host === undefined || port === undefined ? undefined : { host, port };
  }

  get descriptor(): number | undefined {
    const { _handle: handle } = this.#socket as { _handle?: { fd?: number } | null };
    const fd = handle?.fd;
    return fd === undefined || fd < 0 ? undefined : fd;
  }

  setOptions({ noDelay, keepAliveMs }: SocketOptions): void {
    if (this.#unix !== null || this.#socket.destroyed) return;
    if (noDelay !== undefined) this.#socket.setNoDelay(noDelay);
    if (keepAliveMs === false) this.#socket.setKeepAlive(false);
    else if (keepAliveMs !== undefined) this.#socket.setKeepAlive(true, keepAliveMs);
  }

  // What the socket tells ------------------------------------------------------------------------------------------------

  /** @internal The runtimes give each read memory of its own; only its type is theirs. */
  received(chunk: Uint8Array): void {
    this.#receiver?.received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }

  /** @internal */
  ended(): void {
    if (this.#wasReset()) this.failed(connectionReset());
    else this.#receiver?.ended();
  }

  /** A socket that was reset has no peer any more; but neither has one whose both directions have ended: these cannot be told apart. */
  #wasReset(): boolean {
    if (!MISSES_RESETS || this.#unix !== null || this.#socket.writableEnded) return false;
    const { _handle: handle } = this.#socket as {
      _handle?: { getpeername?: (address: object) => number } | null;
    };
    return handle?.getpeername?.({}) === NOT_CONNECTED;
  }

  /** @internal */
  failed(error: unknown): void {
    this.#failure ??= toSystemError("connection", error);
    this.#tellFailure();
  }

  #tellFailure(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(this.#failure as Error);
  }

  /** Callbacks of writes that did not have to wait come late, perhaps while the next one waits: then something is left. */
  #callback(): (error?: Error | null) => void {
    return (this.#onWritten ??= (error) => {
      if (!this.#writing || error instanceof Error || this.#socket.writableLength > 0) return;
      this.#writing = false;
      this.#receiver?.written();
    });
  }
}

/**
 * In place of the socket's own `push`. While the stream is paused, or what it held back meanwhile is not all told, chunks take
 * their usual way, and its limit applies.
 */
function push(this: WiredSocket, chunk: Uint8Array | null, encoding?: BufferEncoding): boolean {
  if (chunk === null || this.readableFlowing !== true || this.readableLength > 0)
    return stream().Readable.prototype.push.call(this, chunk, encoding);
  this[WIRE]?.received(chunk);
  return true;
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

/** A socket whose directions have both ended is closed in order; any other end that has no error of its own is a failure too. */
function onClose(this: WiredSocket, hadError: boolean): void {
  if (!hadError && !this.readableEnded) this[WIRE]?.failed(connectionReset());
}

function connectionReset(): Error {
  return Object.assign(new Error("closed"), { code: "ECONNRESET" });
}
