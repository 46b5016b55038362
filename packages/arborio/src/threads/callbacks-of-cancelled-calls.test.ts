/** That a cancelled call with callbacks ends in each of its forms: waited for or abandoned, awaiting or blocked, in a thread, a process, the simulator; and who hears of errors for which nobody waits. */
import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import {
  BrokenResourceError,
  CancelScope,
  CapacityLimiter,
  Event,
  failAfter,
  run,
  shielded,
  sleep,
  sleepForever,
} from "../index.ts";
import { hostBackend } from "../platform/host.ts";
import { simulator } from "../sim.ts";
import {
  BrokenWorkerError,
  connectPortal,
  moduleAt,
  runInProcess,
  runInThread,
  withPortal,
} from "../threads.ts";
import type { Callbacks } from "./from-thread.test.kit.ts";
import type * as Kit from "./from-thread.test.kit.ts";
import { kitUrl, onHost, test } from "./on-threads.test.kit.ts";

const kit = moduleAt<typeof Kit>(kitUrl("from-thread"));

/** So long a test waits for the token of a function that may never end, in milliseconds. */
const TOKEN_MS_MAX = 10_000;

/** A call that one of its callbacks cancels. */
function cancelledByCallback(): {
  readonly scope: CancelScope;
  readonly limiter: CapacityLimiter;
  readonly callbacks: Callbacks;
  /** Callbacks that began, after the cancellation too. */
  readonly count: { running: number; progress: number; lookup: number };
} {
  const scope = new CancelScope();
  const count = { running: 0, progress: 0, lookup: 0 };
  const callbacks: Callbacks = {
    progress() {
      count.progress += 1;
      scope.cancel();
    },
    lookup: async (key) => {
      count.lookup += 1;
      await sleep(1);
      return key;
    },
    async forever() {
      count.running += 1;
      scope.cancel();
      try {
        await sleepForever();
      } finally {
        await shielded(() => sleep(1));
        count.running -= 1;
      }
    },
    bytes: () => 0,
    bad: () => undefined,
  };
  return { scope, limiter: new CapacityLimiter(1), callbacks, count };
}

async function assertTokenBack(limiter: CapacityLimiter): Promise<void> {
  (await failAfter(TOKEN_MS_MAX, () => limiter.acquire())).release();
}

for (const call of [runInThread, runInProcess]) {
  for (const abandonOnCancel of [false, true]) {
    for (const name of ["wait", "waitSyncRethrow", "goOn"] as const) {
      if (name === "waitSyncRethrow" && call === runInProcess) continue;
      test(
        `${call.name}({ callbacks, abandonOnCancel: ${abandonOnCancel} }): cancelled in ${name}, no callback and no token is left`,
        async () => {
          const { scope, limiter, callbacks, count } = cancelledByCallback();
          const options = { limiter, abandonOnCancel, graceMs: Infinity, callbacks };
          await scope.run(() => call(kit, name, options));
          assert.ok(scope.cancelledCaught);
          assert.equal(count.running, 0);
          await assertTokenBack(limiter);
          // Also if it goes on calling back.
          assert.ok(count.progress <= 1);
        },
        name === "waitSyncRethrow" ? onHost : {},
      );
    }
  }

  for (const [where, backend] of [
    [hostBackend.name, hostBackend],
    ["simulator", simulator({ seed: 1 })],
  ] as const) {
    runnerTest(
      `${call.name}({ callbacks, abandonOnCancel }): a function that calls back at last learns that nobody waits [${where}]`,
      async () => {
        const unhandled: unknown[] = [];
        await run(
          async () => {
            const { scope, limiter, callbacks, count } = cancelledByCallback();
            const options = { limiter, abandonOnCancel: true, callbacks };
            await scope.run(() => call(kit, "callAtLast", options));
            assert.ok(scope.cancelledCaught);
            await assertTokenBack(limiter);
            assert.equal(count.lookup, 0);
          },
          { backend, signals: [], onUnhandled: (error) => void unhandled.push(error) },
        );
        const [error] = unhandled;
        assert.ok(error instanceof BrokenResourceError, String(error));
        assert.match(error.message, /the caller does not wait for this call any more/);
        assert.equal(unhandled.length, 1);
      },
    );
  }
}

runnerTest(
  "runInThread({ callbacks }): what a callback throws when its thread has ended goes to the run's onUnhandled",
  async () => {
    const unhandled: unknown[] = [];
    await run(
      async () => {
        const { callbacks } = cancelledByCallback();
        const forever = async (): Promise<void> => {
          try {
            await sleepForever();
          } finally {
            // oxlint-disable-next-line no-unsafe-finally -- what a clumsy callback does.
            throw new RangeError("while it cleaned up");
          }
        };
        const options = { callbacks: { ...callbacks, forever } };
        await assert.rejects(runInThread(kit, "exitDuring", options), BrokenWorkerError);
      },
      { signals: [], onUnhandled: (error) => void unhandled.push(error) },
    );
    assert.deepEqual(unhandled.map(String), ["RangeError: while it cleaned up"]);
  },
);

runnerTest(
  "portal.start: what a task throws when its connection is closed goes to the run's onUnhandled",
  async () => {
    const unhandled: unknown[] = [];
    const go = new Event();
    const late = async (): Promise<never> => {
      await go.wait();
      throw new RangeError("late");
    };
    await run(
      () =>
        withPortal({ late }, async (portal) => {
          const connection = connectPortal(portal.handle());
          connection.start("late");
          connection.close();
          await portal.untilReleased();
          go.set();
        }),
      { signals: [], onUnhandled: (error) => void unhandled.push(error) },
    );
    assert.deepEqual(unhandled.map(String), ["RangeError: late"]);
  },
);
