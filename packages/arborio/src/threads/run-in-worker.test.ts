/** What calls in threads and in processes promise alike, on the host and in the simulator. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import {
  CancelScope,
  CapacityLimiter,
  gather,
  moveOnAfter,
  sleep,
  TimeoutError,
  taskTree,
} from "../index.ts";
import { assertCheckpoints, cancelEverywhere, onEveryBackend } from "../testing.ts";
import {
  currentDefaultProcessLimiter,
  currentDefaultThreadLimiter,
  moduleAt,
  runInProcess,
  runInThread,
  workerStatistics,
} from "../threads.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;
const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));
const work = moduleAt<typeof workKit>(workKit.url);

const KINDS: readonly (readonly [
  typeof runInThread,
  "thread" | "process",
  () => CapacityLimiter,
])[] = [
  [runInThread, "thread", currentDefaultThreadLimiter],
  [runInProcess, "process", currentDefaultProcessLimiter],
];

for (const [runIn, kind, currentLimiter] of KINDS) {
  const { name } = runIn;
  const assertNothingHeld = (): void => {
    assert.equal(workerStatistics(kind).busy, 0);
    assert.equal(currentLimiter().borrowedTokens, 0);
  };

  test(`${name}: what the function returns, as a copy`, async () => {
    assert.equal(await runIn(work, "add", { args: [1, 2] }), 3);
    assert.equal(await runIn(work, "later", { args: ["x"] }), "x");
    assert.equal(await runIn<number>(work.url, "nothing"), undefined);
    const value = { map: new Map([[1n, new Date(5)]]), bytes: Uint8Array.of(1, 2) };
    const copy = await runIn(work, "echo", { args: [value] });
    assert.deepEqual(copy, value);
    assert.notEqual(copy, value);
    assertNothingHeld();
  });

  test(`${name}: errors keep their class, their fields and their stack`, async () => {
    const failing = (how: Parameters<typeof workKit.fail>[0]): Promise<unknown> =>
      runIn(work, "fail", { args: [how], errorClasses: [workKit.WorkError] });
    await assert.rejects(failing("language"), (error) => {
      assert.ok(error instanceof RangeError && error.cause instanceof TypeError);
      assert.match(error.stack ?? "", /work\.test\.kit[^]*in a worker/);
      return true;
    });
    await assert.rejects(failing("library"), TimeoutError);
    await assert.rejects(failing("own"), (error) => {
      assert.ok(error instanceof workKit.WorkError);
      assert.deepEqual([error.message, error.detail], ["own", { at: 7 }]);
      return true;
    });
    assertNothingHeld();
  });

  test(`${name}: what cannot be sent costs neither worker nor token`, async () => {
    await runIn(work, "nothing");
    const { started } = workerStatistics(kind);
    await assert.rejects(runIn(work, "echo", { args: [[() => {}]] }), {
      name: "TypeError",
      message: /the argument at index 0 cannot be sent/,
    });
    await assert.rejects(runIn(work, "notCloneable"), {
      name: "TypeError",
      message: /its result cannot be sent back/,
    });
    await assert.rejects(runIn(work.url, "missing"), /has no export "missing"/);
    await assert.rejects(runIn("data:text/javascript,throw 5", "any"), /cannot be loaded: 5/);
    assert.equal(workerStatistics(kind).started, started);
    assertNothingHeld();
  });

  test(`${name}: is a checkpoint, and loses nothing wherever it is cancelled`, async () => {
    await assertCheckpoints(() => runIn(work, "nothing"));
    await cancelEverywhere(async (round) => {
      round.after(assertNothingHeld);
      await runIn(work, "later", { args: ["x"] });
    });
    await cancelEverywhere(async (round) => {
      round.after(() => assert.equal(limiter.borrowedTokens, 1));
      const limiter = new CapacityLimiter(1);
      limiter.acquireOnBehalfOfNowait("another");
      await moveOnAfter(2, () => runIn(work, "nothing", { limiter }));
    });
  });

  test(`${name}: in a cancelled scope nothing begins`, async () => {
    const { started } = workerStatistics(kind);
    const scope = new CancelScope();
    scope.cancel();
    await scope.run(() => runIn(work, "add", { args: [1, 2] }));
    assert.ok(scope.cancelledCaught);
    assert.equal(workerStatistics(kind).started, started);
  });

  test(`${name}: a limiter of the caller's own says how many work at once`, async () => {
    const limiter = new CapacityLimiter(2);
    let most = 0;
    const values = await gather(
      [1, 2, 3, 4, 5, 6].map((number) => async () => {
        const value = await runIn(work, "echo", { args: [number], limiter });
        most = Math.max(most, limiter.borrowedTokens);
        return value;
      }),
    );
    assert.deepEqual(values, [1, 2, 3, 4, 5, 6]);
    assert.ok(most <= 2);
    assert.equal(limiter.borrowedTokens, 0);
    assert.equal(currentLimiter().borrowedTokens, 0);
  });

  test(`${name}: a function that does not see its cancellation is ended`, async (group) => {
    const never = "data:text/javascript,export const never = () => new Promise(() => {});";
    const task = group.startSoon(() => runIn(never, "never", { graceMs: 1 }));
    await sleep(1);
    assert.match(taskTree(), new RegExp(`${name} for`));
    task.cancel();
    await task.wait();
    assertNothingHeld();
    assert.equal(await runIn(work, "add", { args: [1, 2] }), 3);
  });

  test(`${name}({ abandonOnCancel }): the caller goes on, the token is held to the end`, async () => {
    await runIn(work, "nothing");
    const limiter = new CapacityLimiter(1);
    const scope = new CancelScope();
    await scope.run(async () => {
      const call = runIn(work, "later", { args: ["x"], limiter, abandonOnCancel: true });
      scope.cancel();
      assert.equal(limiter.borrowedTokens, 1);
      await call;
    });
    assert.ok(scope.cancelledCaught);
    while (limiter.borrowedTokens > 0) await sleep(1);
    assertNothingHeld();
  });
}
