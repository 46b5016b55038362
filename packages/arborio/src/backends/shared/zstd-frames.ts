/**
 * Where frames of zstd begin and end (RFC 8878, section 3.1), without decompressing them. Not every runtime decompresses a second
 * frame of the same input, and most take a truncated one for whole (seen with Node 22, Bun 1.4, Deno 2.9).
 */
import { decompressError, type Framing } from "./framing.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** Of frames that are to be skipped; the low four bits of the first byte are free. */
const SKIPPABLE_MAGIC = [0x50, 0x2a, 0x4d, 0x18];
const BLOCK_HEADER_BYTES = 3;
const LENGTH_BYTES = 4;
const CHECKSUM_BYTES = 4;
/** An RLE block holds one byte, which is repeated. */
const RLE = 1;

type Part = "magic" | "skip-length" | "descriptor" | "header" | "block-header" | "data" | "end";

/** Frames, one after the other; the runtime is given one at a time. */
export class ZstdFraming implements Framing {
  #part: Part = "magic";
  /** Bytes that are left of the part. */
  #left: number = MAGIC.length;
  /** The number that the bytes of the part are. */
  #value = 0;
  #isSkippable = false;
  #hasChecksum = false;
  #isLastBlock = false;
  /** Complete frames. */
  #count = 0;
  readonly isOver = false;

  get isWhole(): boolean {
    return this.#count > 0 && this.#isBetween;
  }

  get begun(): number {
    return this.#count + (this.#isBetween ? 0 : 1);
  }

  get #isBetween(): boolean {
    return this.#part === "magic" && this.#left === MAGIC.length;
  }

  next(input: Uint8Array, at: number): readonly [number, number] | null {
    return at < input.length ? [at, this.#read(input, at)] : null;
  }

  fed(): void {}

  saw(): void {}

  /** Follows from `at` on; returns where the frame, or what there is, ends. */
  #read(bytes: Uint8Array, at: number): number {
    const count = this.#count;
    let end = at;
    while (end < bytes.length && this.#count === count) {
      if (this.#part === "data" || this.#part === "header" || this.#part === "end") {
        const skipped = Math.min(this.#left, bytes.length - end);
        end += skipped;
        this.#left -= skipped;
      } else {
        this.#byte(bytes[end++] as number);
      }
      while (this.#left === 0 && this.#count === count) this.#next();
    }
    return end;
  }

  #byte(byte: number): void {
    if (this.#part === "magic") this.#checkMagic(byte);
    const place = PART_BYTES[this.#part] - this.#left;
    this.#value += byte * 2 ** (8 * place);
    this.#left -= 1;
  }

  #checkMagic(byte: number): void {
    const at = MAGIC.length - this.#left;
    if (at === 0) this.#isSkippable = (byte & 0xf0) === SKIPPABLE_MAGIC[0];
    const isRight = this.#isSkippable
      ? at === 0 || byte === SKIPPABLE_MAGIC[at]
      : byte === MAGIC[at];
    if (!isRight) throw decompressError("zstd", this.#count > 0 ? "trailing" : "corrupt");
  }

  #next(): void {
    const value = this.#value;
    switch (this.#part) {
      case "magic":
        return this.#enter(this.#isSkippable ? "skip-length" : "descriptor");
      case "skip-length":
        return this.#enter("end", value);
      case "descriptor":
        this.#hasChecksum = (value & 4) !== 0;
        return this.#enter("header", headerBytes(value));
      case "block-header":
        this.#isLastBlock = (value & 1) !== 0;
        return this.#enter("data", ((value >> 1) & 3) === RLE ? 1 : value >> 3);
      case "data":
        if (this.#isLastBlock) return this.#enter("end", this.#hasChecksum ? CHECKSUM_BYTES : 0);
        return this.#enter("block-header");
      case "header":
        return this.#enter("block-header");
      default:
        this.#count += 1;
        return this.#enter("magic");
    }
  }

  #enter(part: Part, left: number = PART_BYTES[part]): void {
    this.#part = part;
    this.#left = left;
    this.#value = 0;
  }
}

const PART_BYTES: Readonly<Record<Part, number>> = {
  magic: MAGIC.length,
  "skip-length": LENGTH_BYTES,
  descriptor: 1,
  header: 0,
  "block-header": BLOCK_HEADER_BYTES,
  data: 0,
  end: 0,
};

/** Bytes of a frame's header behind its descriptor: window, dictionary, size of the contents. */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 32) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  return (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
}
