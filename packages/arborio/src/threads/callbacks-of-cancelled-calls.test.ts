/** That a cancelled call with callbacks ends in each of its forms: waited for or abandoned, awaiting or blocked, in a thread, a process, the simulator. */
import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import {
  BrokenResourceError,
  CancelScope,
  CapacityLimiter,
  failAfter,
  run,
  shielded,
  sleep,
  sleepForever,
} from "../index.ts";
import { hostBackend } from "../platform/host.ts";
import { simulator } from "../sim.ts";
import { moduleAt, runInProcess, runInThread } from "../threads.ts";
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
