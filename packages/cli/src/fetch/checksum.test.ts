import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { checksumOf, parseChecksum, parseChecksumList } from "./checksum.ts";

const HEX = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // of "abc"

test("parseChecksum: algorithm and digits, in either case", () => {
  assert.deepEqual(parseChecksum(`sha256:${HEX}`), { algorithm: "sha-256", hex: HEX });
  assert.deepEqual(parseChecksum(`SHA-256:${HEX.toUpperCase()}`), {
    algorithm: "sha-256",
    hex: HEX,
  });
});

for (const text of [
  "",
  HEX,
  "sha256:",
  `sha256:${HEX}0`,
  `sha3:${HEX}`,
  `sha256:${HEX.slice(1)}g`,
  `toString:${HEX}`,
])
  test(`parseChecksum: ${JSON.stringify(text)} is none`, () => {
    assert.throws(() => parseChecksum(text), RangeError);
  });

test("parseChecksumList: as sha256sum prints it", () => {
  const list = parseChecksumList(`# made today\n${HEX}  a b.zip\r\n\n${HEX.slice(0, 40)} *dir/c\n`);
  assert.deepEqual(Object.fromEntries(list), {
    "a b.zip": { algorithm: "sha-256", hex: HEX },
    c: { algorithm: "sha-1", hex: HEX.slice(0, 40) },
  });
  for (const wrong of [`${HEX}`, `${HEX} a`, `${HEX.slice(1)}  a`, "hello"])
    assert.throws(() => parseChecksumList(`${HEX}  a\n${wrong}`), /line 2 is not/);
});

test("checksumOf: of chunks", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const text of ["a", "", "bc"]) yield new TextEncoder().encode(text);
  }
  const sum = await run(() => checksumOf("sha-256", chunks()));
  assert.deepEqual(sum, { algorithm: "sha-256", hex: HEX });
});
