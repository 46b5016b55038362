import { parseHttpDate } from "./http-date.ts";

/** Above this many digits a number is as good as for ever; below it is exact. */
const DIGITS_MAX = 12;

/**
 * How long `Retry-After` (RFC 9110 §10.2.3) asks to wait.
 *
 * @param nowMs Milliseconds since 1970, against which a date is held: best what the response has as its `Date`, so that clocks that
 *   differ do no harm.
 * @returns Milliseconds, 0 for a date that is past, `Infinity` for a number of more than twelve digits; `null` if it is neither seconds
 *   nor a date.
 *
 * @example
 * ```ts
 * import { parseRetryAfter } from "@arborio/http/protocol";
 *
 * console.assert(parseRetryAfter("120", 0) === 120_000);
 * console.assert(parseRetryAfter("Thu, 01 Jan 1970 00:01:00 GMT", 15_000) === 45_000);
 * console.assert(parseRetryAfter("soon", 0) === null);
 * ```
 */
export function parseRetryAfter(value: string, nowMs: number): number | null {
  if (/^[0-9]+$/.test(value)) return value.length > DIGITS_MAX ? Infinity : Number(value) * 1000;
  const date = parseHttpDate(value);
  return date === null ? null : Math.max(0, date - nowMs);
}
