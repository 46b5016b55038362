import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import {
  BrokenResourceError,
  CancelScope,
  ExceptionGroup,
  InvalidStateError,
  taskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { onEveryBackend } from "./every-backend.ts";
import { Sequencer } from "./sequencer.ts";

const test = onEveryBackend(runnerTest);

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise]);
  return (outcome as PromiseRejectedResult).reason;
}

test("Sequencer: steps run in the order of their numbers, whoever comes first", async () => {
  const sequencer = new Sequencer();
  const order: number[] = [];
  await taskGroup((group) => {
    for (const step of [4, 2, 0, 3, 1])
      group.startSoon(async () => {
        const value = await sequencer.step(step, async () => {
          await checkpoint();
          order.push(step);
          return step * 10;
        });
        assert.equal(value, step * 10);
      });
  });
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
});

test("Sequencer: a number is for one step", async () => {
  const sequencer = new Sequencer();
  await sequencer.step(0, () => {});
  assert.ok((await errorOf(sequencer.step(0, () => {}))) instanceof InvalidStateError);
});

test("Sequencer: after a failed step the others fail instead of hanging", async () => {
  const sequencer = new Sequencer();
  const error = await errorOf(
    taskGroup((group) => {
      const broken: Promise<unknown>[] = [];
      group.startSoon(async () => {
        broken.push(errorOf(sequencer.step(1, () => {})), errorOf(sequencer.step(3, () => {})));
        for (const one of await Promise.all(broken)) assert.ok(one instanceof BrokenResourceError);
      });
      group.startSoon(async () => {
        await waitAllTasksBlocked();
        await errorOf(sequencer.step(0, () => Promise.reject(new Error("step"))));
        throw new Error("the test goes on");
      });
    }),
  );
  assert.ok(error instanceof ExceptionGroup);
  assert.deepEqual(
    error.errors.map((one) => (one as Error).message),
    ["the test goes on"],
  );
  assert.ok((await errorOf(sequencer.step(7, () => {}))) instanceof BrokenResourceError);
});

test("Sequencer: after a cancelled step the others fail too", async () => {
  const sequencer = new Sequencer();
  const scope = new CancelScope();
  await taskGroup(async (group) => {
    group.startSoon(() => scope.run(() => sequencer.step(1, () => {})));
    group.startSoon(async () => {
      assert.ok((await errorOf(sequencer.step(2, () => {}))) instanceof BrokenResourceError);
    });
    await waitAllTasksBlocked();
    scope.cancel();
  });
  assert.ok(scope.cancelledCaught);
});
