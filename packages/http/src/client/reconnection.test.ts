import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { moveOnAfter, now, run } from "arborio";
import { simulator } from "arborio/sim";
import { Reconnection } from "./reconnection.ts";

function test(title: string, body: () => Promise<void>): void {
  for (const seed of [1, 2, 3]) {
    void nodeTest(`Reconnection: ${title} [seed ${seed}]`, async () => {
      await run(body, { signals: [], backend: simulator({ seed }) });
    });
  }
}

/** Waits, and compares: up to a quarter longer. */
async function expectWait(reconnection: Reconnection, ms: number): Promise<void> {
  const start = now();
  await reconnection.wait();
  const waited = now() - start;
  assert.ok(waited >= ms - 0.001 && waited <= ms * 1.25 + 0.001, `${waited}, not ${ms}`);
}

test("the first time at once, then what is wanted, which the server may change", async () => {
  const reconnection = new Reconnection(3000, 60_000);
  await expectWait(reconnection, 0);
  reconnection.connected();
  reconnection.given();
  await expectWait(reconnection, 3000);
  reconnection.connected();
  reconnection.given();
  reconnection.retryAfter(7);
  await expectWait(reconnection, 7);
  // A connection that was given up tells nothing of the server.
  await expectWait(reconnection, 0);
});

test("twice as long each time that connecting fails, up to the limit, and as before once it does not", async () => {
  const reconnection = new Reconnection(1000, 5000);
  for (const [index, ms] of [1000, 2000, 4000, 5000, 5000].entries()) {
    assert.equal(reconnection.failed(0), index + 1);
    await expectWait(reconnection, ms);
  }
  reconnection.connected();
  reconnection.given();
  await expectWait(reconnection, 1000);
  assert.equal(reconnection.failed(0), 1);
  await expectWait(reconnection, 1000);
});

test("a limit below what is wanted shortens nothing", async () => {
  const reconnection = new Reconnection(1000, 10);
  for (const _ of [1, 2, 3]) {
    reconnection.failed(0);
    await expectWait(reconnection, 1000);
  }
});

test("no less than 100 ms after what gave nothing, whatever is wanted", async () => {
  const reconnection = new Reconnection(0, 0);
  reconnection.connected();
  await expectWait(reconnection, 100);
  reconnection.connected();
  reconnection.given();
  await expectWait(reconnection, 0);
  reconnection.connected();
  reconnection.given();
  for (const _ of [1, 2, 3]) {
    reconnection.failed(0);
    await expectWait(reconnection, 100);
  }
});

test("as long as the server says that it is away, that time alone, and a day at most", async () => {
  const reconnection = new Reconnection(1000, 5000);
  reconnection.failed(20_000);
  await expectWait(reconnection, 20_000);
  reconnection.failed(0);
  await expectWait(reconnection, 2000);
  reconnection.failed(Infinity);
  await expectWait(reconnection, 86_400_000);
  reconnection.connected();
  reconnection.given();
  reconnection.retryAfter(Number.MAX_SAFE_INTEGER);
  await expectWait(reconnection, 86_400_000);
});

test("who gives up waiting and comes back does not wait all of it again", async () => {
  const reconnection = new Reconnection(1000, 5000);
  reconnection.connected();
  reconnection.given();
  const start = now();
  let turns = 0;
  while ((await moveOnAfter(100, () => reconnection.wait().then(() => true))) === undefined)
    turns += 1;
  assert.ok(turns >= 9 && turns <= 12, `${turns}`);
  assert.ok(now() - start <= 1251, `${now() - start}`);
});
