/** From so many bytes on, a view of words, which costs as much as many bytes, is quicker than one byte at a time. */
const WORDS_BYTES_MIN = 512;

/**
 * Masks or unmasks bytes in place: the same operation (RFC 6455 §5.3).
 *
 * @param mask four bytes.
 * @param offset how many bytes of the payload came before.
 */
export function applyMask(bytes: Uint8Array, mask: Uint8Array, offset: number = 0): void {
  const { length } = bytes;
  let at = 0;
  if (length >= WORDS_BYTES_MIN) {
    while (((bytes.byteOffset + at) & 3) !== 0) {
      bytes[at] = (bytes[at] as number) ^ (mask[(offset + at) & 3] as number);
      at += 1;
    }
    at = applyWords(bytes, at, mask, offset);
  }
  for (; at < length; at++) {
    bytes[at] = (bytes[at] as number) ^ (mask[(offset + at) & 3] as number);
  }
}

/** @returns where the last whole word ends. */
function applyWords(bytes: Uint8Array, start: number, mask: Uint8Array, offset: number): number {
  const turned = new Uint8Array(4);
  for (let index = 0; index < 4; index++)
    turned[index] = mask[(offset + start + index) & 3] as number;
  // Both are read in the machine's own order.
  const word = new Uint32Array(turned.buffer)[0] as number;
  const count = (bytes.length - start) >>> 2;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + start, count);
  for (let index = 0; index < count; index++) words[index] = (words[index] as number) ^ word;
  return start + count * 4;
}
