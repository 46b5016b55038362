const EMPTY = new Uint8Array(0);

/** Room of a buffer of our own at first, in bytes: a usual line. */
const OWN_BYTES_MIN = 256;

/** What is left is copied if the memory behind it is this many times as large: else a few bytes would hold a slab of 64 KiB. */
const WASTE_MAX = 4;

/**
 * Bytes that came and were not used yet, in one piece. Bytes before `start` are never written to again, so views of them stay as they
 * are. Each byte is copied a constant number of times, however the input is cut: a buffer that must grow doubles.
 */
export class InputBuffer {
  bytes: Uint8Array = EMPTY;
  /** First byte that was not used. */
  start = 0;
  /** Behind the last byte. What is left of `bytes` behind it is zeros. */
  end = 0;
  /** Whether `bytes` was made here. If not, it ends at `end`. */
  #isOwn = false;

  /** Bytes not used yet. */
  get length(): number {
    return this.end - this.start;
  }

  /** Adds bytes at the end. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.start === this.end) {
      this.bytes = bytes;
      this.start = 0;
      this.end = bytes.length;
      this.#isOwn = false;
      return;
    }
    if (this.end + bytes.length > this.bytes.length) {
      this.#move(2 * (this.length + bytes.length));
    }
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Uses up bytes, and gives them: a view. */
  take(count: number): Uint8Array {
    const { bytes, start } = this;
    const isAll = start === 0 && count === bytes.length;
    this.skip(count);
    return isAll ? bytes : bytes.subarray(start, start + count);
  }

  /** Uses up bytes. */
  skip(count: number): void {
    this.start += count;
    if (this.start === this.end) this.#release();
  }

  /** Nothing can be done before more bytes come: lets go of memory that they would hold for nothing. */
  settle(): void {
    if (this.#isOwn || this.start === this.end) return;
    if (this.bytes.buffer.byteLength > WASTE_MAX * Math.max(this.length, OWN_BYTES_MIN)) {
      this.#move(2 * this.length);
    }
  }

  #move(room: number): void {
    const own = new Uint8Array(Math.max(room, OWN_BYTES_MIN));
    own.set(this.bytes.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.bytes = own;
    this.#isOwn = true;
  }

  #release(): void {
    this.bytes = EMPTY;
    this.start = 0;
    this.end = 0;
    this.#isOwn = false;
  }
}
