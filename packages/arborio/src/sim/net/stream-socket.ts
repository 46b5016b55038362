/**
 * One end of a simulated connection, TCP or Unix: what a system's own socket does, behind the wire contract.
 *
 * Bytes go from `write` into the send buffer, from there as far as the other side's window allows into the path, and there into
 * the receive buffer, from which they are handed up unless the wire is paused. The window opens again as they are handed up.
 */
import type { ClockTimer } from "../../core/clock.ts";
import type {
  SocketAddress,
  SocketOptions,
  Wire,
  WireDetails,
  WireReceiver,
} from "../../platform/wire.ts";
import type { OpenSocket, SocketState, SocketStatus } from "./netstat.ts";
import type { Path } from "./path.ts";
import { type SystemCode, systemError } from "../system-errors.ts";

/** So many bytes wait to be sent before `write` has to wait: a usual default of systems. */
const SEND_BUFFER_BYTES = 65_536;
/** So many bytes may be on their way or wait unread on the other side. */
const WINDOW_BYTES = 65_536;

/** What a socket is made with. */
export interface StreamSocketOptions {
  readonly kind: "tcp" | "unix";
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  /** Carries what this end sends. */
  readonly path: Path;
  /** Called once, when nothing of this end is left. */
  readonly onGone: (socket: StreamSocket) => void;
}

export class StreamSocket implements Wire, WireDetails, OpenSocket {
  readonly kind: "tcp" | "unix";
  readonly #local: SocketAddress;
  readonly #remote: SocketAddress;
  readonly #path: Path;
  readonly #onGone: (socket: StreamSocket) => void;
  /** The other end. */
  #peer: StreamSocket = this;

  #receiver: WireReceiver | null = null;
  #paused = false;
  #delivery: ClockTimer | null = null;
  readonly #arrived: Uint8Array[] = [];
  #arrivedBytes = 0;
  #endArrived = false;
  #endTold = false;
  #failure: Error | null = null;
  /** Bytes handed up that the other side has not been told of. */
  #taken = 0;
  #tellingTaken = false;

  readonly #unsent: Uint8Array[] = [];
  /** @internal Bytes that the window holds back. */ unsentBytes = 0;
  #window = WINDOW_BYTES;
  /** A `write` that returned `false` waits for its end. */
  #writing = false;
  #ending = false;
  #endSent = false;
  #endDelivered = false;

  #reset = false;
  #closed = false;
  #gone = false;
  readonly #options: SocketOptions = { noDelay: true, keepAliveMs: false };

  private constructor(options: StreamSocketOptions) {
    this.kind = options.kind;
    this.#local = options.localAddress;
    this.#remote = options.remoteAddress;
    this.#path = options.path;
    this.#onGone = options.onGone;
  }

  /** The two ends of a new connection. */
  static join(near: StreamSocketOptions, far: StreamSocketOptions): [StreamSocket, StreamSocket] {
    const one = new StreamSocket(near);
    const other = new StreamSocket(far);
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  // The wire -------------------------------------------------------------------------------------------------------------

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#deliverSoon();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliverSoon();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#reset || this.#ending) return true;
    this.#unsent.push(new Uint8Array(bytes));
    this.unsentBytes += bytes.length;
    this.#send();
    this.#writing = this.unsentBytes > SEND_BUFFER_BYTES;
    return !this.#writing;
  }

