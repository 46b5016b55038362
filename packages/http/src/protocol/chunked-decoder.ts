import { CR, LF, TOKEN_PATTERN } from "./characters.ts";
import { checkTrailers } from "./field-facts.ts";
import { readFieldLine } from "./field-line.ts";
import type { InputBuffer } from "./input-buffer.ts";
import type { ProtocolLimits } from "./limits.ts";
import { LineReader } from "./line-reader.ts";
import { QUOTED_PATTERN } from "./quoted.ts";
import { quote, refuse } from "./rules.ts";

/** Digits of a chunk's size at most: 2^53 - 1 has 14, and nobody needs more zeros before it. */
const SIZE_DIGITS_MAX = 16;

/** Size, extensions: RFC 9112 §7.1. White space around `;` and `=`, which a sender must not generate, is refused. */
const CHUNK_HEAD = new RegExp(
  `^([0-9A-Fa-f]+)((?:;${TOKEN_PATTERN}(?:=(?:${TOKEN_PATTERN}|${QUOTED_PATTERN}))?)*)$`,
);

/** Digits of a size that is read without further ado. */
const PLAIN_DIGITS_MAX = 8;

/** Value of each byte as a hexadecimal digit; -1: it is none. */
const HEX_DIGITS: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  return /[0-9A-Fa-f]/.test(String.fromCharCode(byte))
    ? Number.parseInt(String.fromCharCode(byte), 16)
    : -1;
});

type Phase = "size" | "data" | "data-end" | "trailers" | "done";

/** Pieces of data below this are gathered, in bytes: millions of chunks of a byte must not become millions of pieces (CVE-2025-69229). */
const SMALL_BYTES = 512;

/** Bytes that are gathered to one piece at most: gathering is copying, and more would save nothing. */
const GATHERED_BYTES_MAX = 4096;

/** Decodes a chunked body: RFC 9112 §7.1. */
export class ChunkedDecoder {
  readonly #input: InputBuffer;
  readonly #limits: ProtocolLimits;
  readonly #lines: LineReader;
  #phase: Phase = "size";
  /** Bytes of the current chunk that were not handed out. */
  #chunkLeft = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  /** What was wrong behind data that was gathered: it comes after the data. */
  #failure: unknown;
  readonly trailers: string[] = [];

  constructor(input: InputBuffer, limits: ProtocolLimits) {
    this.#input = input;
    this.#limits = limits;
    this.#lines = new LineReader(input);
  }

  /** Whether the end was read, trailers included. */
  get isDone(): boolean {
    return this.#phase === "done";
  }

  /** So many of the next bytes are data, and nothing else. */
  get plainBytes(): number {
    return this.#phase === "data" ? this.#chunkLeft : 0;
  }

