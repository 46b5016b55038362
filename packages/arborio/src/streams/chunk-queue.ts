/**
 * Bytes that have come and are not yet taken, in the chunks in which they came.
 *
 * A chunk may be a small view on a large buffer that the runtime shares between reads (64 KiB on some). What has to stay here is
 * therefore copied if it is small, into a buffer shared by small neighbours: bytes that come one by one cost about a byte each.
 * Never by `slice`: that of Node's `Buffer` copies nothing.
 */

/** Chunks up to this length are collected. */
const SMALL_BYTES = 1024;
/** Size of the buffer that collects them. */
const COLLECTOR_BYTES = 4096;
/** A larger chunk below this share of its buffer is copied too. */
const PINNING_SHARE = 0.5;
/** So many places of taken chunks are kept before the list is moved. */
const TAKEN_MAX = 32;

export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #first = 0;
  /** Where small chunks are collected; the last chunk is a view on it exactly while this is not `null`. */
  #collector: Uint8Array | null = null;
  #collected = 0;
  /** How many bytes are there. */
  bytes = 0;

  /** Adds a chunk of at least one byte. */
  push(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (chunk.length <= SMALL_BYTES) {
      this.#collect(chunk);
      return;
    }
    this.#collector = null;
    const isPinning = chunk.length < chunk.buffer.byteLength * PINNING_SHARE;
    this.#chunks.push(isPinning ? new Uint8Array(chunk) : chunk);
  }

  /**
   * Takes the first chunk, or its first `maxBytes`: then a copy, since it belongs to the receiver, who may transfer its memory.
   * Called only when there are bytes.
   */
  take(maxBytes: number): Uint8Array {
    const isPart = (this.#chunks[this.#first] as Uint8Array).length > maxBytes;
    const chunk = this.#takeView(maxBytes);
    return isPart ? new Uint8Array(chunk) : chunk;
  }

  #takeView(maxBytes: number): Uint8Array {
    const chunk = this.#chunks[this.#first] as Uint8Array;
    if (chunk.length <= maxBytes) {
      this.#dropFirst();
      this.bytes -= chunk.length;
      return chunk;
    }
    this.#chunks[this.#first] = chunk.subarray(maxBytes);
    this.bytes -= maxBytes;
    return chunk.subarray(0, maxBytes);
  }

  /** Fills `view` as far as the bytes go; how many those were. */
  takeInto(view: Uint8Array): number {
    let count = 0;
    while (count < view.length && this.bytes > 0) {
      const chunk = this.#takeView(view.length - count);
      view.set(chunk, count);
      count += chunk.length;
    }
    return count;
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#collector = null;
    this.bytes = 0;
  }

  #collect(chunk: Uint8Array): void {
    if (this.#collector !== null && this.#collected + chunk.length <= COLLECTOR_BYTES) {
      const last = this.#chunks.at(-1) as Uint8Array;
      this.#collector.set(chunk, this.#collected);
      this.#collected += chunk.length;
      this.#chunks[this.#chunks.length - 1] = this.#collector.subarray(
        last.byteOffset - this.#collector.byteOffset,
        this.#collected,
      );
      return;
    }
    if (this.bytes === chunk.length) {
      // Alone it will most likely be taken soon: a buffer for neighbours that never come would cost more than it saves.
      this.#collector = null;
      this.#chunks.push(new Uint8Array(chunk));
      return;
    }
    this.#collector = new Uint8Array(COLLECTOR_BYTES);
    this.#collector.set(chunk);
    this.#collected = chunk.length;
    this.#chunks.push(this.#collector.subarray(0, chunk.length));
  }

  #dropFirst(): void {
    this.#chunks[this.#first] = EMPTY;
    this.#first += 1;
    if (this.#first === this.#chunks.length) {
      this.#chunks = [];
      this.#first = 0;
      this.#collector = null;
    } else if (this.#first >= TAKEN_MAX) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
