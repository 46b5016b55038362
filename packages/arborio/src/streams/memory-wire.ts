import { SystemError } from "../core/errors.ts";
import type { SocketOptions, Wire, WireDetails, WireReceiver } from "../platform/wire.ts";
import { ChunkQueue } from "./chunk-queue.ts";

/** How two wires in memory are connected. */
export interface MemoryWireSettings {
  /** So many bytes may be written, each way, that the other side has not taken. */
  readonly capacityBytes: number;
  /** Whether what is written stays under way until `release`. */
  readonly held: boolean;
}

const DETAILS: WireDetails = {
  localAddress: undefined,
  remoteAddress: undefined,
  tls: undefined,
  securing: false,
  descriptor: undefined,
  setOptions(_options: SocketOptions): void {},
};

const DONE: Promise<void> = Promise.resolve();

/**
 * One end of a connection in memory. It behaves as a socket does: bytes first, then the end or the failure; closing with bytes
 * unread is a failure for the other side, and so is writing to one that is closed. What it tells its receiver it tells in a
 * microtask of its own, never from within a call: a receiver may call back.
 */
export class MemoryWire implements Wire {
  readonly details: WireDetails = DETAILS;
  readonly #settings: MemoryWireSettings;
  #peer: MemoryWire = this;
  #receiver: WireReceiver | null = null;
  /** Written by the other side, and not delivered yet. */
  readonly #incoming: ChunkQueue = new ChunkQueue();
  /** Bytes written by the other side, and not taken here. */
  #untakenBytes = 0;
  /** So many bytes of `#incoming` may be delivered. */
  #releasedBytes: number;
  #paused = false;
  /** The last `write` waits for room on the other side. */
  #writing = false;
  /** Whether the other side has ended, and whether the receiver knows. */
  #end: "none" | "untold" | "told" = "none";
  #failure: Error | null = null;
  #failed = false;
  #scheduled = false;
  #closed = false;

  constructor(settings: MemoryWireSettings) {
    this.#settings = settings;
    this.#releasedBytes = settings.held ? 0 : Infinity;
  }

  /** Connects this end to the other, both ways. */
  connect(peer: MemoryWire): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    const peer = this.#peer;
    if (peer.#closed) {
      this.#fail(
        new SystemError("memory stream: the other side receives no more (EPIPE)", "EPIPE"),
      );
      return false;
    }
    // A copy, since the sender may change its bytes once they are sent.
    peer.#incoming.push(new Uint8Array(bytes));
    peer.#untakenBytes += bytes.length;
    peer.#schedule();
    this.#writing = peer.#untakenBytes > this.#settings.capacityBytes;
    return !this.#writing;
  }

  end(): void {
    this.#peer.#endReceiving();
  }

  close(abortively: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver = null;
    this.#incoming.clear();
    // What was let go and did not come any more is not held either.
    this.#releasedBytes = 0;
    const peer = this.#peer;
    if (abortively || this.#untakenBytes > 0)
      peer.#fail(
        new SystemError("memory stream: the other side reset it (ECONNRESET)", "ECONNRESET"),
      );
    else peer.#endReceiving();
  }

  /** Bytes that this side has written, and that are held. */
  get heldBytes(): number {
    const peer = this.#peer;
    return this.#settings.held ? peer.#incoming.bytes - peer.#releasedBytes : 0;
  }

  /** Lets so many of the bytes go that are held; how many those were. */
  release(maxBytes: number): number {
    const count = Math.min(maxBytes, this.heldBytes);
    this.#peer.#releasedBytes += count;
    this.#peer.#schedule();
    return count;
  }

  /** To be called by the receiver: so many bytes of those that it was given have been taken. What it has read ahead has not. */
  taken(bytes: number): void {
    this.#untakenBytes -= bytes;
    const writer = this.#peer;
    if (!writer.#writing || this.#untakenBytes > this.#settings.capacityBytes) return;
    writer.#writing = false;
    writer.#receiver?.written();
  }

  #endReceiving(): void {
    if (this.#end === "none") this.#end = "untold";
    this.#schedule();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void DONE.then(this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#scheduled = false;
    // A failure does not wait for who has paused.
    while (this.#receiver !== null && (!this.#paused || this.#failure !== null)) {
      const count = Math.min(this.#incoming.bytes, this.#releasedBytes);
      if (count === 0) break;
      const chunk = this.#incoming.take(count);
      this.#releasedBytes -= chunk.length;
      this.#receiver.received(chunk);
    }
    if (this.#receiver !== null) this.#tell(this.#receiver);
  };

  #tell(receiver: WireReceiver): void {
    if (this.#end === "untold" && this.#incoming.bytes === 0) {
      this.#end = "told";
      receiver.ended();
    }
    if (this.#failure === null || this.#failed) return;
    this.#failed = true;
    this.#writing = false;
    // What was held is lost, as it is on a line that breaks.
    this.#incoming.clear();
    // Who was told of the end may have closed.
    this.#receiver?.failed(this.#failure);
  }
}

/** Two ends, connected to one another. */
export function createMemoryWires(settings: MemoryWireSettings): [MemoryWire, MemoryWire] {
  const first = new MemoryWire(settings);
  const second = new MemoryWire(settings);
  first.connect(second);
  return [first, second];
}
