/** Compression of the host, forth and back. Damaged and hostile input is in `decompressing.test.ts`. */
import assert from "node:assert/strict";
import process from "node:process";
import { test as nodeTest } from "node:test";
import * as zlib from "node:zlib";
import {
  BrokenResourceError,
  BusyResourceError,
  checkpoint,
  ClosedResourceError,
  InvalidStateError,
  NotSupportedError,
  run,
  taskGroup,
} from "../index.ts";
import {
  type Backend,
  compressNowait,
  type CompressionFormat,
  createCompressor,
  createDecompressor,
  decompressNowait,
} from "../lowlevel.ts";
import { hostBackend } from "../platform/host.ts";
import { simulator } from "../sim.ts";
import { assertCheckpoints, cancelEverywhere, onEveryBackend } from "../testing.ts";

const test = onEveryBackend(nodeTest);

const FORMATS = hostBackend.compression?.formats ?? [];
const LEVELS: Readonly<Record<CompressionFormat, readonly [number, number]>> = {
  gzip: [0, 9],
  deflate: [0, 9],
  "deflate-raw": [0, 9],
  br: [0, 11],
  zstd: [1, 19],
};
const WITH_WINDOW: readonly CompressionFormat[] = ["deflate", "deflate-raw"];

/** Deno cannot do this one; see `backends/deno/compression.ts`. */
const hasAtOnce = (format: CompressionFormat): boolean =>
  format !== "br" || process.versions["deno"] === undefined;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString();

/** Bytes that compress to about a half. */
function someBytes(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) & 15;
  });
}

async function decompress(
  format: CompressionFormat,
  chunks: readonly Uint8Array[],
): Promise<Uint8Array> {
  using decompressor = createDecompressor(format);
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) pieces.push(...(await decompressor.transform(chunk)));
  pieces.push(...(await decompressor.finish()));
  return new Uint8Array(Buffer.concat(pieces));
}

const nativeDecompress: Readonly<Record<CompressionFormat, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  "deflate-raw": zlib.inflateRawSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
};

nodeTest("compression: this runtime has every format", () => {
  assert.deepEqual(FORMATS, ["gzip", "deflate", "deflate-raw", "br", "zstd"]);
});

