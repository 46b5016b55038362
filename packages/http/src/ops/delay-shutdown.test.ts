import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { CancelScope, currentScope, gather, now, run, sleep, sleepForever, soft } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { delayShutdown } from "./delay-shutdown.ts";

/** In virtual time. */
function test(title: string, body: () => Promise<void>): void {
  void runnerTest(title, () => run(body, { backend: simulator({ seed: 1 }) }));
}

/** Takes work until it is asked to end, then finishes for 100 ms. */
async function work(log: string[]): Promise<string> {
  await soft(() => sleepForever());
  log.push(`asked at ${now()}`);
  assert.ok(currentScope().shuttingDown);
  await sleep(100);
  log.push(`done at ${now()}`);
  return "finished";
}

test("delayShutdown: what is inside learns of a shutdown so much later, and ends in order", async () => {
  const log: string[] = [];
  const scope = new CancelScope();
  const [value] = await gather([
    () => scope.run(() => delayShutdown(5000, () => work(log))),
    async () => {
      await sleep(1000);
      scope.shutdown({ graceMs: 60_000 });
    },
  ]);
  assert.equal(value, "finished");
  assert.deepEqual(log, ["asked at 6000", "done at 6100"]);
});

test("delayShutdown: a cancellation from around comes at once, before and within the delay, and cleanup is waited for", async () => {
  for (const graceMs of [0, 2000]) {
    const begun = now();
    const scope = new CancelScope();
    let endedAt = NaN;
    await gather([
      () =>
        scope.run(() =>
          delayShutdown(5000, async () => {
            try {
              await sleepForever();
            } finally {
              endedAt = now() - begun;
            }
          }),
        ),
      async () => {
        await sleep(1000);
        if (graceMs === 0) scope.cancel();
        else scope.shutdown({ graceMs });
      },
    ]);
    assert.ok(scope.cancelledCaught);
    assert.equal(endedAt, 1000 + graceMs);
  }
});

test("delayShutdown: a shutdown inside works at once; one that asked before counts from the beginning", async () => {
  const log: string[] = [];
  const own = new CancelScope();
  await gather([
    () => delayShutdown(5000, () => own.run(() => work(log))),
    async () => {
      await sleep(10);
      own.shutdown({ graceMs: 1000 });
    },
  ]);
  assert.deepEqual(log, ["asked at 10", "done at 110"]);
  const scope = new CancelScope();
  scope.shutdown({ graceMs: 60_000 });
  await scope.run(() => delayShutdown(5000, () => work(log)));
  assert.deepEqual(log.slice(2), ["asked at 5110", "done at 5210"]);
});

test("delayShutdown: errors come out bare, and without a shutdown it changes nothing", async () => {
  const failure = new Error("no");
  await assert.rejects(
    delayShutdown(5000, async () => {
      await sleep(1);
      throw failure;
    }),
    (error) => error === failure,
  );
  assert.equal(await delayShutdown(5000, async () => "value"), "value");
  assert.equal(now(), 1);
});

test("delayShutdown: cancelled at every checkpoint, nothing goes on inside", async () => {
  await cancelEverywhere(async (round) => {
    let inside = 0;
    round.after(() => assert.equal(inside, 0));
    await delayShutdown(5000, async () => {
      inside += 1;
      try {
        await sleep(10);
        await sleep(10);
      } finally {
        inside -= 1;
      }
    });
  });
});
