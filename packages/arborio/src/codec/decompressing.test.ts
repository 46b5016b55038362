/** Decompressing what is damaged, truncated, followed by something, or much larger than it looks: the same on every runtime. */
import assert from "node:assert/strict";
import process from "node:process";
import { test as nodeTest } from "node:test";
import * as zlib from "node:zlib";
import { BrokenResourceError, InvalidStateError, NotSupportedError, run, sleep } from "../index.ts";
import {
  CompressionError,
  type CompressionFailure,
  type CompressionFormat,
  compressNowait,
  createDecompressor,
  decompressNowait,
  type DecompressorOptions,
} from "../lowlevel.ts";
import { onEveryBackend } from "../testing.ts";

const test = onEveryBackend(nodeTest);

const FORMATS: readonly CompressionFormat[] = ["gzip", "deflate", "deflate-raw", "br", "zstd"];

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const concat = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));
const TEXT = "to be or not to be, that is the question: whether 'tis nobler in the mind";

/** All output of these chunks, however they are read. */
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

/** Deno cannot do this one; see `backends/deno/compression.ts`. */
const hasAtOnce = (format: CompressionFormat): boolean =>
  format !== "br" || process.versions["deno"] === undefined;

/** What comes of it at once: text, or the reason why not. */
function atOnce(
  format: CompressionFormat,
  bytes: Uint8Array,
  options: DecompressorOptions = {},
): string {
  try {
    return Buffer.from(decompressNowait(format, bytes, options)).toString();
  } catch (error) {
    assert.ok(error instanceof CompressionError, String(error));
    return error.reason;
  }
}

/** That the same comes of it at once. */
function assertAtOnce(
  format: CompressionFormat,
  bytes: Uint8Array,
  expected: string,
  options: DecompressorOptions = {},
): void {
  if (hasAtOnce(format)) assert.equal(atOnce(format, bytes, options), expected);
  else assert.throws(() => decompressNowait(format, bytes, options), NotSupportedError);
}

async function outcome(
  format: CompressionFormat,
  chunks: readonly Uint8Array[],
  options: DecompressorOptions = {},
): Promise<string> {
  try {
    return await decompress(format, chunks, options);
  } catch (error) {
    assert.ok(error instanceof CompressionError, String(error));
    return error.reason;
  }
}

const is =
  (reason: CompressionFailure) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CompressionError, String(error));
    assert.equal(error.reason, reason);
    return true;
  };

