/** That a cancelled call leaves nothing behind: no thread that works on, no token, no waiter. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CancelScope,
  CapacityLimiter,
  moveOnAfter,
  run,
  shielded,
  sleep,
  TaskCancelled,
  taskGroup,
  taskTree,
} from "../index.ts";
import { cancelEverywhere } from "../testing.ts";
import {
  checkCancelled,
  currentDefaultThreadLimiter,
  moduleAt,
  runInThread,
  workerStatistics,
} from "../threads.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;
const work = moduleAt<typeof workKit>(workKit.url);

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body, { signals: [] }));
}

/** Memory in which a function tells where it is. */
function place(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

async function untilIs(at: Int32Array, value: number): Promise<void> {
  while (Atomics.load(at, 0) !== value) await sleep(1);
}

/** Cancels a call once its function has begun; what it gave, if it was not cut short. */
async function cancelled(
  begin: (at: Int32Array) => Promise<unknown>,
  whenCancelled: (at: Int32Array) => void = () => {},
  at: Int32Array = place(),
): Promise<{
  readonly at: number;
  readonly caught: boolean;
  readonly value: unknown;
  /** Milliseconds from the cancellation to its end. */
  readonly tookMs: number;
}> {
  const scope = new CancelScope();
  let cancelledAt = Infinity;
  const value = await taskGroup(async (group) => {
    group.startSoon(async () => {
      await untilIs(at, 1);
      cancelledAt = performance.now();
      scope.cancel();
      whenCancelled(at);
    });
    return await scope.run(() => begin(at));
  });
  const tookMs = performance.now() - cancelledAt;
  return { at: Atomics.load(at, 0), caught: scope.cancelledCaught, value, tookMs };
}

function assertNothingHeld(): void {
  assert.equal(workerStatistics("thread").busy, 0);
  assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
}

hostTest("runInThread: in a cancelled scope the function does not begin", async () => {
  const at = place();
  const { started } = workerStatistics("thread");
  const scope = new CancelScope();
  scope.cancel();
  await scope.run(() => runInThread(work, "compute", { args: [at] }));
  assert.ok(scope.cancelledCaught);
  assert.deepEqual([Atomics.load(at, 0), workerStatistics("thread").started], [0, started]);
  assertNothingHeld();
});

hostTest(
  "runInThread: cancelled while it waits for a token, the function does not begin",
  async () => {
    const limiter = new CapacityLimiter(0);
    const at = place();
    await moveOnAfter(5, () => runInThread(work, "compute", { args: [at], limiter }));
    assert.equal(limiter.statistics().tasksWaiting, 0);
    limiter.totalTokens = 1;
    assert.equal(await runInThread(work, "add", { args: [1, 2], limiter }), 3);
    assert.equal(Atomics.load(at, 0), 0);
  },
);

hostTest("runInThread: operations of the library in the function are cancelled", async () => {
  const { at, caught } = await cancelled((there) => runInThread(work, "wait", { args: [there] }));
  assert.deepEqual([at, caught], [2, true]);
  assertNothingHeld();
});

hostTest("checkCancelled: throws in a busy thread whose caller was cancelled", async () => {
  const { crashed } = workerStatistics("thread");
  const { at, caught } = await cancelled((there) =>
    runInThread(work, "compute", { args: [there], graceMs: Infinity }),
  );
  assert.deepEqual([at, caught], [2, true]);
  assertNothingHeld();
  assert.equal(workerStatistics("thread").crashed, crashed);
});

hostTest("checkCancelled: outside of threads it throws in a cancelled scope only", async () => {
  checkCancelled();
  const scope = new CancelScope();
  await scope.run(async () => {
    checkCancelled();
    scope.cancel();
    checkCancelled();
    assert.fail("it was cancelled");
  });
  assert.ok(scope.cancelledCaught);
});

hostTest("runInThread: an endless loop is terminated after graceMs, and replaced", async () => {
  await runInThread(work, "nothing");
  const { crashed, idle } = workerStatistics("thread");
  const { caught, tookMs } = await cancelled((there) =>
    runInThread(work, "holdOut", { args: [there], graceMs: 50 }),
  );
  assert.ok(caught);
  assert.ok(tookMs >= 49, `${tookMs}`);
  assertNothingHeld();
  assert.ok(workerStatistics("thread").idle < idle);
  assert.equal(await runInThread(work, "add", { args: [1, 2] }), 3);
  // One that is ended on purpose has not crashed.
  assert.equal(workerStatistics("thread").crashed, crashed);
});

hostTest("runInThread: without any grace a loop is terminated at once", async () => {
  const { caught } = await cancelled((there) =>
    runInThread(work, "holdOut", { args: [there], graceMs: 0 }),
  );
  assert.ok(caught);
  assertNothingHeld();
});

hostTest("runInThread: what the function returns although cancelled is returned", async () => {
  const { caught, value } = await cancelled(
    (there) => runInThread(work, "holdOut", { args: [there], graceMs: Infinity }),
    (there) => void Atomics.store(there, 0, 3),
  );
  assert.deepEqual([caught, value], [false, "held out"]);
  assertNothingHeld();
});

hostTest("runInThread: what the function throws although cancelled is thrown", async () => {
  await assert.rejects(
    cancelled(
      (there) => runInThread(work, "holdOutAndFail", { args: [there], graceMs: Infinity }),
      (there) => void Atomics.store(there, 0, 3),
    ),
    /RangeError: late/,
  );
  assertNothingHeld();
});

hostTest("runInThread: a shield keeps the cancellation away from the function", async () => {
  const { value } = await cancelled((there) =>
    shielded(async () => {
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          await untilIs(there, 1);
          // The caller is cancelled at about the same time; a grace of 0 would end the thread now.
          await sleep(30);
          Atomics.store(there, 0, 3);
        });
        return await runInThread(work, "holdOut", { args: [there], graceMs: 0 });
      });
      return "to its end";
    }),
  );
  assert.equal(value, "to its end");
  assertNothingHeld();
});

