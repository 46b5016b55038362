import type { Wire, WireDetails, WireReceiver } from "../platform/wire.ts";
import { CHUNK_BYTES_MAX } from "./byte-stream.ts";
import type { ChunkQueue } from "./chunk-queue.ts";

/**
 * A wire that was under a stream, for a layer that takes its place: it begins with what the stream had read ahead. The stream
 * stays the wire's receiver and passes on what it is told.
 */
export class HandedOverWire implements Wire, WireReceiver {
  readonly #wire: Wire;
  readonly #queue: ChunkQueue;
  readonly #taken: (bytes: number) => void;
  #receiver: WireReceiver | null = null;
  #paused = false;
  #ended: boolean;
  #endTold = false;
  #failure: Error | null = null;
  #flushing = false;

  /** Takes the stream's queue too. `ended`: the other side has. `taken` is told how many bytes were passed on. */
  constructor(wire: Wire, queue: ChunkQueue, ended: boolean, taken: (bytes: number) => void) {
    this.#wire = wire;
    this.#queue = queue;
    this.#ended = ended;
    this.#taken = taken;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#flushSoon();
  }

  pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#flushSoon();
  }

  write(bytes: Uint8Array): boolean {
    return this.#wire.write(bytes);
  }

  end(): void {
    this.#wire.end();
  }

  close(abortively: boolean): void {
    this.#receiver = null;
    this.#queue.clear();
    this.#wire.close(abortively);
  }

  get details(): WireDetails {
    return this.#wire.details;
  }

  received(bytes: Uint8Array): void {
    if (this.#receiver !== null && !this.#flushing && !this.#paused) {
      this.#pass(bytes);
      return;
    }
    this.#queue.push(bytes);
    if (this.#queue.bytes >= CHUNK_BYTES_MAX) this.#wire.pause();
  }

  ended(): void {
    this.#ended = true;
    this.#flushSoon();
  }

  written(): void {
    if (this.#failure === null) this.#receiver?.written();
  }

  secured(): void {
    this.#receiver?.secured?.();
  }

  /** Told after what came before it, and also if nobody had opened the wire yet. */
  failed(error: Error): void {
    this.#failure = error;
    this.#flushSoon();
  }

  #pass(bytes: Uint8Array): void {
    // Before it is told: a receiver that closes at once leaves nothing unread.
    this.#taken(bytes.length);
    this.#receiver?.received(bytes);
  }

  /** Later, since nothing is told before `open` and `resume` have returned. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    void Promise.resolve().then(() => this.#flush());
  }

  #flush(): void {
    // A failure does not wait for who has paused.
    while (
      this.#queue.bytes > 0 &&
      this.#receiver !== null &&
      (!this.#paused || this.#failure !== null)
    )
      this.#pass(this.#queue.take(CHUNK_BYTES_MAX));
    this.#flushing = false;
    if (this.#ended) this.#tellEnd();
    if (this.#failure !== null) this.#tellFailure(this.#failure);
    else if (!this.#ended && !this.#paused && this.#receiver !== null) this.#wire.resume();
  }

  #tellEnd(): void {
    if (this.#receiver === null || this.#paused || this.#endTold) return;
    this.#endTold = true;
    this.#receiver.ended();
  }

  #tellFailure(error: Error): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(error);
  }
}