for (const format of FORMATS) {
  const whole = compressNowait(format, encode(TEXT));
  const garbage = encode("garbage");

  test(`${format}: cut short anywhere, it is truncated`, async () => {
    for (let length = 0; length < whole.length; length++) {
      const part = whole.subarray(0, length);
      assert.equal(
        await outcome(format, [part]),
        "truncated",
        `${length} of ${whole.length} bytes`,
      );
      assertAtOnce(format, part, "truncated");
    }
  });

  test(`${format}: what follows the end is an error, or passed over`, async () => {
    const all = concat(whole, garbage);
    for (const chunks of [
      [all],
      [whole, garbage],
      [...all].map((byte) => Uint8Array.of(byte)),
      [all.subarray(0, whole.length - 2), all.subarray(whole.length - 2)],
      [all.subarray(0, -1), all.subarray(-1)],
    ]) {
      assert.equal(await outcome(format, chunks), "trailing");
      assert.equal(await outcome(format, chunks, { ignoreTrailing: true }), TEXT);
    }
    assertAtOnce(format, all, "trailing");
    assertAtOnce(format, all, TEXT, { ignoreTrailing: true });
    using decompressor = createDecompressor(format, { ignoreTrailing: true });
    await decompressor.transform(all);
    assert.equal(decompressor.ended, true);
  });

  test(`${format}: a wrong bit anywhere is an error or other text, never anything else`, async () => {
    const seen = new Set<string>();
    for (let bit = 0; bit < whole.length * 8; bit += 3) {
      const damaged = whole.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      seen.add(await outcome(format, [damaged]));
      if (hasAtOnce(format)) atOnce(format, damaged);
    }
    assert.ok(seen.has("corrupt"), [...seen].join());
    // These have a checksum; gzip's header has none, and neither has zstd as it is made here.
    if (format === "deflate" || format === "gzip") {
      const wrong = [...seen].filter((text) => text.length > 10 && text !== TEXT);
      assert.deepEqual(wrong, []);
    }
  });

  test(`${format}: what is not compressed at all is corrupt`, async () => {
    for (const text of ["this is not compressed at all", "<!doctype html><html>"]) {
      assert.equal(await outcome(format, [encode(text)]), "corrupt");
      assertAtOnce(format, encode(text), "corrupt");
    }
  });

  test(`${format}: after a failure the decompressor is broken`, async () => {
    using decompressor = createDecompressor(format);
    await assert.rejects(decompressor.finish(whole.subarray(0, 5)), is("truncated"));
    await assert.rejects(decompressor.transform(whole), BrokenResourceError);
    await assert.rejects(decompressor.read(), BrokenResourceError);
    assert.throws(() => decompressor.write(whole), BrokenResourceError);
    assert.throws(() => decompressor.reset(), BrokenResourceError);
  });

  test(`${format}: a bomb is read piece by piece, or refused`, async () => {
    const bomb = compressNowait(format, new Uint8Array(20_000_000), { level: 1 });
    using decompressor = createDecompressor(format);
    decompressor.write(bomb);
    let bytes = 0;
    while (bytes < 1_000_000) {
      const piece = (await decompressor.read()) as Uint8Array;
      assert.ok(piece.length > 0 && piece.length <= 65_536);
      bytes += piece.length;
    }
    decompressor.close();
    const [all, limited, exact] = [
      createDecompressor(format),
      createDecompressor(format, { maxOutputBytes: 999_999 }),
      createDecompressor(format, { maxOutputBytes: 20_000_000 }),
    ];
    await assert.rejects(all.transform(bomb), is("too-large"));
    await assert.rejects(limited.transform(bomb), is("too-large"));
    await assert.rejects(limited.transform(bomb), BrokenResourceError);
    exact.write(bomb);
    let read = 0;
    for (let piece = await exact.read(); piece !== undefined; piece = await exact.read())
      read += piece.length;
    exact.end();
    assert.equal(await exact.read(), undefined);
    assert.equal(read, 20_000_000);
    if (!hasAtOnce(format)) {
      assert.throws(() => decompressNowait(format, bomb), NotSupportedError);
      return;
    }
    assert.throws(() => decompressNowait(format, bomb), is("too-large"));
    assert.throws(() => decompressNowait(format, bomb, { maxOutputBytes: 1000 }), is("too-large"));
    const small = compressNowait(format, new Uint8Array(1000));
    assert.throws(() => decompressNowait(format, small, { maxOutputBytes: 999 }), is("too-large"));
    assert.equal(decompressNowait(format, small, { maxOutputBytes: 1000 }).length, 1000);
    assert.throws(() => decompressNowait(format, small, { maxOutputBytes: 0 }), is("too-large"));
  });
}

nodeTest("br: at once it works exactly where the runtime tells of errors", () => {
  const accepts = (): unknown => zlib.brotliDecompressSync(Buffer.from("not compressed at all"));
  if (hasAtOnce("br")) assert.throws(accepts);
  else assert.doesNotThrow(accepts, "Deno tells of errors now: it can have decompressNowait");
});

nodeTest("Decompressor: makes little output ahead of who reads it", async () => {
  await run(async () => {
    const member = compressNowait("gzip", new Uint8Array(10_000_000), { level: 1 });
    const bomb = concat(...Array.from({ length: 30 }, () => member));
    using decompressor = createDecompressor("gzip");
    decompressor.write(bomb);
    await decompressor.read();
    const before = process.memoryUsage().arrayBuffers;
    await sleep(300);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 2_000_000, `grown by ${grown} bytes`);
  });
});

