import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseContentRange } from "./content-range.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# content-range: seed ${seed}`);

test("parseContentRange: parts, of wholes known and unknown, and of none", () => {
  const table: readonly (readonly [string, ReturnType<typeof parseContentRange>])[] = [
    ["bytes 0-499/1234", { range: { start: 0, end: 500 }, size: 1234 }],
    ["bytes 734-1233/1234", { range: { start: 734, end: 1234 }, size: 1234 }],
    ["Bytes 0-0/*", { range: { start: 0, end: 1 }, size: null }],
    ["bytes */1234", { range: null, size: 1234 }],
    ["bytes */0", { range: null, size: 0 }],
  ];
  for (const [value, expected] of table)
    assert.deepEqual(parseContentRange(value), expected, value);
  for (const value of [
    "",
    "bytes",
    "bytes 0-499",
    "bytes=0-499/1234",
    "bytes  0-499/1234",
    "bytes 5-4/10",
    "bytes 0-10/10",
    "bytes 0-1234/1234",
    "bytes */*",
    "bytes -5/10",
    "bytes 5-/10",
    "bytes 0-1/10 ",
    "bytes 0-1/10, 3-4/10",
    "bytes +0-1/10",
    "bytes 0x0-1/10",
    "bytes ٠-1/10",
    "lines 0-1/10",
    "bytes 0-1000000000000000/*",
  ]) {
    assert.equal(parseContentRange(value), null, value);
  }
});

test("parseContentRange: what is written is read as it was meant", () => {
  const number = fc.integer({ min: 0, max: 2 ** 48 });
  const property = fc.property(number, number, fc.option(number), (start, length, more) => {
    const size = more === null ? null : start + length + 1 + more;
    const value = `bytes ${start}-${start + length}/${size ?? "*"}`;
    assert.deepEqual(parseContentRange(value), { range: { start, end: start + length + 1 }, size });
  });
  fc.assert(property, { seed, numRuns: 300 });
});
