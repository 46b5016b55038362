import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import { fromIterable } from "arborio/streams";
import { RecordedBody } from "./recorded-body.ts";

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) {
    await sleep(100);
    yield Uint8Array.of(index, index);
  }
}

async function recorded(
  count: number,
  bytesMax: number,
  aheadMs: number,
): Promise<{ ahead: number | null; read: number; whole: readonly number[] | null }> {
  const body = new RecordedBody(fromIterable(pieces(count)), bytesMax);
  const ahead = await body.readAhead(aheadMs);
  if (ahead !== null) return { ahead: ahead.length, read: 0, whole: null };
  let whole: readonly number[] | null = null;
  const stream = body.stream(async (bytes) => {
    assert.equal(whole, null, "once");
    whole = [...bytes];
  });
  let read = 0;
  for await (const piece of stream) {
    read += piece.length;
    piece.fill(99);
  }
  return { ahead: null, read, whole };
}

test("RecordedBody: what was read ahead is part of the whole, and nothing is kept of what is too large", async () => {
  await run(
    async () => {
      assert.deepEqual(await recorded(4, 8, 1000), { ahead: 8, read: 0, whole: null });
      const whole = [0, 0, 1, 1, 2, 2, 3, 3];
      for (const ms of [0, 150, 250, 350])
        assert.deepEqual(await recorded(4, 8, ms), { ahead: null, read: 8, whole }, `${ms}`);
      for (const ms of [0, 150, 1000])
        assert.deepEqual(await recorded(5, 8, ms), { ahead: null, read: 10, whole: null }, `${ms}`);
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});