hostTest(
  "runInThread({ abandonOnCancel }): the caller goes on, the token is held to the end",
  async () => {
    const limiter = new CapacityLimiter(1);
    const at = place();
    const options = { args: [at] as const, limiter, abandonOnCancel: true, graceMs: 0 };
    const { caught } = await cancelled(() => runInThread(work, "holdOut", options), undefined, at);
    assert.ok(caught);
    assert.equal(limiter.borrowedTokens, 1);
    assert.equal(workerStatistics("thread").busy, 1);
    Atomics.store(at, 0, 3);
    assert.equal(await runInThread(work, "add", { args: [1, 2], limiter }), 3);
    assert.equal(limiter.borrowedTokens, 0);
    assertNothingHeld();
  },
);

test("runInThread({ abandonOnCancel }): a late error goes to the run's onUnhandled", async () => {
  const unhandled: unknown[] = [];
  await run(
    async () => {
      const at = place();
      const limiter = new CapacityLimiter(1);
      const options = { args: [at] as const, limiter, abandonOnCancel: true };
      await cancelled(() => runInThread(work, "holdOutAndFail", options), undefined, at);
      Atomics.store(at, 0, 3);
      await runInThread(work, "nothing", { limiter });
    },
    { signals: [], onUnhandled: (error) => void unhandled.push(error) },
  );
  assert.deepEqual(unhandled.map(String), ["RangeError: late"]);
});

hostTest("runInThread: cancelled at each checkpoint, nothing is left", async () => {
  const { rounds } = await cancelEverywhere(async (round) => {
    round.after(assertNothingHeld);
    const limiter = new CapacityLimiter(1);
    round.after(() => assert.equal(limiter.borrowedTokens, 0));
    assert.equal(await runInThread(work, "later", { args: ["x"], limiter }), "x");
    await taskGroup(async (group) => {
      group.startSoon(() => runInThread(work, "add", { args: [1, 2], limiter }));
      group.startSoon(() => runInThread(work, "later", { args: ["y"], limiter }));
    });
  });
  assert.ok(rounds.entry >= 3 && rounds.waiting >= 3 && rounds.woken >= 3);
});

hostTest("runInThread: a function that cancels its own scope has no result", async () => {
  await assert.rejects(runInThread(work, "cancelItself"), TaskCancelled);
  assertNothingHeld();
});

hostTest(
  "runInThread: cancelled while the module is loaded, the function does not begin",
  async () => {
    const slow =
      "data:text/javascript,await new Promise((resolve) => setTimeout(resolve, 100));" +
      "export function mark(place) { place[0] = 1; }";
    const at = place();
    const value = await moveOnAfter(30, () => runInThread(slow, "mark", { args: [at] }));
    assert.equal(value, undefined);
    assert.equal(Atomics.load(at, 0), 0);
    assertNothingHeld();
  },
);

hostTest("runInThread: the task tree shows the wait", async () => {
  await taskGroup(async (group) => {
    const at = place();
    group.startSoon(() => runInThread(work, "holdOut", { args: [at] }));
    await untilIs(at, 1);
    assert.match(String(taskTree()), /runInThread/);
    Atomics.store(at, 0, 3);
  });
});
