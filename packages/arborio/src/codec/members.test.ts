/** Members of gzip and frames of zstd, one after the other, from strangers. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import {
  CompressionError,
  type CompressionFormat,
  compressNowait,
  createDecompressor,
  decompressNowait,
  type DecompressorOptions,
} from "../lowlevel.ts";
import { onEveryBackend } from "../testing.ts";

const test = onEveryBackend(nodeTest);

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function decompress(
  format: CompressionFormat,
  chunks: readonly Uint8Array[],
  options: DecompressorOptions = {},
): Promise<string> {
  using decompressor = createDecompressor(format, options);
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) pieces.push(...(await decompressor.transform(chunk)));
  pieces.push(...(await decompressor.finish()));
  return Buffer.concat(pieces).toString();
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof CompressionError && error.reason === "too-large";

for (const format of ["gzip", "zstd"] as const) {
  test(`${format}: maxMembers limits how many follow one another, since the last reset; empty ones too`, async () => {
    const empty = compressNowait(format, new Uint8Array(0));
    const three = new Uint8Array(
      Buffer.concat([empty, compressNowait(format, encode("x")), empty]),
    );
    assert.equal(await decompress(format, [three], { maxMembers: 3 }), "x");
    assert.equal(await decompress(format, [three]), "x");
    await assert.rejects(decompress(format, [three], { maxMembers: 2 }), isTooLarge);
    const bytewise = Array.from(three, (byte) => Uint8Array.of(byte));
    await assert.rejects(decompress(format, bytewise, { maxMembers: 2 }), isTooLarge);
    assert.equal(decompressNowait(format, three, { maxMembers: 3 }).length, 1);
    assert.throws(() => decompressNowait(format, three, { maxMembers: 2 }), isTooLarge);
    using decompressor = createDecompressor(format, { maxMembers: 3 });
    for (let round = 0; round < 3; round++) {
      await decompressor.finish(three);
      decompressor.reset();
    }
    assert.throws(() => createDecompressor(format, { maxMembers: 0 }), RangeError);
  });
}