test("Decompressor: maxOutputBytes counts from the last reset, and 0 allows nothing", async () => {
  const compressed = compressNowait("deflate", new Uint8Array(600));
  using decompressor = createDecompressor("deflate", { maxOutputBytes: 1000 });
  await decompressor.finish(compressed);
  decompressor.reset();
  await decompressor.finish(compressed);
  const one = compressNowait("deflate", new Uint8Array(1));
  assert.throws(() => decompressNowait("deflate", one, { maxOutputBytes: 0 }), is("too-large"));
  using none = createDecompressor("deflate", { maxOutputBytes: 0 });
  none.write(one);
  await assert.rejects(none.read(), is("too-large"));
  await assert.rejects(none.read(), BrokenResourceError);
});

test("Decompressor: write and read take turns, and are told so", async () => {
  const compressed = compressNowait("deflate-raw", encode(TEXT), { level: 0 });
  using decompressor = createDecompressor("deflate-raw");
  assert.equal(await decompressor.read(), undefined);
  decompressor.write(compressed.subarray(0, 20));
  assert.throws(() => decompressor.write(compressed), InvalidStateError);
  assert.throws(() => decompressor.end(), InvalidStateError);
  assert.throws(() => decompressor.reset(), InvalidStateError);
  await assert.rejects(decompressor.transform(compressed), InvalidStateError);
  let text = "";
  for (
    let piece = await decompressor.read();
    piece !== undefined;
    piece = await decompressor.read()
  )
    text += Buffer.from(piece).toString();
  assert.equal(text, TEXT.slice(0, 15));
  // What follows is only whether that was all: nothing is made up to find out.
  decompressor.end();
  assert.throws(() => decompressor.write(compressed), InvalidStateError);
  await assert.rejects(decompressor.read(), is("truncated"));
});

test("gzip: a member behind trailing bytes is trailing too", async () => {
  const member = compressNowait("gzip", encode(TEXT));
  const options = { ignoreTrailing: true };
  assert.equal(await outcome("gzip", [member, encode("x"), member], options), TEXT);
  assert.equal(
    await outcome("gzip", [member, Uint8Array.of(31), encode("x"), member], options),
    TEXT,
  );
  assert.equal(atOnce("gzip", concat(member, encode("x"), member), options), TEXT);
});

test("gzip: members one after the other are one stream, wherever the chunks end", async () => {
  const members = concat(
    compressNowait("gzip", encode("one ")),
    compressNowait("gzip", new Uint8Array(0)),
    compressNowait("gzip", encode("two ")),
    new Uint8Array(5),
    compressNowait("gzip", encode("three")),
    new Uint8Array(512),
  );
  for (let at = 0; at < members.length - 512; at++)
    assert.equal(
      await decompress("gzip", [members.subarray(0, at), members.subarray(at)]),
      "one two three",
    );
  assert.equal(
    await decompress(
      "gzip",
      [...members].map((byte) => Uint8Array.of(byte)),
    ),
    "one two three",
  );
  assert.equal(atOnce("gzip", members), "one two three");
  const cut = members.subarray(0, members.length - 515);
  assert.equal(await outcome("gzip", [cut]), "truncated");
  assert.equal(atOnce("gzip", cut), "truncated");
});

