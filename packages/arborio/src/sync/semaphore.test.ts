import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { InvalidStateError, WouldBlock } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { Semaphore } from "./semaphore.ts";

const test = onEveryBackend(nodeTest);

test("Semaphore.acquire: no more hold a permit than there are", async () => {
  const semaphore = new Semaphore(2);
  let inside = 0;
  let most = 0;
  await taskGroup(async (group) => {
    for (let i = 0; i < 6; i++) {
      group.startSoon(async () => {
        using _lease = await semaphore.acquire();
        inside += 1;
        most = Math.max(most, inside);
        await waitAllTasksBlocked();
        inside -= 1;
      });
    }
  });
  assert.deepEqual([most, semaphore.value], [2, 2]);
});

test("Semaphore.acquire: is a checkpoint also when a permit is free, and takes it at once (§2.1, §2.5)", async () => {
  const semaphore = new Semaphore(1);
  await assertCheckpoints(async () => {
    using _lease = await semaphore.acquire();
  });
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await semaphore.acquire();
  });
  assert.deepEqual([scope.cancelledCaught, semaphore.value], [true, 1]);
  const acquiring = semaphore.acquire();
  assert.equal(semaphore.value, 0);
  (await acquiring).release();
});

test("Semaphore.release: hands the permit over at once, so that nobody gets in between and value stays 0 (§6)", async () => {
  const semaphore = new Semaphore(0);
  const waiting = semaphore.acquire();
  semaphore.release();
  assert.deepEqual(semaphore.statistics(), { value: 0, tasksWaiting: 0 });
  assert.throws(() => semaphore.acquireNowait(), WouldBlock);
  (await waiting).release();
  assert.equal(semaphore.value, 1);
});

test("Semaphore.release: needs no acquire before, but throws above maxValue (§6)", async () => {
  const counting = new Semaphore(0);
  counting.release();
  counting.release();
  assert.equal(counting.value, 2);
  assert.equal(counting.maxValue, Infinity);
  const bounded = new Semaphore(1, { maxValue: 1 });
  assert.throws(() => bounded.release(), InvalidStateError);
  const lease = await bounded.acquire();
  bounded.release();
  assert.throws(() => lease.release(), InvalidStateError);
  assert.equal(bounded.value, 1);
});

test("Semaphore.acquireNowait: takes a free permit, throws WouldBlock otherwise, and is no checkpoint", async () => {
  const semaphore = new Semaphore(1);
  const scope = new CancelScope();
  await scope.run(() => {
    scope.cancel();
    using _lease = semaphore.acquireNowait();
    assert.throws(() => semaphore.acquireNowait(), WouldBlock);
  });
  assert.equal(semaphore.value, 1);
});

test("new Semaphore: values that are no whole numbers from 0 on, or above maxValue, are errors", () => {
  for (const value of [-1, 1.5, Number.NaN, Infinity])
    assert.throws(() => new Semaphore(value), RangeError);
  assert.throws(() => new Semaphore("1" as never), TypeError);
  for (const maxValue of [1, 2.5, Number.NaN])
    assert.throws(() => new Semaphore(2, { maxValue }), RangeError);
  assert.throws(() => new Semaphore(2, { maxValue: "3" as never }), TypeError);
});

test("Semaphore.statistics: is a frozen snapshot", () => {
  const semaphore = new Semaphore(3);
  const before = semaphore.statistics();
  assert.ok(Object.isFrozen(before));
  semaphore.acquireNowait();
  assert.deepEqual([before.value, semaphore.statistics().value], [3, 2]);
});

test("Semaphore: cancelled at every checkpoint, all permits are back", async () => {
  await cancelEverywhere(async (round) => {
    const semaphore = new Semaphore(2);
    round.after(() => assert.deepEqual(semaphore.statistics(), { value: 2, tasksWaiting: 0 }));
    await taskGroup(async (group) => {
      for (let i = 0; i < 5; i++) {
        group.startSoon(async () => {
          using _lease = await semaphore.acquire();
          await checkpoint();
        });
      }
    });
  });
});
