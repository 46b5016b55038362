import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { Cancelled, CancelScope, checkpoint, sleep, taskGroup } from "../index.ts";
import { assertCheckpoints, assertNoCheckpoints } from "./checkpoints.ts";
import { onEveryBackend } from "./every-backend.ts";

const test = onEveryBackend(runnerTest);

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const [outcome] = await Promise.allSettled([promise]);
  return ((outcome as PromiseRejectedResult).reason as Error).message;
}

test("assertCheckpoints: returns the value of a function that passes one, refuses one that does not", async () => {
  assert.equal(await assertCheckpoints(() => sleep(0).then(() => 1)), 1);
  assert.equal(await assertCheckpoints(() => taskGroup(() => checkpoint().then(() => 2))), 2);
  assert.match(await messageOf(assertCheckpoints(async () => {})), /passed no checkpoint/);
  const foreign = assertCheckpoints(() => new Promise((resolve) => setTimeout(resolve, 1)));
  assert.match(await messageOf(foreign), /passed no checkpoint/);
});

test("assertNoCheckpoints: returns the value of a function that passes none, and counts those of others", async () => {
  assert.equal(await assertNoCheckpoints(() => 1), 1);
  assert.match(await messageOf(assertNoCheckpoints(() => checkpoint())), /passed 1 checkpoints/);
});

test("assertNoCheckpoints: checkpoints of other tasks do not count", async (group) => {
  const busy = group.startSoon(async () => {
    for (;;) await checkpoint();
  });
  await assertNoCheckpoints(async () => {
    for (let round = 0; round < 100; round++) await Promise.resolve();
  });
  busy.cancel();
});

test("assertCheckpoints: passes on errors and cancellation", async () => {
  const error = new Error("expected");
  assert.equal(await messageOf(assertCheckpoints(() => Promise.reject(error))), "expected");
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await assertCheckpoints(() => checkpoint());
  });
  assert.ok(scope.cancelledCaught);
  assert.ok(scope.own instanceof Cancelled);
});
