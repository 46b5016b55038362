import { CR, latin1, LF } from "./characters.ts";
import type { InputBuffer } from "./input-buffer.ts";
import { refuse } from "./rules.ts";

/**
 * Lines of the input, each ending in CRLF. Remembers how far it has looked, so that a line costs the same in one piece and byte by byte.
 */
export class LineReader {
  readonly #input: InputBuffer;
  /** Bytes from the start of the input that have no LF. */
  #searched = 0;

  constructor(input: InputBuffer) {
    this.#input = input;
  }

  /** Whether nothing of the next line was looked at. */
  get isAtLineStart(): boolean {
    return this.#searched === 0;
  }

  /**
   * The next line without its end, or null if it has not come whole.
   *
   * @param bytesMax How long it may be with its end.
   * @param onTooLong Refuses what is longer, also if its end has not come.
   */
  next(bytesMax: number, onTooLong: () => never): string | null {
    const { bytes, start, end } = this.#input;
    const at = indexOfLf(bytes, start + this.#searched, end);
    if (at < 0) {
      this.#searched = end - start;
      if (this.#searched >= bytesMax) onTooLong();
      return null;
    }
    if (at + 1 - start > bytesMax) onTooLong();
    if (at === start || bytes[at - 1] !== CR) refuse("bare-lf", "a line ends in LF without CR");
    const line = latin1(bytes, start, at - 1);
    this.#searched = 0;
    this.#input.skip(at + 1 - start);
    return line;
  }
}

/** Bytes below which a loop finds it sooner than a view and a call. */
const LOOP_BYTES_MAX = 16;

function indexOfLf(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > LOOP_BYTES_MAX) {
    const found = bytes.subarray(start, end).indexOf(LF);
    return found < 0 ? -1 : start + found;
  }
  for (let at = start; at < end; at++) {
    if (bytes[at] === LF) return at;
  }
  return -1;
}
