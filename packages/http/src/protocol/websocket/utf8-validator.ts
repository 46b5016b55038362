/**
 * Tells whether bytes are UTF-8 (RFC 3629) as they come, and says no at the first byte that cannot be part of it, not at the end of
 * the character. Text in WebSockets is checked so (RFC 6455 §8.1).
 *
 * @example Half a character
 * ```ts
 * import { Utf8Validator } from "@arborio/http/protocol";
 *
 * const validator = new Utf8Validator();
 * console.assert(validator.push(Uint8Array.of(0xc3)) && !validator.isWhole);
 * console.assert(validator.push(Uint8Array.of(0xa9)) && validator.isWhole);
 * console.assert(!validator.push(Uint8Array.of(0xff)));
 * ```
 */
export class Utf8Validator {
  /** Bytes that the character needs still. */
  #needed = 0;
  /** What the next of them may be. */
  #low = 0x80;
  #high = 0xbf;

  /** Whether what came does not end inside a character. */
  get isWhole(): boolean {
    return this.#needed === 0;
  }

  /**
   * Takes the next bytes.
   *
   * @returns whether all of them can be part of UTF-8. After a `false` it knows no more.
   */
  push(bytes: Uint8Array): boolean {
    const { length } = bytes;
    let at = 0;
    while (at < length) {
      const byte = bytes[at++] as number;
      if (this.#needed === 0) {
        if (byte >= 0x80 && !this.#begin(byte)) return false;
      } else {
        if (byte < this.#low || byte > this.#high) return false;
        this.#needed -= 1;
        this.#low = 0x80;
        this.#high = 0xbf;
      }
    }
    return true;
  }

  /** The first byte of a character that has more: Table 3-7 of the Unicode standard. */
  #begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    // Longer than need be; surrogates; beyond U+10FFFF.
    if (byte === 0xe0) this.#low = 0xa0;
    else if (byte === 0xed) this.#high = 0x9f;
    else if (byte === 0xf0) this.#low = 0x90;
    else if (byte === 0xf4) this.#high = 0x8f;
    return true;
  }
}
