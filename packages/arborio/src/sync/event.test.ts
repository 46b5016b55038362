import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { Event } from "./event.ts";

const test = onEveryBackend(nodeTest);

test("Event.set: wakes all who wait, once and for all", async (group) => {
  const event = new Event();
  let woken = 0;
  for (let i = 0; i < 3; i++) {
    group.startSoon(async () => {
      await event.wait();
      woken += 1;
    });
  }
  await waitAllTasksBlocked();
  assert.deepEqual([event.isSet, woken, event.statistics().tasksWaiting], [false, 0, 3]);
  event.set();
  event.set();
  await waitAllTasksBlocked();
  assert.deepEqual([event.isSet, woken, event.statistics().tasksWaiting], [true, 3, 0]);
  await event.wait();
});

test("Event.wait: is a checkpoint also when the event is set (§2.1)", async () => {
  const event = new Event();
  event.set();
  await assertCheckpoints(() => event.wait());
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await event.wait();
    assert.fail("went on although cancelled");
  });
  assert.ok(scope.cancelledCaught);
});

test("Event.set: works in a flow that has outlived its scope (§1.5)", async () => {
  const event = new Event();
  const { promise, resolve } = Promise.withResolvers<void>();
  let late: Promise<void> | undefined;
  await new CancelScope().run(() => {
    late = promise.then(() => event.set());
  });
  resolve();
  await late;
  assert.ok(event.isSet);
});

test("Event.statistics: is frozen", () => {
  assert.ok(Object.isFrozen(new Event().statistics()));
});

test("Event: cancelled at every checkpoint, nobody is left waiting", async () => {
  await cancelEverywhere(async (round) => {
    const event = new Event();
    round.after(() => assert.equal(event.statistics().tasksWaiting, 0));
    await taskGroup(async (group) => {
      group.startSoon(() => event.wait());
      group.startSoon(() => event.wait());
      await checkpoint();
      event.set();
      await event.wait();
    });
  });
});

nodeTest("Event: works outside of any run (§1.5)", async () => {
  const event = new Event();
  const waiting = event.wait();
  event.set();
  await waiting;
});
