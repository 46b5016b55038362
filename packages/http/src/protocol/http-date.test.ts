import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatHttpDate, parseHttpDate } from "./http-date.ts";

const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

test("parseHttpDate: the three forms of RFC 9110 §5.6.7", () => {
  assert.equal(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), EXAMPLE);
  assert.equal(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), EXAMPLE);
  assert.equal(parseHttpDate("Sun Nov  6 08:49:37 1994"), EXAMPLE);
  assert.equal(parseHttpDate("Sun Nov 16 08:49:37 1994"), EXAMPLE + 10 * 86_400_000);
});

test("parseHttpDate: two digits of a year above 69 are of the last century", () => {
  assert.equal(parseHttpDate("Friday, 01-Jan-70 00:00:00 GMT"), 0);
  assert.equal(parseHttpDate("Tuesday, 01-Jan-69 00:00:00 GMT"), Date.UTC(2069, 0, 1));
});

test("parseHttpDate: leap days and leap seconds", () => {
  assert.equal(parseHttpDate("Thu, 29 Feb 2024 00:00:00 GMT"), Date.UTC(2024, 1, 29));
  assert.equal(parseHttpDate("Thu, 31 Dec 1998 23:59:60 GMT"), Date.UTC(1999, 0, 1));
});

for (const text of [
  "",
  "0",
  "784111777",
  "1994-11-06T08:49:37Z",
  "Sun, 06 Nov 1994 08:49:37",
  "Sun, 06 Nov 1994 08:49:37 UTC",
  "Sun, 06 Nov 1994 08:49:37 GMT ",
  " Sun, 06 Nov 1994 08:49:37 GMT",
  "sun, 06 nov 1994 08:49:37 gmt",
  "Xxx, 06 Nov 1994 08:49:37 GMT",
  "Sun, 06 Xxx 1994 08:49:37 GMT",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "Sun, 00 Nov 1994 08:49:37 GMT",
  "Sun, 31 Nov 1994 08:49:37 GMT",
  "Wed, 29 Feb 2023 08:49:37 GMT",
  "Sun, 99 Nov 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 24:00:00 GMT",
  "Sun, 06 Nov 1994 08:60:37 GMT",
  "Sun, 06 Nov 1994 08:49:61 GMT",
  "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
  "Sun, 06-Nov-94 08:49:37 GMT",
  "Sunday, 06-Nov-1994 08:49:37 GMT",
  "Sun Nov 06 08:49:37 94",
]) {
  test(`parseHttpDate: ${JSON.stringify(text)} is no date`, () => {
    assert.equal(parseHttpDate(text), null);
  });
}

test("formatHttpDate: as Date writes it, and read back, for all years from 0 to 9999", () => {
  const first = Date.UTC(0, 0, 1) - (Date.UTC(1900, 0, 1) - Date.parse("0000-01-01T00:00:00Z"));
  const ms = fc.integer({ min: first, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) });
  const property = fc.property(ms, (time) => {
    const text = formatHttpDate(time);
    assert.equal(text, new Date(time).toUTCString());
    assert.equal(parseHttpDate(text), Math.floor(time / 1000) * 1000);
  });
  fc.assert(property, { numRuns: 1000 });
  assert.equal(formatHttpDate(EXAMPLE + 999), "Sun, 06 Nov 1994 08:49:37 GMT");
});

test("formatHttpDate: other years are refused", () => {
  for (const ms of [Date.UTC(10_000, 0, 1), -62_167_219_200_001, Number.NaN, Infinity]) {
    assert.throws(() => formatHttpDate(ms), RangeError);
  }
});
