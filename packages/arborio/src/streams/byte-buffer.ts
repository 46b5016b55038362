/**
 * Bytes in one piece of memory, to be parsed and taken from the front.
 *
 * The first chunk is adopted as it came; only if it does not suffice, memory is taken, twice as much each time, so that every
 * byte is copied a bounded number of times. Memory that was handed out as a view is never written again: what comes later goes
 * behind it or elsewhere.
 */

/** Smallest memory taken for bytes that come in small pieces. */
const MEMORY_BYTES_MIN = 256;
/** Up to this length, what has to stay is copied rather than keep a large chunk alive. */
const SMALL_BYTES = 1024;
/** What is taken out, if it is all, keeps memory alive that is at most so many times as large; else it is copied. */
const PINNED_TIMES_MAX = 2;

export class ByteBuffer {
  #memory: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;

  /** How many bytes are there. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The byte at `index`, which must be there. */
  at(index: number): number {
    return this.#memory[this.#start + index] as number;
  }

  /** Where `byte` comes first, from `from` on; −1 if it does not. */
  indexOf(byte: number, from: number): number {
    // What lies behind the end, in memory that grows, must not be searched again and again.
    const memory =
      this.#end === this.#memory.length ? this.#memory : this.#memory.subarray(0, this.#end);
    const index = memory.indexOf(byte, this.#start + from);
    return index < 0 ? -1 : index - this.#start;
  }

  /** The first `count` bytes, without taking them: a view that the next change ends. */
  peek(count: number = this.length): Uint8Array {
    return this.#memory.subarray(this.#start, this.#start + count);
  }

  /** Takes the first `count` bytes, which must be there. They belong to the caller, who may transfer their memory. */
  take(count: number): Uint8Array {
    const memory = this.#memory;
    const from = this.#start;
    const isAll = count === this.length;
    this.skip(count);
    return isAll && count * PINNED_TIMES_MAX >= memory.buffer.byteLength
      ? memory.subarray(from, from + count)
      : memory.slice(from, from + count);
  }

  /** Fills `view` as far as the bytes go; how many those were. */
  takeInto(view: Uint8Array): number {
    const count = Math.min(view.length, this.length);
    view.set(this.peek(count));
    this.skip(count);
    return count;
  }

  /** Drops the first `count` bytes, which must be there. */
  skip(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.clear();
  }

  /**
   * Adds a chunk at the end, which belongs to the buffer from now on.
   *
   * @param total how many bytes there will be as far as is known; 0 if nothing is. Then memory doubles.
   */
  append(chunk: Uint8Array, total = 0): void {
    if (this.length === 0) {
      this.#adopt(chunk);
      return;
    }
    if (this.#end + chunk.length > this.#memory.length) this.#grow(chunk.length, total);
    this.#memory.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Puts a copy of `bytes` before all others. */
  prepend(bytes: Uint8Array): void {
    const memory = new Uint8Array(bytes.length + this.length);
    memory.set(bytes);
    memory.set(this.peek(), bytes.length);
    this.#adopt(memory);
  }

  /** For bytes that will stay a while: a few of them do not keep a large chunk alive. */
  settle(): void {
    const { length } = this;
    if (length === 0 || length > SMALL_BYTES) return;
    if (this.#memory.buffer.byteLength > SMALL_BYTES * PINNED_TIMES_MAX) this.#grow(0, 0);
  }

  clear(): void {
    this.#memory = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  #adopt(chunk: Uint8Array): void {
    // Of a subclass of a runtime `slice` may mean something else.
    this.#memory =
      Object.getPrototypeOf(chunk) === Uint8Array.prototype
        ? chunk
        : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#start = 0;
    this.#end = chunk.length;
  }

  #grow(moreBytes: number, total: number): void {
    const needed = this.length + moreBytes;
    const doubled = Math.max(needed * 2, MEMORY_BYTES_MIN);
    const memory = new Uint8Array(
      total === 0 ? doubled : Math.max(needed, Math.min(doubled, total)),
    );
    memory.set(this.peek());
    this.#end = this.length;
    this.#start = 0;
    this.#memory = memory;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
