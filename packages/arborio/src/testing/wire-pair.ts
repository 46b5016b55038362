import { SystemError } from "../core/errors.ts";
import type { SocketOptions, Wire, WireDetails, WireReceiver } from "../platform/wire.ts";

/** Options of `createWirePair`. */
export interface WirePairOptions {
  /** Largest chunk that is delivered. Default: chunks come as they were written. */
  readonly chunkBytes?: number;
  /** So many bytes may be under way to a side that is paused before `write` returns `false`. Default 65,536. */
  readonly capacityBytes?: number;
}

/**
 * Two wires that are connected in memory, for tests of what stands on wires. What one writes comes to the other in microtasks, and
 * the end in the same breath as the last bytes.
 */
export function createWirePair(options: WirePairOptions = {}): [MemoryWire, MemoryWire] {
  const { chunkBytes = Infinity, capacityBytes = 65_536 } = options;
  const left = new MemoryWire(chunkBytes, capacityBytes);
  const right = new MemoryWire(chunkBytes, capacityBytes);
  left.peer = right;
  right.peer = left;
  return [left, right];
}

/** One of the two. */
export class MemoryWire implements Wire, WireDetails {
  declare peer: MemoryWire;
  /** How its owner closed it. */
  closed: "no" | "orderly" | "abortively" = "no";
  /** Its owner has ended it, or closed it. */
  ended = false;
  /** All that its owner has written. */
  bytesWritten = 0;
  /** So many `write`s were called before the one before had gone out, which nobody may. */
  overlappingWrites = 0;
  /** Changes what its owner writes, as somebody on the way might. */
  tamper: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;
  readonly #chunkBytes: number;
  readonly #capacityBytes: number;
  #receiver: WireReceiver | null = null;
  #paused = false;
  /** What is under way to this side. */
  #incoming: Uint8Array[] = [];
  #incomingBytes = 0;
  #waits = false;
  #endTold = false;
  #delivering = false;
  #isCut = false;

  constructor(chunkBytes: number, capacityBytes: number) {
    this.#chunkBytes = chunkBytes;
    this.#capacityBytes = capacityBytes;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#deliverSoon();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#waits || this.ended) this.overlappingWrites += 1;
    this.bytesWritten += bytes.length;
    const { peer } = this;
    if (peer.closed !== "no" || this.#isCut) return true;
    const sent = this.tamper(new Uint8Array(bytes));
    if (sent.length > 0) peer.#incoming.push(sent);
    peer.#incomingBytes += sent.length;
    peer.#deliverSoon();
    this.#waits = peer.#incomingBytes > peer.#capacityBytes;
    return !this.#waits;
  }

  end(): void {
    this.ended = true;
    this.peer.#deliverSoon();
  }

  close(abortively: boolean): void {
    if (this.closed !== "no") return;
    this.closed = abortively ? "abortively" : "orderly";
    this.#receiver = null;
    this.#incoming = [];
    this.end();
    if (abortively) this.peer.fail(new SystemError("connection: reset (ECONNRESET)", "ECONNRESET"));
  }

  /** Lets nothing more through to the other side but the end, as somebody on the way might. */
  cut(): void {
    this.#isCut = true;
    this.peer.#deliverSoon();
  }

  /** Tells its owner of a failure. */
  fail(error: Error): void {
    void Promise.resolve().then(() => {
      const receiver = this.#receiver;
      this.#receiver = null;
      receiver?.failed(error);
    });
  }

  get details(): WireDetails {
    return this;
  }

  readonly localAddress = undefined;
  readonly remoteAddress = undefined;
  readonly tls = undefined;
  readonly securing = false;
  readonly descriptor = undefined;

  setOptions(_options: SocketOptions): void {}

  #deliverSoon(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    void Promise.resolve().then(() => this.#deliver());
  }

  #deliver(): void {
    this.#delivering = false;
    const receiver = this.#receiver;
    if (receiver === null || this.#paused) return;
    const chunk = this.#takeChunk();
    if (chunk !== undefined) receiver.received(chunk);
    if (this.#incoming.length > 0) {
      this.#deliverSoon();
      return;
    }
    if (this.peer.#waits) {
      this.peer.#waits = false;
      this.peer.#receiver?.written();
    }
    if (this.#incoming.length > 0 || this.#endTold) return;
    if (!this.peer.ended && !this.peer.#isCut) return;
    this.#endTold = true;
    this.#receiver?.ended();
  }

  #takeChunk(): Uint8Array | undefined {
    const [chunk] = this.#incoming;
    if (chunk === undefined) return undefined;
    const taken = chunk.subarray(0, this.#chunkBytes);
    if (taken.length < chunk.length) this.#incoming[0] = chunk.subarray(taken.length);
    else this.#incoming.shift();
    this.#incomingBytes -= taken.length;
    return taken;
  }
}