test("gzip: headers with everything in them are read, endless ones refused", async () => {
  const plain = compressNowait("gzip", encode(TEXT));
  const fixed = (flags: number): Uint8Array => Uint8Array.of(31, 139, 8, flags, 1, 2, 3, 4, 0, 255);
  const rest = plain.subarray(10);
  const extra = concat(Uint8Array.of(3, 0), encode("abc"));
  for (const header of [
    fixed(0),
    concat(fixed(1), new Uint8Array(0)),
    concat(fixed(2), Uint8Array.of(1, 2)),
    concat(fixed(4), extra),
    concat(fixed(4), Uint8Array.of(0, 0)),
    concat(fixed(8), encode("name\0")),
    concat(fixed(8), encode("\0")),
    concat(fixed(16), encode("comment\0")),
    concat(fixed(2 + 4 + 8 + 16), extra, encode("name\0comment\0"), Uint8Array.of(1, 2)),
  ]) {
    const member = concat(header, rest);
    assert.equal(await outcome("gzip", [member]), TEXT);
    assert.equal(
      await outcome(
        "gzip",
        [...member].map((byte) => Uint8Array.of(byte)),
      ),
      TEXT,
    );
    assert.equal(atOnce("gzip", member), TEXT);
  }
  for (const wrong of [
    concat(fixed(32), rest),
    concat(fixed(8), new Uint8Array(100_000).fill(97)),
    concat(Uint8Array.of(31, 139, 7), plain.subarray(3)),
    concat(plain.subarray(0, -8), Uint8Array.of(0, 0, 0, 0), plain.subarray(-4)),
    concat(plain.subarray(0, -4), Uint8Array.of(0, 0, 0, 0)),
  ]) {
    assert.equal(await outcome("gzip", [wrong]), "corrupt");
    assert.equal(atOnce("gzip", wrong), "corrupt");
  }
});

test("zstd: frames one after the other are one stream, those to be skipped are, wherever the chunks end", async () => {
  const skipped = concat(Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0), encode("abc"));
  const checked = zlib.zstdCompressSync(encode("two "), {
    params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 },
  });
  const unsized = zlib.zstdCompressSync(Buffer.alloc(300_000, "abc"), {
    params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 },
  });
  const frames = concat(
    compressNowait("zstd", encode("one ")),
    skipped,
    checked,
    compressNowait("zstd", new Uint8Array(0)),
  );
  for (let at = 0; at < frames.length; at++)
    assert.equal(
      await decompress("zstd", [frames.subarray(0, at), frames.subarray(at)]),
      "one two ",
    );
  assert.equal(
    await decompress(
      "zstd",
      [...frames].map((byte) => Uint8Array.of(byte)),
    ),
    "one two ",
  );
  assert.equal(atOnce("zstd", frames), "one two ");
  assert.equal(atOnce("zstd", frames.subarray(0, -1)), "truncated");
  assert.equal((await decompress("zstd", [unsized, unsized])).length, 600_000);
  assert.equal(atOnce("zstd", concat(unsized, unsized)).length, 600_000);
  const random = Uint8Array.from(
    { length: 400_000 },
    (_, index) => Math.imul(index, 2_654_435_761) >>> 13,
  );
  for (const bytes of [
    random,
    new Uint8Array(400_000),
    concat(random, new Uint8Array(400_000), random),
  ]) {
    const compressed = compressNowait("zstd", bytes);
    assert.ok(Buffer.from(decompressNowait("zstd", compressed)).equals(bytes));
  }
});

test("zstd: a window larger than RFC 9659 allows is refused", async () => {
  const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x70, 0x21, 0, 0, 0x61, 0x62, 0x63, 0x64);
  assert.equal(await outcome("zstd", [frame]), "corrupt");
  assert.equal(atOnce("zstd", frame), "corrupt");
  const allowed = concat(frame.subarray(0, 5), Uint8Array.of(0x68), frame.subarray(6));
  assert.equal(await outcome("zstd", [allowed]), "abcd");
  assert.equal(atOnce("zstd", allowed), "abcd");
});

test("deflate-raw: a message of a WebSocket that ends its stream is told, and the next begins anew (RFC 7692, 7.2.3.4)", async () => {
  using decompressor = createDecompressor("deflate-raw", { ignoreTrailing: true });
  const final = concat(
    Uint8Array.of(0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00),
    Uint8Array.of(0, 0, 255, 255),
  );
  for (let round = 0; round < 3; round++) {
    assert.equal(Buffer.concat(await decompressor.transform(final)).toString(), "Hello");
    assert.equal(decompressor.ended, true);
    decompressor.reset();
    assert.equal(decompressor.ended, false);
  }
  const shared = Uint8Array.of(0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 255, 255);
  const again = Uint8Array.of(0xf2, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 255, 255);
  for (const message of [shared, again])
    assert.equal(Buffer.concat(await decompressor.transform(message)).toString(), "Hello");
  assert.equal(decompressor.ended, false);
});