for (const format of FORMATS) {
  test(`${format}: what was compressed in chunks comes back, in chunks of any size`, async () => {
    const bytes = someBytes(300_000);
    using compressor = createCompressor(format);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 70_001)
      pieces.push(...(await compressor.transform(bytes.subarray(at, at + 70_001))));
    pieces.push(...(await compressor.finish()));
    const compressed = Buffer.concat(pieces);
    assert.ok(compressed.length < bytes.length * 0.7);
    assert.ok(Buffer.from(bytes).equals(nativeDecompress[format](compressed)));
    assert.ok(pieces.every((piece) => piece.length > 0 && piece.length <= 65_536));
    for (const size of [compressed.length, 50_000, 1009]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < compressed.length; at += size)
        chunks.push(compressed.subarray(at, at + size));
      assert.ok(Buffer.from(bytes).equals(await decompress(format, chunks)), `chunks of ${size}`);
    }
  });

  test(`${format}: after a flush everything so far can be decompressed`, async () => {
    using compressor = createCompressor(format);
    using decompressor = createDecompressor(format);
    const through = async (pieces: readonly Uint8Array[]): Promise<string> => {
      const all = await decompressor.transform(Buffer.concat(pieces));
      return decode(all);
    };
    assert.equal(
      await through(await compressor.transform(encode("one "), { flush: true })),
      "one ",
    );
    assert.equal(
      await through(await compressor.transform(encode("two "), { flush: true })),
      "two ",
    );
    const held = await compressor.transform(encode("three "));
    assert.equal(await through([...held, ...(await compressor.flush())]), "three ");
    assert.equal(decode(await compressor.transform(new Uint8Array(0))), "");
    assert.equal(await through(await compressor.finish(encode("four"))), "four");
    assert.deepEqual(await decompressor.finish(), []);
    assert.equal(decompressor.ended, WITH_WINDOW.includes(format) || format === "br");
  });

  test(`${format}: a flush comes also after chunks that were not flushed, and with none`, async () => {
    using compressor = createCompressor(format);
    const pieces = await compressor.transform(encode("held back, "));
    pieces.push(...(await compressor.transform(encode("flushed"), { flush: true })));
    using decompressor = createDecompressor(format);
    assert.equal(decode(await decompressor.transform(Buffer.concat(pieces))), "held back, flushed");
    const more = await compressor.flush();
    assert.equal(decode(await decompressor.transform(Buffer.concat(more))), "");
  });

  test(`${format}: the empty message is one`, async () => {
    using compressor = createCompressor(format);
    const compressed = await compressor.finish();
    assert.equal((await decompress(format, compressed)).length, 0);
    assert.equal((await decompress(format, [compressNowait(format, new Uint8Array(0))])).length, 0);
    if (hasAtOnce(format))
      assert.equal(decompressNowait(format, compressNowait(format, new Uint8Array(0))).length, 0);
  });

  test(`${format}: reset begins anew, in the middle and after the end`, async () => {
    using compressor = createCompressor(format);
    using decompressor = createDecompressor(format);
    const first = Buffer.concat(await compressor.finish(encode("a message, a message")));
    compressor.reset();
    await compressor.transform(encode("given up"));
    compressor.reset();
    await compressor.transform(encode("given up too"), { flush: true });
    compressor.reset();
    const again = Buffer.concat(await compressor.finish(encode("a message, a message")));
    assert.ok(first.equals(again));
    for (let round = 0; round < 2; round++) {
      assert.equal(decode(await decompressor.finish(first)), "a message, a message");
      decompressor.reset();
      await decompressor.transform(first.subarray(0, 12));
      decompressor.reset();
    }
    assert.equal(decode(await decompressor.finish(again)), "a message, a message");
  });

  test(`${format}: a whole message at once is the same as in chunks`, async () => {
    const bytes = someBytes(5000);
    const compressed = compressNowait(format, bytes);
    assert.deepEqual(await decompress(format, [compressed]), bytes);
    using compressor = createCompressor(format);
    const streamed = Buffer.concat(await compressor.finish(bytes));
    const flushed = compressNowait(format, bytes, { ending: "flush" });
    using decompressor = createDecompressor(format);
    assert.ok(Buffer.from(bytes).equals(Buffer.concat(await decompressor.transform(flushed))));
    if (!hasAtOnce(format)) {
      assert.throws(() => decompressNowait(format, streamed), NotSupportedError);
      return;
    }
    assert.deepEqual(decompressNowait(format, streamed), bytes);
    assert.deepEqual(decompressNowait(format, flushed, { ending: "flush" }), bytes);
  });

  test(`${format}: higher levels make it smaller, and what is no level is an error`, async () => {
    const [min, max] = LEVELS[format];
    const words = "task group scope cancel shield deadline channel event lock limit".split(" ");
    const bytes = encode([...someBytes(20_000)].map((word) => words[word % 10]).join(" "));
    const sizes = [min, max].map((level) => compressNowait(format, bytes, { level }).length);
    assert.ok((sizes[1] as number) < (sizes[0] as number), sizes.join());
    using compressor = createCompressor(format, { level: max });
    const streamed = Buffer.concat(await compressor.finish(bytes)).length;
    assert.ok(Math.abs(streamed / (sizes[1] as number) - 1) < 0.01, `${streamed}, ${sizes.join()}`);
    for (const level of [min - 1, max + 1, 1.5, Number.NaN])
      for (const make of [
        createCompressor,
        (one: CompressionFormat, options: object) => compressNowait(one, bytes, options),
      ])
        assert.throws(() => make(format, { level }), RangeError);
    assert.throws(() => createCompressor(format, { level: "9" as never }), TypeError);
  });
}

test("deflate-raw: messages share their context, and with a small window they reach less far back", async () => {
  using compressor = createCompressor("deflate-raw", { windowBits: 9 });
  using decompressor = createDecompressor("deflate-raw", { windowBits: 9 });
  const message = someBytes(100);
  const sizes: number[] = [];
  for (let round = 0; round < 3; round++) {
    const compressed = Buffer.concat(await compressor.transform(message, { flush: true }));
    assert.deepEqual([...compressed.subarray(-4)], [0, 0, 255, 255]);
    sizes.push(compressed.length);
    assert.deepEqual(Buffer.concat(await decompressor.transform(compressed)), Buffer.from(message));
  }
  assert.ok((sizes[1] as number) < (sizes[0] as number) / 4, sizes.join());
  compressor.reset();
  const alone = await compressor.transform(message, { flush: true });
  assert.equal(Buffer.concat(alone).length, sizes[0]);
  const far = someBytes(3000);
  const twice = Buffer.concat([far, far]);
  const small = compressNowait("deflate-raw", twice, { windowBits: 9 }).length;
  assert.ok(small > compressNowait("deflate-raw", twice, { windowBits: 15 }).length * 1.5);
});

