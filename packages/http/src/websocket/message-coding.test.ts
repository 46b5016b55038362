/** What messages go through: compression that is cut in the middle, and masks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelScope, run } from "arborio";
import { Deflater } from "./deflater.ts";
import { Inflater } from "./inflater.ts";
import { MaskSource } from "./mask-source.ts";

const SETTINGS = { windowBits: 15, noContextTakeover: false, level: undefined } as const;

/** Does not repeat within a window. */
const LARGE: Uint8Array = Uint8Array.from(
  { length: 300_000 },
  (_, index) => Math.imul(index ^ (index >> 7), 2_246_822_519) >>> 13,
);

async function inflated(inflater: Inflater, bytes: Uint8Array): Promise<number[]> {
  const all: number[] = [];
  inflater.write(bytes, true);
  for (let piece = await inflater.read(); piece !== undefined; piece = await inflater.read())
    for (const byte of piece) all.push(byte);
  return all;
}

void test("Inflater: a cancellation waits for the piece, and nothing of it is lost", async () => {
  await run(
    async () => {
      const deflater = new Deflater(SETTINGS);
      const inflater = new Inflater(SETTINGS);
      inflater.write(await deflater.compress(LARGE, true, true), true);
      let bytes = 0;
      const scope = new CancelScope();
      await scope.run(async () => {
        const reading = inflater.read();
        scope.cancel();
        bytes += (await reading)?.length ?? 0;
      });
      assert.ok(bytes > 0);
      for (let piece = await inflater.read(); piece !== undefined; piece = await inflater.read())
        bytes += piece.length;
      assert.equal(bytes, LARGE.length);
      deflater.close();
      inflater.close();
    },
    { signals: [] },
  );
});

void test("Deflater: what was compressed and cancelled is forgotten, and the messages behind it are right", async () => {
  await run(
    async () => {
      const deflater = new Deflater(SETTINGS);
      const inflater = new Inflater(SETTINGS);
      const hello = new TextEncoder().encode("hello, hello, hello");
      assert.deepEqual(await inflated(inflater, await deflater.compress(hello, true, true)), [
        ...hello,
      ]);
      const scope = new CancelScope();
      await scope.run(async () => {
        const compressing = deflater.compress(LARGE, true, true);
        scope.cancel();
        await compressing;
      });
      assert.ok(scope.cancelledCaught);
      for (let count = 0; count < 2; count++)
        assert.deepEqual(await inflated(inflater, await deflater.compress(hello, true, true)), [
          ...hello,
        ]);
      deflater.close();
      inflater.close();
    },
    { signals: [] },
  );
});

void test("MaskSource: each mask is four bytes, and another one", async () => {
  await run(
    () => {
      const masks = new MaskSource();
      const seen = new Set(Array.from({ length: 3000 }, () => masks.next().join()));
      // Two of them are the same once in a thousand runs.
      assert.ok(seen.size >= 2998);
      assert.equal(masks.next().length, 4);
      return Promise.resolve();
    },
    { signals: [] },
  );
});