  /** The next piece, or null: more is needed, or it is done. */
  read(maxBytes: number): Uint8Array | null {
    if (this.#failure !== undefined) throw this.#failure;
    const count = this.#available(maxBytes);
    if (count === 0) return null;
    const isWholeChunk = count === this.#chunkLeft;
    const piece = this.#take(count);
    if (!isWholeChunk || count >= SMALL_BYTES || this.#input.length === 0) return piece;
    return this.#gather(piece, Math.min(maxBytes, GATHERED_BYTES_MAX, count + this.#input.length));
  }

  /** Goes on to the next data; how many bytes of it can be taken. */
  #available(maxBytes: number): number {
    while (this.#phase !== "data") {
      if (this.#phase === "done" || !this.#step()) return 0;
    }
    return Math.min(this.#input.pieceLength, this.#chunkLeft, maxBytes);
  }

  #take(count: number): Uint8Array {
    this.#chunkLeft -= count;
    if (this.#chunkLeft === 0) this.#phase = "data-end";
    return this.#input.take(count);
  }

  /** Small chunks that follow a small one, as one piece. */
  #gather(first: Uint8Array, room: number): Uint8Array {
    const gathered = new Uint8Array(room);
    gathered.set(first);
    let filled = first.length;
    try {
      while (filled < room) {
        const count = this.#available(room - filled);
        if (count === 0 || count >= SMALL_BYTES) break;
        gathered.set(this.#take(count), filled);
        filled += count;
      }
    } catch (error) {
      this.#failure = error;
    }
    return gathered.subarray(0, filled);
  }

  /** Reads something that is not data. False: more is needed. */
  #step(): boolean {
    if (this.#phase === "data-end") return this.#readDataEnd();
    return this.#phase === "size" ? this.#readSize() : this.#readTrailer();
  }

  #readDataEnd(): boolean {
    const { bytes, start, length } = this.#input;
    if (length === 0) return false;
    if (bytes[start] !== CR || (length > 1 && bytes[start + 1] !== LF)) {
      refuse(
        "chunk-end",
        "a chunk's data is not followed by CRLF: it is longer than its size says",
      );
    }
    if (length === 1) return false;
    this.#input.skip(2);
    this.#phase = "size";
    return true;
  }

  #readSize(): boolean {
    if (this.#lines.isAtLineStart && this.#readPlainSize()) return true;
    const extensionsLeft = this.#limits.chunkExtensionBytesMax - this.#extensionBytes;
    const line = this.#lines.next(SIZE_DIGITS_MAX + extensionsLeft + 2, refuseExtensions);
    if (line === null) return false;
    const match = CHUNK_HEAD.exec(line);
    if (match === null) refuseChunkHead(line);
    const [, digits = "", extensions = ""] = match;
    const size = Number.parseInt(digits, 16);
    if (digits.length > SIZE_DIGITS_MAX || size > Number.MAX_SAFE_INTEGER) {
      refuse("chunk-too-large", `a chunk's size is ${quote(digits)}: more than 2^53 - 1`);
    }
    if (extensions.length > extensionsLeft) refuseExtensions();
    this.#extensionBytes += extensions.length;
    this.#enterChunk(size);
    return true;
  }

  /** A size without extensions that came whole: almost all are. False: not that. */
  #readPlainSize(): boolean {
    const { bytes, start, end } = this.#input;
    let size = 0;
    let at = start;
    for (; at < end && at < start + PLAIN_DIGITS_MAX; at++) {
      const digit = HEX_DIGITS[bytes[at] as number] as number;
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (at === start || bytes[at] !== CR || bytes[at + 1] !== LF) return false;
    this.#input.skip(at + 2 - start);
    this.#enterChunk(size);
    return true;
  }

  #enterChunk(size: number): void {
    this.#chunkLeft = size;
    this.#phase = size === 0 ? "trailers" : "data";
  }

  #readTrailer(): boolean {
    const left = this.#limits.trailerBytesMax - this.#trailerBytes;
    // 2: the empty line, which is always left room for. What passes the limit by less is refused at the next line.
    const line = this.#lines.next(left + 2, refuseTrailers);
    if (line === null) return false;
    if (line === "") {
      checkTrailers(this.trailers);
      this.#phase = "done";
      return true;
    }
    this.#trailerBytes += line.length + 2;
    if (this.trailers.length / 2 >= this.#limits.fieldsMax) {
      refuse("too-many-fields", `more than ${this.#limits.fieldsMax} trailers`);
    }
    readFieldLine(line, this.trailers);
    return true;
  }
}

function refuseExtensions(): never {
  refuse("chunk-extensions-too-large", "the extensions of the chunks are longer than the limit");
}

function refuseTrailers(): never {
  refuse("trailers-too-large", "the trailers are longer than the limit");
}

function refuseChunkHead(line: string): never {
  const digits = /^[0-9A-Fa-f]*/.exec(line)?.[0] ?? "";
  if (digits !== "" && /^[; \t]/.test(line.slice(digits.length))) {
    refuse("chunk-extension", `not a chunk's extension: ${quote(line.slice(digits.length))}`);
  }
  refuse("chunk-size", `not a chunk's size: ${quote(line)}`);
}
