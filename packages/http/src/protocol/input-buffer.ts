const EMPTY = new Uint8Array(0);

/** Room of a buffer of our own at first, in bytes: a usual line. */
const OWN_BYTES_MIN = 256;

/** What is left is copied if the memory behind it is this many times as large: else a few bytes would hold a slab of 64 KiB. */
const WASTE_MAX = 4;

/** Pieces from this on are not copied to join them, where nobody needs them joined: of smaller ones there could be very many. */
const PIECE_BYTES_MIN = 4096;

/**
 * Bytes that came and were not used yet, in one piece; only what is used as it is, a body, may stand in several. Bytes before `start` are
 * never written to again, so views of them stay as they are. Each byte is copied a constant number of times, however the input is cut: a
 * buffer that must grow doubles.
 */
export class InputBuffer {
  bytes: Uint8Array = EMPTY;
  /** First byte that was not used. */
  start = 0;
  /** Behind the last byte of the piece. What is left of `bytes` behind it is zeros. */
  end = 0;
  /** Whether `bytes` was made here. If not, it ends at `end`. */
  #isOwn = false;
  /** The pieces behind it, all of them of a body; none behind a piece that was made here. */
  #later: Uint8Array[] | null = null;
  #laterBytes = 0;

  /** Bytes not used yet. */
  get length(): number {
    return this.end - this.start + this.#laterBytes;
  }

  /** Those of them that are in one piece. */
  get pieceLength(): number {
    return this.end - this.start;
  }

  /**
   * Adds bytes at the end.
   *
   * @param plainBytes So many of the bytes not used yet, with these, will be used as they are.
   */
  push(bytes: Uint8Array, plainBytes: number): void {
    if (bytes.length === 0) return;
    if (this.start === this.end) return this.#replace(bytes);
    const length = this.length + bytes.length;
    const isPiece = bytes.length >= PIECE_BYTES_MIN && !isWasteful(bytes, bytes.length);
    // What was joined once is not joined again with each small piece between large ones.
    if (isPiece && !this.#isOwn && length <= plainBytes) {
      (this.#later ??= []).push(bytes);
      this.#laterBytes += bytes.length;
      return;
    }
    if (this.#later !== null || this.end + bytes.length > this.bytes.length) this.#join(2 * length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Makes one piece of all. */
  join(): void {
    if (this.#later !== null) this.#join(this.length);
  }

  /** Uses up bytes of the first piece, and gives them: a view. */
  take(count: number): Uint8Array {
    const { bytes, start } = this;
    const isAll = start === 0 && count === bytes.length;
    this.skip(count);
    return isAll ? bytes : bytes.subarray(start, start + count);
  }

  /** Uses up bytes of the first piece. */
  skip(count: number): void {
    this.start += count;
    if (this.start === this.end) this.#release();
  }

  /** Nothing can be done before more bytes come: lets go of memory that they would hold for nothing. */
  settle(): void {
    if (this.#isOwn || this.start === this.end) return;
    if (isWasteful(this.bytes, Math.max(this.length, OWN_BYTES_MIN))) this.#join(2 * this.length);
  }

  #join(room: number): void {
    const own = new Uint8Array(Math.max(room, OWN_BYTES_MIN));
    own.set(this.bytes.subarray(this.start, this.end));
    this.end -= this.start;
    for (const piece of this.#later ?? []) {
      own.set(piece, this.end);
      this.end += piece.length;
    }
    this.#later = null;
    this.#laterBytes = 0;
    this.start = 0;
    this.bytes = own;
    this.#isOwn = true;
  }

  /** The piece was used up. */
  #release(): void {
    const next = this.#later?.shift() ?? EMPTY;
    if (this.#later?.length === 0) this.#later = null;
    this.#laterBytes -= next.length;
    this.#replace(next);
  }

  #replace(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.start = 0;
    this.end = bytes.length;
    this.#isOwn = false;
  }
}

/** Whether the memory behind it is much larger than the bytes that are wanted of it. */
function isWasteful(bytes: Uint8Array, wanted: number): boolean {
  return bytes.buffer.byteLength > WASTE_MAX * wanted;
}
