import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import {
  currentEffectiveDeadline,
  failAt,
  moveOnAfter,
  moveOnAt,
  now,
  sleep,
  sleepForever,
  sleepUntil,
} from "../../sync/timeouts.ts";
import { deepEqual, equal, ok, rejects, throws } from "./assert.ts";
import { currentKernel, HOST_TIME, inCancelledScope, inShield } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** More milliseconds than the timers of hosts can count. */
const BEYOND_TIMERS_MS = 2 ** 31 + 1000;

/** Sleeping, and scopes with a deadline. */
export const time: ConformanceSuite = {
  name: "time",
  define(test) {
    test("now: in milliseconds, never goes back, and goes on while one sleeps (§5)", async () => {
      const before = now();
      await sleep(3);
      const after = now();
      ok(after - before >= 3, `needed at least 3 ms, got ${after - before}`);
      ok(now() >= after);
    });

    test("sleep: zero and negative durations are due now, NaN is an error (§5)", async () => {
      const kernel = currentKernel();
      for (const ms of [0, -0, -1, -Infinity]) {
        const before = kernel.deadlineCount;
        const sleeping = sleep(ms);
        equal(kernel.deadlineCount, before, "needed no timer");
        await sleeping;
      }
      await rejects(sleep(Number.NaN), RangeError);
      await rejects(sleepUntil(Number.NaN), RangeError);
      await rejects(
        moveOnAt(Number.NaN, () => {}),
        RangeError,
      );
      await rejects(
        failAt(Number.NaN, () => {}),
        RangeError,
      );
      throws(() => new CancelScope({ deadline: Number.NaN }), RangeError);
      throws(() => {
        new CancelScope().deadline = Number.NaN;
      }, RangeError);
      throws(() => {
        new CancelScope().deadline = "soon" as never;
      }, TypeError);
    });

    test("sleepUntil: not before its moment; a past one is a checkpoint (§5)", async () => {
      const when = now() + 2;
      await sleepUntil(when);
      ok(now() >= when);
      await sleepUntil(when);
      await sleepUntil(-Infinity);
    });

    test(
      "sleep: sleepers end in the order of their moments, ties in the order they were set (§5)",
      async () => {
        const order: string[] = [];
        const start = now();
        const sleeps = [5, 1, 3, 1, 5, 2].map((ms, index) =>
          sleepUntil(start + ms).then(() => order.push(`${ms}#${index}`)),
        );
        const spin = currentKernel().clock;
        // All of them are due when the kernel looks first.
        for (let count = 0; spin.now() < start + 6 && count < 1e7; count++);
        await Promise.all(sleeps);
        deepEqual(order, ["1#1", "1#3", "2#5", "3#2", "5#0", "5#4"]);
      },
      HOST_TIME,
    );

    test("deadlines: ties fire in the order they were set, moving one sets it anew (§5)", async () => {
      const order: number[] = [];
      // A few turns of a slow host come before it: seen to take 2 ms each.
      const when = now() + 15;
      const scopes = [0, 1, 2].map(() => new CancelScope({ deadline: when }));
      await taskGroup(async (group) => {
        for (const [index, scope] of scopes.entries())
          group.startSoon(() =>
            scope.run(
              () =>
                new Promise<never>((_, reject) => {
                  scope.signal.addEventListener("abort", () => {
                    order.push(index);
                    reject(scope.signal.reason as Error);
                  });
                }),
            ),
          );
        await waitAllTasksBlocked();
        for (const index of [2, 0, 1]) (scopes[index] as CancelScope).deadline = when + 1;
      });
      deepEqual(order, [2, 0, 1]);
    });

    test("sleep: a thousand sleepers of random lengths all end, not too early (§5)", async () => {
      let ended = 0;
      await taskGroup((group) => {
        for (let index = 0; index < 1000; index++)
          group.startSoon(async () => {
            const when = now() + ((index * 7919) % 11);
            await sleepUntil(when);
            ok(now() >= when);
            ended += 1;
          });
      });
      equal(ended, 1000);
      equal(currentKernel().deadlineCount, 0);
    });

    test("sleep: more than 2^31 milliseconds do not end at once (§5)", async () => {
      const start = now();
      const log: string[] = [];
      const long = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() =>
          long.run(async () => {
            await sleep(BEYOND_TIMERS_MS);
            log.push("long");
          }),
        );
        await sleep(5);
        ok(now() - start < BEYOND_TIMERS_MS);
        deepEqual(log, []);
        long.cancel();
      });
      equal(await moveOnAfter(BEYOND_TIMERS_MS, () => sleep(3).then(() => "value")), "value");
    });

    test("sleepForever: waits until cancelled, without a timer (§5)", async () => {
      const before = currentKernel().deadlineCount;
      const scope = new CancelScope();
      await scope.run(async () => {
        const waits = [sleepForever(), sleep(Infinity)];
        equal(currentKernel().deadlineCount, before);
        scope.cancel();
        await Promise.all(waits);
      });
      ok(scope.cancelledCaught);
    });

    test("currentEffectiveDeadline: the earliest up to a shield, −Infinity when cancelled (§5)", async () => {
      equal(currentEffectiveDeadline(), Infinity);
      const far = now() + 1e6;
      await moveOnAt(far, async () => {
        equal(currentEffectiveDeadline(), far);
        await moveOnAt(far + 5, () => equal(currentEffectiveDeadline(), far));
        await moveOnAt(far - 5, () => equal(currentEffectiveDeadline(), far - 5));
        await inShield(() => equal(currentEffectiveDeadline(), Infinity));
        await new CancelScope({ shield: true, deadline: far + 9 }).run(() =>
          equal(currentEffectiveDeadline(), far + 9),
        );
      });
      await inCancelledScope(() => equal(currentEffectiveDeadline(), -Infinity));
      await moveOnAfter(-1, () => equal(currentEffectiveDeadline(), -Infinity));
    });
  },
};
