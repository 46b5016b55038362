import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { fingerprintOf, fingerprintsFrom } from "./fingerprints.ts";

const DIGITS = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const COLONS = DIGITS.toUpperCase().replaceAll(/(..)(?!$)/g, "$1:");

test("fingerprintOf: SHA-256 in hexadecimal (FIPS 180-4, the example abc)", async () => {
  await run(() => assert.equal(fingerprintOf(new TextEncoder().encode("abc")), DIGITS));
});

test("fingerprintsFrom: all ways to write them are one", () => {
  const other = "0".repeat(64);
  assert.deepEqual(fingerprintsFrom([DIGITS, COLONS, other, DIGITS.toUpperCase()]), [
    other,
    DIGITS,
  ]);
});

test("fingerprintsFrom: others than SHA-256 are refused, and told why", () => {
  const cases: [unknown, RegExp][] = [
    [["0".repeat(32)], /as long as one of MD5.*needs a SHA-256 digest/],
    [["0".repeat(40)], /as long as one of SHA-1/],
    [[COLONS.slice(0, 59)], /as long as one of SHA-1/],
    [[DIGITS.slice(1)], /needs a SHA-256 digest/],
    [[`${DIGITS}:`], /needs a SHA-256/],
    [[`sha256/${DIGITS}`], /needs a SHA-256/],
    [[`${DIGITS.slice(0, 63)}g`], /needs a SHA-256/],
    [[1], /got number/],
    [DIGITS, /got string, needs an array/],
    [[], /got none/],
  ];
  for (const [given, message] of cases) assert.throws(() => fingerprintsFrom(given), { message });
});