  end(): void {
    if (this.#reset || this.#ending) return;
    this.#ending = true;
    this.#send();
  }

  close(abortively: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver = null;
    // Whoever closes with unread bytes tells the other side that it has not got them (RFC 2525, section 2.17).
    const isUnread = this.#arrivedBytes > 0;
    this.#arrived.length = 0;
    this.#arrivedBytes = 0;
    if (this.#reset || this.#isOver) {
      this.#leave();
    } else if (isUnread || (abortively && this.kind === "tcp")) {
      // Also after an end that has arrived: the other side may be waiting for room, and would wait for ever.
      this.#sendReset("ECONNRESET");
    } else if (this.#endDelivered) {
      this.#leave();
    } else {
      this.#ending = true;
      this.#send();
    }
  }

  get details(): WireDetails {
    return this;
  }

  // Details --------------------------------------------------------------------------------------------------------------

  readonly tls = undefined;
  readonly securing = false;
  readonly descriptor = undefined;

  get localAddress(): SocketAddress | undefined {
    return this.#closed ? undefined : this.#local;
  }

  get remoteAddress(): SocketAddress | undefined {
    return this.#closed ? undefined : this.#remote;
  }

  setOptions(options: SocketOptions): void {
    Object.assign(this.#options, options);
  }

  // Sending --------------------------------------------------------------------------------------------------------------

  /** Sends what the window allows. */
  #send(): void {
    while (this.unsentBytes > 0 && this.#window > 0) {
      const first = this.#unsent[0] as Uint8Array;
      const segment = first.length > this.#window ? first.subarray(0, this.#window) : first;
      if (segment === first) this.#unsent.shift();
      else this.#unsent[0] = first.subarray(segment.length);
      this.unsentBytes -= segment.length;
      this.#window -= segment.length;
      this.#path.sendBytes(segment, (piece) => this.#peer.bytesArrived(piece));
    }
    if (!this.#ending || this.#endSent || this.unsentBytes > 0) return;
    this.#endSent = true;
    this.#path.send(() => {
      this.#endDelivered = true;
      this.#peer.endHasArrived();
      if (this.#closed) this.#leave();
    });
  }

  /** @internal The other side has taken so many bytes. */
  windowOpens(bytes: number): void {
    if (this.#reset) return;
    this.#window += bytes;
    this.#send();
    if (!this.#writing || this.unsentBytes > SEND_BUFFER_BYTES) return;
    this.#writing = false;
    this.#receiver?.written();
  }

  #sendReset(code: SystemCode): void {
    this.#dropUnsent();
    this.#path.send(() => this.#peer.wasReset(code));
    this.#leave();
  }

  #dropUnsent(): void {
    this.#reset = true;
    this.#unsent.length = 0;
    this.unsentBytes = 0;
    this.#writing = false;
  }

  // Receiving ------------------------------------------------------------------------------------------------------------

  /** @internal */
  bytesArrived(bytes: Uint8Array): void {
    if (this.#reset) return;
    if (this.#closed) {
      this.#sendReset(this.kind === "tcp" ? "ECONNRESET" : "EPIPE");
      return;
    }
    this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length;
    this.#deliver();
  }

  /** @internal */
  endHasArrived(): void {
    this.#endArrived = true;
    this.#deliver();
  }

  /** @internal */
  wasReset(code: SystemCode): void {
    if (this.#reset || this.#isOver) return;
    this.#dropUnsent();
    if (this.#closed) {
      this.#leave();
      return;
    }
    this.#failure = systemError("connection", code);
    this.#deliver();
  }

  /** Whether both sides have ended: nothing more can happen. */
  get #isOver(): boolean {
    return this.#endArrived && this.#endSent;
  }

  #deliverSoon(): void {
    this.#delivery?.clear();
    this.#delivery = this.#path.fabric.soon(() => {
      this.#delivery = null;
      this.#deliver();
    });
  }

  /** Hands up what has arrived. A failure is told also while paused, after the bytes that came before it. */
  #deliver(): void {
    while (this.#receiver !== null && (!this.#paused || this.#failure !== null)) {
      const bytes = this.#arrived.shift();
      if (bytes !== undefined) {
        this.#arrivedBytes -= bytes.length;
        this.#giveBack(bytes.length);
        this.#receiver.received(bytes);
      } else if (this.#failure !== null) {
        const receiver: WireReceiver = this.#receiver;
        this.#receiver = null;
        receiver.failed(this.#failure);
      } else {
        if (!this.#endArrived || this.#endTold) return;
        this.#endTold = true;
        this.#receiver.ended();
      }
    }
  }

  /** Opens the other side's window again. It takes a packet to tell a side that waits for it. */
  #giveBack(bytes: number): void {
    this.#taken += bytes;
    if (this.#tellingTaken) return;
    if (this.#peer.unsentBytes === 0) {
      this.#tellTaken();
      return;
    }
    this.#tellingTaken = true;
    const { fabric } = this.#path;
    fabric.clock.after(fabric.minUs, () => {
      this.#tellingTaken = false;
      this.#tellTaken();
    });
  }

  #tellTaken(): void {
    const bytes = this.#taken;
    this.#taken = 0;
    this.#peer.windowOpens(bytes);
  }

  // The end --------------------------------------------------------------------------------------------------------------

  /** Nothing of this end is left: closed here, and the other side knows or need not. */
  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#onGone(this);
  }

  status(): SocketStatus {
    return {
      kind: this.kind,
      state: this.#state(),
      local: this.#local,
      remote: this.#remote,
      unreadBytes: this.#arrivedBytes,
      unsentBytes: this.unsentBytes,
      options: this.#options,
    };
  }

  #state(): SocketState {
    if (this.#closed) return "closing";
    if (this.#reset || this.#isOver) return "closed";
    if (this.#endArrived) return "close-wait";
    return this.#endSent ? "fin-wait" : "established";
  }
}
