/**
 * What is taken out of a buffer as a whole: so many bytes, bytes up to a delimiter. A parser decides synchronously; whoever has
 * one waits for bytes and asks again. It takes nothing out before it can take all, so giving up in between loses nothing.
 */
import type { ByteBuffer } from "./byte-buffer.ts";
import { DelimiterNotFoundError, IncompleteReadError } from "./errors.ts";

export interface ByteParser<T> {
  /** Of the stream, for messages: `"receiveUntil"`. */
  readonly operation: string;
  /** How many bytes the buffer needs in all, as far as is known; 0 if nothing is. */
  readonly totalBytes: number;
  /** Takes the result out of the buffer; `undefined` if more bytes are needed. What it throws took nothing. */
  parse(buffer: ByteBuffer): T | undefined;
  /** There will be no more bytes: takes the last result, or throws. Called after `parse` has returned `undefined`. */
  end(buffer: ByteBuffer): T;
}

/** Takes exactly so many bytes. */
export class ExactParser implements ByteParser<Uint8Array> {
  readonly operation = "receiveExactly";
  readonly #streamName: string;
  readonly totalBytes: number;

  constructor(streamName: string, totalBytes: number) {
    this.#streamName = streamName;
    this.totalBytes = totalBytes;
  }

  parse(buffer: ByteBuffer): Uint8Array | undefined {
    return buffer.length < this.totalBytes ? undefined : buffer.take(this.totalBytes);
  }

  end(buffer: ByteBuffer): never {
    throw new IncompleteReadError(
      `${this.#streamName}.receiveExactly: the other side ended after ${countOf(buffer.length)}, needs ${this.totalBytes}; they are still in the buffer`,
      buffer.length,
      this.totalBytes,
    );
  }
}

/** Takes what is before a delimiter, and drops the delimiter. Looks at no byte twice, but at those that may begin a delimiter. */
export class DelimiterParser implements ByteParser<Uint8Array> {
  readonly operation = "receiveUntil";
  readonly totalBytes = 0;
  readonly #streamName: string;
  readonly #delimiter: Uint8Array;
  readonly #maxBytes: number;
  /** No delimiter begins before this place. */
  #from = 0;

  constructor(streamName: string, delimiter: Uint8Array, maxBytes: number) {
    this.#streamName = streamName;
    this.#delimiter = delimiter;
    this.#maxBytes = maxBytes;
  }

  parse(buffer: ByteBuffer): Uint8Array | undefined {
    const delimiter = this.#delimiter;
    for (let at = this.#from; at <= this.#maxBytes; at++) {
      at = buffer.indexOf(delimiter[0] as number, at);
      if (at < 0) at = buffer.length;
      if (at > this.#maxBytes) break;
      const matching = countMatching(buffer, at, delimiter);
      if (matching === delimiter.length) {
        const bytes = buffer.take(at);
        buffer.skip(matching);
        return bytes;
      }
      this.#from = at;
      if (at + matching === buffer.length) return undefined;
    }
    throw new DelimiterNotFoundError(
      `${this.#streamName}.receiveUntil: no delimiter ${describeBytes(delimiter)} after at most ${countOf(this.#maxBytes)}, which is the limit; ` +
        "they are still in the buffer",
      this.#maxBytes,
    );
  }

  end(buffer: ByteBuffer): never {
    throw new IncompleteReadError(
      `${this.#streamName}.receiveUntil: the other side ended after ${countOf(buffer.length)} without the delimiter ${describeBytes(this.#delimiter)}; ` +
        "they are still in the buffer",
      buffer.length,
    );
  }
}

/** How many bytes of `wanted` are in the buffer from `at` on, until one differs or the buffer ends. */
function countMatching(buffer: ByteBuffer, at: number, wanted: Uint8Array): number {
  const count = Math.min(wanted.length, buffer.length - at);
  for (let index = 0; index < count; index++)
    if (buffer.at(at + index) !== wanted[index]) return index;
  return count;
}

/** `"1 byte"`, `"5 bytes"`. */
export function countOf(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

/** For messages: `"\r\n"`, or the numbers of bytes that are no printable ASCII. */
function describeBytes(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, SHOWN_BYTES_MAX);
  const more = bytes.length > SHOWN_BYTES_MAX ? "…" : "";
  const isText = shown.every((byte) => byte < 127 && (byte >= 32 || byte === 10 || byte === 13));
  return isText
    ? JSON.stringify(String.fromCharCode(...shown) + more)
    : `[${shown.join(", ")}${more}]`;
}

/** So many bytes of a delimiter are shown. */
const SHOWN_BYTES_MAX = 16;
