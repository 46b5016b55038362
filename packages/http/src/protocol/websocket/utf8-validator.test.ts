import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "./frames.test.kit.ts";
import { Utf8Validator } from "./utf8-validator.ts";

/** Where the first byte that cannot be is, or -1. */
function firstBad(bytes: Uint8Array): number {
  const validator = new Utf8Validator();
  return bytes.findIndex((byte) => !validator.push(Uint8Array.of(byte)));
}

const CASES: readonly (readonly [input: string, bad: number])[] = [
  ["c2 80", -1],
  ["e0 a0 80", -1],
  ["ed 9f bf ee 80 80", -1],
  ["f0 90 80 80 f4 8f bf bf", -1],
  ["80", 0],
  ["bf", 0],
  ["c0 80", 0],
  ["c1 bf", 0],
  ["c2 41", 1],
  ["e0 9f bf", 1],
  ["e2 82 41", 2],
  ["ed a0 80", 1],
  ["f0 8f bf bf", 1],
  ["f4 90 80 80", 1],
  ["f5 80 80 80", 0],
  ["41 ff", 1],
];

for (const [input, bad] of CASES) {
  test(`Utf8Validator: ${input} ${bad < 0 ? "is UTF-8" : `fails at byte ${bad}`}`, () => {
    assert.equal(firstBad(hex(input)), bad);
    assert.equal(new Utf8Validator().push(hex(input)), bad < 0);
  });
}

test("Utf8Validator: a character that is not whole", () => {
  const validator = new Utf8Validator();
  assert.ok(validator.push(hex("f0 9f 98")));
  assert.equal(validator.isWhole, false);
  assert.ok(validator.push(hex("80")) && validator.isWhole);
});
