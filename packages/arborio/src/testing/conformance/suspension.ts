import { ambientScope } from "../../core/ambient.ts";
import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { runSyncSoon, suspend, type Wakeable } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { deepEqual, equal, ok, rejects, throws } from "./assert.ts";
import { currentKernel, HOST_ORDER, inCancelledScope, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** The one suspension primitive, and the race of wake-up and cancellation. */
export const suspension: ConformanceSuite = {
  name: "suspension",
  define(test) {
    test("suspend: is resumed once, with a value; later calls find no waiter (§7)", async () => {
      let waiter: Wakeable<number> | undefined;
      const value = await suspend<number>({ kind: "test" }, (given) => {
        waiter = given;
        void Promise.resolve().then(() => {
          equal(given.wake(1), true);
          equal(given.wake(2), false);
          equal(given.fail(new Error("late")), false);
        });
        return () => {};
      });
      equal(value, 1);
      equal(waiter?.wake(3), false);
    });

    test("suspend: is resumed with an error, once (§7)", async () => {
      const waiting = suspend({ kind: "test" }, (waiter) => {
        equal(waiter.fail(new RangeError("failed")), true);
        equal(waiter.wake(undefined), false);
        return () => {};
      });
      await rejects(waiting, RangeError);
    });

    test("suspend: may be woken before it has parked (§7)", async () => {
      const value = await suspend<string>({ kind: "test" }, (waiter) => {
        waiter.wake("at once");
        return () => {};
      });
      equal(value, "at once");
    });

    test("suspend: what begin throws is what the wait rejects with, nothing stays registered (§7)", async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const error = new RangeError("begin");
        const promise = suspend({ kind: "test" }, () => {
          throw error;
        });
        equal(await rejects(promise, RangeError), error);
        equal(scope.first, null);
        await rejects(suspend({ kind: "test" }, 5 as never), TypeError);
        await rejects(
          suspend(undefined as never, () => () => {}),
          /options.*needs an object such as/,
        );
        await rejects(
          suspend({ kind: "test" }, (() => {}) as never),
          /result of begin: got undefined/,
        );
      });
    });

    test("suspend: in a cancelled scope begin is not called (§2.2)", async () => {
      let begun = false;
      await inCancelledScope(() =>
        suspend({ kind: "test" }, () => {
          begun = true;
          return () => {};
        }),
      );
      equal(begun, false);
    });

    test("suspend: the abort function is called once, and not after a wake-up (§7)", async () => {
      let aborts = 0;
      const wait = (): Promise<void> =>
        suspend({ kind: "test" }, (waiter) => {
          if (aborts === 1) waiter.wake();
          return () => void (aborts += 1);
        });
      const scope = new CancelScope();
      await scope.run(async () => {
        const waiting = wait();
        scope.cancel();
        scope.cancel();
        await rejects(waiting, Cancelled);
      });
      equal(aborts, 1);
      await wait();
      equal(aborts, 1);
    });

    test("suspend: a wait that cannot be withdrawn goes on until it is woken (§7)", async () => {
      const scope = new CancelScope();
      let waiter: Wakeable<string> | undefined;
      const value = await scope.run(async () => {
        const waiting = suspend<string>({ kind: "test" }, (given) => {
          waiter = given;
          return () => false;
        });
        scope.cancel();
        await Promise.resolve();
        equal(waiter?.wake("ended"), true);
        return await waiting;
      });
      equal(value, "ended");
      equal(scope.cancelledCaught, false);
    });

    test("suspend: cancelled by its own begin, the abort function is still called (§7)", async () => {
      const scope = new CancelScope();
      let registered = false;
      await scope.run(() =>
        suspend({ kind: "test" }, () => {
          scope.cancel();
          registered = true;
          return () => {
            registered = false;
          };
        }),
      );
      ok(scope.cancelledCaught);
      equal(registered, false);
    });

    test("suspend: wake then cancel in the same turn, the wake wins and the next checkpoint throws (§2.4)", async () => {
      const parking = new Parking<string>();
      const scope = new CancelScope();
      const log: string[] = [];
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(async () => {
            log.push(await parking.wait());
            await checkpoint();
            log.push("never");
          }),
        );
        await waitAllTasksBlocked();
        equal(parking.wake("value"), true);
        scope.cancel();
      });
      deepEqual(log, ["value"]);
      equal(parking.aborted, 0);
      ok(scope.cancelledCaught);
    });

    test("suspend: cancel then wake in the same turn, the cancellation wins and the wake finds no waiter (§2.4)", async () => {
      const scope = new CancelScope();
      const log: string[] = [];
      let waiter: Wakeable<string> | undefined;
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(async () => {
            const waiting = suspend<string>({ kind: "test" }, (given) => {
              waiter = given;
              return () => {};
            });
            log.push(await waiting);
          }),
        );
        await waitAllTasksBlocked();
        scope.cancel();
        equal(waiter?.wake("lost"), false);
      });
      deepEqual(log, []);
      ok(scope.cancelledCaught);
    });

    test("suspend: the same when the budget delays the resumption (§2.4)", async () => {
      const clock = currentKernel().clock;
      for (let round = 0; round < 20; round++) {
        const parking = new Parking<string>();
        const scope = new CancelScope();
        const log: string[] = [];
        await taskGroup(async (group) => {
          group.startSoon(() =>
            scope.run(async () => {
              log.push(await parking.wait());
            }),
          );
          await waitAllTasksBlocked();
          // Use up the budget of this turn, so that the kernel begins to delay.
          const until = clock.now() + 2;
          for (let count = 0; count < 600 && clock.now() < until; count++) await checkpoint();
          equal(parking.wake("value"), true);
          scope.cancel();
          deepEqual(log, []);
        });
        deepEqual(log, ["value"]);
      }
    });

    test("suspend: whoever is handed something after cancellation gave it up gets it, nothing is lost (§2.4)", async () => {
      const parking = new Parking<number>();
      const got: number[] = [];
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(async () => void got.push(await parking.wait())));
        await waitAllTasksBlocked();
        group.startSoon(async () => void got.push(await parking.wait()));
        await waitAllTasksBlocked();
        scope.cancel();
        parking.wake(1);
      });
      deepEqual(got, [1]);
      equal(parking.aborted, 1);
    });

    test(
      "suspend: woken flows go on in the order of their wake-ups (§2.5)",
      async () => {
        const parking = new Parking<number>();
        const order: number[] = [];
        await taskGroup(async (group) => {
          for (let index = 0; index < 1000; index++)
            group.startSoon(async () => void order.push(await parking.wait()));
          await waitAllTasksBlocked();
          for (let index = 0; index < 1000; index++) parking.wake(index);
        });
        deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      },
      HOST_ORDER,
    );

    test("runSyncSoon: runs its function later, outside every task, also for callbacks without one (§7)", async () => {
      let ran = false;
      const parking = new Parking();
      runSyncSoon(() => {
        ran = true;
        parking.wake();
      });
      equal(ran, false);
      await parking.wait();
      ok(ran);
      throws(() => runSyncSoon(5 as never), TypeError);
    });

    test("runSyncSoon: its function runs in no task and no scope of the caller (§7)", async () => {
      const found = Promise.withResolvers<CancelScope>();
      await inCancelledScope(() => runSyncSoon(() => found.resolve(ambientScope())));
      const scope = await found.promise;
      equal(scope.parent, null);
      equal(scope.applied, null);
    });
  },
};