test("compression: what is wrong with arguments is said, and nothing else is thrown", async () => {
  assert.throws(
    () => createCompressor("lzma" as never),
    /createCompressor: got "lzma", needs one of/,
  );
  assert.throws(() => createDecompressor(undefined as never), RangeError);
  assert.throws(() => compressNowait("gzip", "text" as never), TypeError);
  assert.throws(() => decompressNowait("gzip", [1] as never), TypeError);
  assert.throws(
    () => compressNowait("gzip", new Uint8Array(1), { ending: "end" as never }),
    RangeError,
  );
  for (const windowBits of [7, 8, 16, 9.5])
    assert.throws(() => createCompressor("deflate-raw", { windowBits }), RangeError);
  createDecompressor("deflate-raw", { windowBits: 8 }).close();
  assert.throws(() => createDecompressor("deflate", { windowBits: 16 }), RangeError);
  assert.throws(
    () => createDecompressor("gzip", { windowBits: 15 }),
    /gzip has none, leave it out/,
  );
  assert.throws(() => createDecompressor("gzip", { maxOutputBytes: -1 }), RangeError);
  assert.throws(() => createDecompressor("gzip", { ignoreTrailing: 1 as never }), TypeError);
  using compressor = createCompressor("gzip");
  await assert.rejects(compressor.transform("text" as never), TypeError);
  assert.ok(Buffer.concat(await compressor.finish(encode("still works"))).length > 0);
  await assert.rejects(compressor.transform(encode("late")), InvalidStateError);
  await assert.rejects(compressor.finish(), InvalidStateError);
});

test("Compressor, Decompressor: every operation is a checkpoint, and one runs at a time", async () => {
  using compressor = createCompressor("deflate");
  using decompressor = createDecompressor("deflate");
  const compressed = compressNowait("deflate", someBytes(50_000));
  await assertCheckpoints(() => compressor.transform(someBytes(1000)));
  await assertCheckpoints(() => compressor.flush());
  await assertCheckpoints(() => decompressor.transform(compressed.subarray(0, 100)));
  decompressor.write(compressed.subarray(100, 200));
  await assertCheckpoints(() => decompressor.read());
  await assertCheckpoints(() => compressor.finish());
  using second = createCompressor("gzip");
  const first = second.transform(someBytes(100_000));
  assert.throws(() => second.reset(), BusyResourceError);
  await assert.rejects(second.transform(encode("x")), BusyResourceError);
  await first;
});

test("Compressor, Decompressor: cancelled before they began, nothing happened; while they worked, they are broken", async () => {
  const bytes = someBytes(200_000);
  const { rounds } = await cancelEverywhere(async (round) => {
    using compressor = createCompressor("gzip");
    using decompressor = createDecompressor("gzip");
    let begun = 0;
    try {
      const pieces = await compressor.finish(bytes);
      begun = 1;
      await checkpoint();
      const back = await decompressor.finish(Buffer.concat(pieces));
      assert.ok(Buffer.from(bytes).equals(Buffer.concat(back)));
    } finally {
      if (round.moment === "entry" && begun === 0) compressor.reset();
      if (round.moment === "waiting" && begun === 0)
        assert.throws(() => compressor.reset(), BrokenResourceError);
    }
  });
  assert.deepEqual(rounds.entry, 3);
  assert.ok(rounds.waiting >= 2);
});

test("Compressor.close: who waits gets ClosedResourceError, as everybody after", async () => {
  const compressor = createCompressor("br", { level: 9 });
  const waiting = assert.rejects(
    compressor.transform(someBytes(300_000), { flush: true }),
    ClosedResourceError,
  );
  compressor.close();
  compressor.close();
  await waiting;
  await assert.rejects(compressor.flush(), ClosedResourceError);
  assert.throws(() => compressor.reset(), ClosedResourceError);
  const decompressor = createDecompressor("br");
  decompressor.write(compressNowait("br", someBytes(100)));
  decompressor.close();
  await assert.rejects(decompressor.read(), ClosedResourceError);
});

nodeTest("Compressor: other tasks go on while it works", async () => {
  await run(async () => {
    using compressor = createCompressor("br", { level: 11 });
    const bytes = someBytes(500_000);
    let finished = false;
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        await compressor.finish(bytes);
        finished = true;
      });
      // In a thread this takes about a second; here nothing of it is waited for.
      for (let turn = 0; turn < 20; turn++) await checkpoint();
      group.cancel();
    });
    assert.ok(!finished);
    await assert.rejects(compressor.flush(), BrokenResourceError);
  });
});

nodeTest("compression: a backend without it, or without a format, says so", async () => {
  const { compression, ...backend } = simulator().createBackend();
  await run(
    () => {
      for (const call of [
        () => createCompressor("gzip"),
        () => createDecompressor("gzip"),
        () => compressNowait("gzip", new Uint8Array(1)),
        () => decompressNowait("gzip", new Uint8Array(1)),
      ])
        assert.throws(call, NotSupportedError);
    },
    { backend },
  );
  assert.ok(compression !== undefined);
  const poor = { ...hostBackend, compression: { ...compression, formats: ["gzip"] } } as Backend;
  await run(
    () => assert.throws(() => createCompressor("zstd"), /createCompressor\("zstd"\): the backend/),
    {
      backend: poor,
      signals: [],
    },
  );
});
