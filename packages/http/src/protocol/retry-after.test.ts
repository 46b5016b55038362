import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRetryAfter } from "./retry-after.ts";

test("parseRetryAfter: seconds or a date, as milliseconds from now", () => {
  const now = Date.UTC(1999, 11, 31, 23, 59, 0);
  const table: readonly (readonly [string, number | null])[] = [
    ["0", 0],
    ["120", 120_000],
    ["007", 7000],
    ["999999999999", 999_999_999_999_000],
    ["1000000000000", Infinity],
    ["9".repeat(400), Infinity],
    ["Fri, 31 Dec 1999 23:59:59 GMT", 59_000],
    ["Fri, 31 Dec 1999 23:59:00 GMT", 0],
    ["Fri, 31 Dec 1999 23:58:59 GMT", 0],
    ["Friday, 31-Dec-99 23:59:59 GMT", 59_000],
    ["", null],
    ["-1", null],
    ["+1", null],
    ["1.5", null],
    ["1e3", null],
    ["0x10", null],
    [" 1", null],
    ["1, 2", null],
    ["١", null],
    ["1999-12-31T23:59:59Z", null],
    ["Fri, 31 Dec 1999 23:59:59", null],
  ];
  for (const [value, expected] of table) assert.equal(parseRetryAfter(value, now), expected, value);
});
