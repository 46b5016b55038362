import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { BrokenResourceError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { Barrier } from "./barrier.ts";

const test = onEveryBackend(nodeTest);

test("Barrier.wait: nobody goes on before all have arrived, and each has its place", async () => {
  const barrier = new Barrier(3);
  const places: number[] = [];
  const first = barrier.wait().then((place) => places.push(place));
  const second = barrier.wait().then((place) => places.push(place));
  await waitAllTasksBlocked();
  assert.deepEqual([places, barrier.statistics().tasksWaiting], [[], 2]);
  assert.equal(await barrier.wait(), 2);
  await Promise.all([first, second]);
  assert.deepEqual(
    places.toSorted((a, b) => a - b),
    [0, 1],
  );
});

test("Barrier.wait: serves round after round", async () => {
  const barrier = new Barrier(2);
  const rounds: number[] = [0, 0];
  await taskGroup(async (group) => {
    for (const self of [0, 1]) {
      group.startSoon(async () => {
        for (let round = 0; round < 5; round++) {
          rounds[self] = round;
          await barrier.wait();
          assert.ok((rounds[1 - self] as number) >= round);
          await barrier.wait();
        }
      });
    }
  });
  assert.equal(barrier.statistics().tasksWaiting, 0);
});

test("Barrier.wait: of one party does not wait, but is a checkpoint (§2.1)", async () => {
  const barrier = new Barrier(1);
  assert.equal(await assertCheckpoints(() => barrier.wait()), 0);
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await barrier.wait();
  });
  assert.ok(scope.cancelledCaught);
});

test("Barrier.wait: released, then cancelled in the same turn: it returns, and the next checkpoint throws (§2.4)", async () => {
  const barrier = new Barrier(2);
  const scope = new CancelScope();
  let place: number | undefined;
  const done = scope.run(async () => {
    place = await barrier.wait();
    await checkpoint();
    assert.fail("went on although cancelled");
  });
  const last = barrier.wait();
  scope.cancel();
  await done;
  assert.deepEqual([place, await last, scope.cancelledCaught], [0, 1, true]);
});

test("Barrier.wait: cancelled, it has not arrived; somebody else has to (§2.2)", async () => {
  const barrier = new Barrier(2);
  const scope = new CancelScope();
  const cancelled = scope.run(() => barrier.wait());
  scope.cancel();
  const second = barrier.wait();
  await cancelled;
  assert.deepEqual([scope.cancelledCaught, barrier.statistics().tasksWaiting], [true, 1]);
  assert.equal(await barrier.wait(), 1);
  assert.equal(await second, 0);
});

test("Barrier.break: fails all that wait and all that will", async () => {
  const barrier = new Barrier(2);
  const waiting = assert.rejects(barrier.wait(), BrokenResourceError);
  barrier.break();
  barrier.break(new RangeError("later"));
  await waiting;
  await assert.rejects(barrier.wait(), BrokenResourceError);
  const other = new Barrier(2);
  other.break(new RangeError("why"));
  await assert.rejects(other.wait(), RangeError);
});

test("new Barrier: parties that are no whole number from 1 on are errors", () => {
  for (const parties of [0, -1, 1.5, Number.NaN, Infinity])
    assert.throws(() => new Barrier(parties), RangeError);
  assert.throws(() => new Barrier("2" as never), TypeError);
});

test("Barrier.statistics: is frozen", () => {
  const barrier = new Barrier(2);
  assert.ok(Object.isFrozen(barrier.statistics()));
  assert.deepEqual(barrier.statistics(), { parties: 2, tasksWaiting: 0, broken: false });
});

test("Barrier: cancelled at every checkpoint, nobody is left waiting", async () => {
  await cancelEverywhere(async (round) => {
    const barrier = new Barrier(3);
    round.after(() => assert.equal(barrier.statistics().tasksWaiting, 0));
    await taskGroup(async (group) => {
      for (let i = 0; i < 3; i++) {
        group.startSoon(async () => {
          await barrier.wait();
          await barrier.wait();
        });
      }
    });
  });
});
