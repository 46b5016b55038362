/**
 * What is around the compressed data of a gzip member (RFC 1952), read as it comes. The runtimes' own reader loses the output in
 * front of trailing garbage, and cannot pass over it.
 */
import { decompressError, type Framing } from "./framing.ts";

const MAGIC = [0x1f, 0x8b];
/** The only method there is: deflate. */
const METHOD = 8;
/** Magic, method, flags, time, extra flags, system. */
const FIXED_BYTES = 10;
const FLAGS_AT = 3;
const HAS_CHECKSUM = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
const RESERVED = 0xe0;
/** No name or comment needs more; a header without end would keep a connection busy without ever giving output. */
const HEADER_BYTES_MAX = 65_536 + 4096;

type Part = "fixed" | "extra-length" | "extra" | "name" | "comment" | "checksum" | "done";
const PARTS: readonly Part[] = [
  "fixed",
  "extra-length",
  "extra",
  "name",
  "comment",
  "checksum",
  "done",
];

/** The header of a member. */
export class GzipHeader {
  #part: Part = "fixed";
  /** Bytes of the whole header, and of the part. */
  #read = 0;
  #readOfPart = 0;
  #flags = 0;
  #extraBytes = 0;

  /** Whether a byte of it has come. */
  get begun(): boolean {
    return this.#read > 0;
  }

  get done(): boolean {
    return this.#part === "done";
  }

  /** Whether what has come may be something else than a header. */
  get isUncertain(): boolean {
    return this.#read < MAGIC.length;
  }

  /** Reads from `at` on; returns where the header, or what there is, ends. */
  read(bytes: Uint8Array, at: number): number {
    let end = at;
    while (!this.done && end < bytes.length) this.#byte(bytes[end++] as number);
    return end;
  }

  #byte(byte: number): void {
    this.#check(byte);
    this.#read += 1;
    this.#readOfPart += 1;
    if (this.#part === "extra-length") this.#extraBytes += byte << (8 * (this.#readOfPart - 1));
    while (this.#part !== "done" && this.#isOver(byte)) {
      this.#part = PARTS[PARTS.indexOf(this.#part) + 1] as Part;
      this.#readOfPart = 0;
    }
  }

  #check(byte: number): void {
    const at = this.#read;
    const isWrong =
      (at < 2 && byte !== MAGIC[at]) ||
      (at === 2 && byte !== METHOD) ||
      (at === FLAGS_AT && (byte & RESERVED) !== 0) ||
      at > HEADER_BYTES_MAX;
    if (isWrong) throw decompressError("gzip", "corrupt");
    if (at === FLAGS_AT) this.#flags = byte;
  }

  /** Whether the part is complete, or absent. */
  #isOver(byte: number): boolean {
    const read = this.#readOfPart;
    switch (this.#part) {
      case "fixed":
        return read === FIXED_BYTES;
      case "extra-length":
        return !this.#has(HAS_EXTRA) || read === 2;
      case "extra":
        return !this.#has(HAS_EXTRA) || read === this.#extraBytes;
      case "name":
        return !this.#has(HAS_NAME) || (read > 0 && byte === 0);
      case "comment":
        return !this.#has(HAS_COMMENT) || (read > 0 && byte === 0);
      default:
        return !this.#has(HAS_CHECKSUM) || read === 2;
    }
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }
}

const TRAILER_BYTES = 8;

/** The trailer of a member: checksum and length of what was compressed. */
export class GzipTrailer {
  readonly #bytes: Uint8Array = new Uint8Array(TRAILER_BYTES);
  #read = 0;

  get done(): boolean {
    return this.#read === TRAILER_BYTES;
  }

  /** Reads from `at` on; returns where the trailer, or what there is, ends. */
  read(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + TRAILER_BYTES - this.#read);
    this.#bytes.set(part, this.#read);
    this.#read += part.length;
    return at + part.length;
  }

  /** Throws unless this is what the trailer says. */
  check(checksum: number, length: number): void {
    const view = new DataView(this.#bytes.buffer);
    const isRight =
      view.getUint32(0, true) === checksum && view.getUint32(4, true) === length % 2 ** 32;
    if (!isRight) throw decompressError("gzip", "corrupt");
  }
}

/** Continues a CRC-32. */
export type Checksum = (bytes: Uint8Array, before: number) => number;

/** Members, one after the other, each with header, data and trailer. Zeros behind a member are padding, as gzip(1) sees it. */
export class GzipFraming implements Framing {
  readonly #checksum: Checksum;
  #header: GzipHeader = new GzipHeader();
  #trailer: GzipTrailer | null = null;
  #members = 0;
  #sum = 0;
  #length = 0;
  readonly isOver = false;

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  get isWhole(): boolean {
    return this.#members > 0 && !this.#header.begun;
  }

  get begun(): number {
    return this.#members + (this.#header.begun ? 1 : 0);
  }

  next(input: Uint8Array, from: number): readonly [number, number] | null {
    let at = from;
    while (at < input.length) {
      if (this.#trailer !== null) at = this.#readTrailer(this.#trailer, input, at);
      else if (this.#header.done) return [at, input.length];
      else if (this.isWhole && input[at] === 0) at += 1;
      else at = this.#readHeader(input, at);
    }
    return null;
  }

  #readHeader(input: Uint8Array, at: number): number {
    try {
      return this.#header.read(input, at);
    } catch (error) {
      if (this.#members > 0 && this.#header.isUncertain) throw decompressError("gzip", "trailing");
      throw error;
    }
  }

  #readTrailer(trailer: GzipTrailer, input: Uint8Array, at: number): number {
    const end = trailer.read(input, at);
    if (!trailer.done) return end;
    trailer.check(this.#sum, this.#length);
    this.#trailer = null;
    this.#header = new GzipHeader();
    this.#members += 1;
    this.#sum = 0;
    this.#length = 0;
    return end;
  }

  fed(ended: boolean): void {
    if (ended) this.#trailer = new GzipTrailer();
  }

  saw(output: Uint8Array): void {
    this.#sum = this.#checksum(output, this.#sum);
    this.#length += output.length;
  }
}
