import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { BrokenResourceError, InvalidStateError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { run } from "../platform/run.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { Future } from "./future.ts";

const test = onEveryBackend(nodeTest);

test("Future.setValue: all who wait and all who come later get the value", async () => {
  const future = new Future<number>();
  assert.equal(future.status, "pending");
  const waits = [future.wait(), future.wait()];
  assert.equal(future.statistics().tasksWaiting, 2);
  future.setValue(7);
  assert.equal(future.status, "finished");
  assert.deepEqual(await Promise.all(waits), [7, 7]);
  assert.equal(await assertCheckpoints(() => future.wait()), 7);
});

test("Future.setValue: undefined is a value", async () => {
  const future = new Future<void>();
  const waiting = future.wait();
  future.setValue();
  assert.equal(await waiting, undefined);
  assert.equal(await future.wait(), undefined);
});

test("Future.setError: all who wait and all who come later throw that very error", async () => {
  const future = new Future<number>();
  const error = new RangeError("no");
  const waiting = assert.rejects(future.wait(), error);
  future.setError(error);
  assert.equal(future.status, "failed");
  await waiting;
  await assert.rejects(future.wait(), (thrown) => thrown === error);
});

test("Future: settled a second time, it throws InvalidStateError and keeps the first result", async () => {
  const future = new Future<number>();
  future.setValue(1);
  assert.throws(() => future.setValue(2), InvalidStateError);
  assert.throws(() => future.setError(new Error("late")), InvalidStateError);
  future.cancel();
  assert.deepEqual([future.status, await future.wait()], ["finished", 1]);
  const cancelled = new Future<number>();
  cancelled.cancel();
  assert.throws(() => cancelled.setValue(2), /the future is cancelled/);
});

test("Future.cancel: all who wait and all who come later get BrokenResourceError with the reason; it is no cancellation", async () => {
  const future = new Future<number>();
  const scope = new CancelScope();
  const waiting = scope.run(() => future.wait());
  future.cancel("not needed");
  future.cancel("again");
  assert.equal(future.status, "cancelled");
  const isBroken = (error: unknown): boolean =>
    error instanceof BrokenResourceError && error.cause === "not needed";
  await assert.rejects(waiting, isBroken);
  assert.equal(scope.cancelledCaught, false);
  await assert.rejects(future.wait(), isBroken);
});

test("Future.wait: cancelling one wait leaves the others and the future as they were", async () => {
  const future = new Future<string>();
  const scope = new CancelScope();
  const cancelled = scope.run(() => future.wait());
  const other = future.wait();
  scope.cancel();
  await cancelled;
  assert.deepEqual([future.status, future.statistics().tasksWaiting], ["pending", 1]);
  future.setValue("x");
  assert.equal(await other, "x");
});

test("Future.wait: in a cancelled scope it throws although the value is there (§2.2)", async () => {
  const future = new Future<string>();
  future.setValue("x");
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(async () => {
    await future.wait();
    assert.fail("went on although cancelled");
  });
  assert.ok(scope.cancelledCaught);
});

test("Future.statistics: is frozen", () => {
  assert.ok(Object.isFrozen(new Future().statistics()));
});

test("Future: cancelled at every checkpoint, nobody is left waiting", async () => {
  await cancelEverywhere(async (round) => {
    const future = new Future<number>();
    round.after(() => assert.equal(future.statistics().tasksWaiting, 0));
    await taskGroup(async (group) => {
      group.startSoon(() => future.wait());
      await waitAllTasksBlocked();
      future.setValue(1);
      await future.wait();
    });
  });
});

nodeTest(
  "Future.setError: an error that nobody waits for is not an unhandled rejection",
  async () => {
    const unhandled: unknown[] = [];
    await run(
      async () => {
        new Future().setError(new Error("nobody waits"));
        await waitAllTasksBlocked();
      },
      { onUnhandled: (error) => unhandled.push(error) },
    );
    // A runner fails the test if the host saw an unhandled rejection.
    assert.deepEqual(unhandled, []);
  },
);
