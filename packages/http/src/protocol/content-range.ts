/** Which part of a representation a body is: RFC 9110 §14.4. */
export interface ContentRange {
  /** Position of its first byte, and of the one behind its last; `null` where none of what was asked for is there (416). */
  readonly range: { readonly start: number; readonly end: number } | null;
  /** Bytes of the whole; `null` if it is not known. */
  readonly size: number | null;
}

/** Digits of a number at most: with these it is exact. */
const DIGITS = "[0-9]{1,15}";
const CONTENT_RANGE = new RegExp(
  `^bytes (?:(${DIGITS})-(${DIGITS})/(${DIGITS}|\\*)|\\*/(${DIGITS}))$`,
  "i",
);

/**
 * Reads `Content-Range`: `bytes 0-499/1234`, `bytes 0-499/*`, or of a 416 `bytes` and `*` before the slash.
 *
 * @returns `null` if it is anything else: another unit, a part that ends before it begins or behind the end of the whole, or a number of
 *   more than 15 digits. Such a part must not be joined with others.
 *
 * @example
 * ```ts
 * import { parseContentRange } from "@arborio/http/protocol";
 *
 * const part = parseContentRange("bytes 500-999/1234");
 * console.assert(part?.range?.start === 500 && part.range.end === 1000 && part.size === 1234);
 * ```
 */
export function parseContentRange(value: string): ContentRange | null {
  const [whole, first, last, total, unsatisfied] = CONTENT_RANGE.exec(value) ?? [];
  if (whole === undefined) return null;
  if (unsatisfied !== undefined) return { range: null, size: Number(unsatisfied) };
  const start = Number(first);
  const end = Number(last) + 1;
  const size = total === "*" ? null : Number(total);
  if (end <= start || (size !== null && end > size)) return null;
  return { range: { start, end }, size };
}
