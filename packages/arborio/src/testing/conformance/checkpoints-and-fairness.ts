import { ambientScope } from "../../core/ambient.ts";
import { Cancelled } from "../../core/cancelled.ts";
import {
  cancelShieldedCheckpoint,
  checkpoint,
  checkpointIfCancelled,
} from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { suspend } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import {
  moveOnAfter,
  moveOnAt,
  now,
  sleep,
  sleepForever,
  sleepUntil,
} from "../../sync/timeouts.ts";
import { assertCheckpoints, assertNoCheckpoints } from "../checkpoints.ts";
import { deepEqual, equal, ok, rejects, throws } from "./assert.ts";
import {
  currentKernel,
  HOST_ORDER,
  HOST_TIME,
  HOST_TIMERS,
  inCancelledScope,
  Parking,
} from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** What a checkpoint is. */
export const checkpoints: ConformanceSuite = {
  name: "checkpoints",
  define(test) {
    test("every function that may wait: a checkpoint, throws Cancelled in a cancelled scope (§2.1)", async (group) => {
      const ended = group.startSoon(() => 1);
      await ended.wait();
      const calls: Record<string, () => Promise<unknown>> = {
        checkpoint,
        sleepZero: () => sleep(0),
        sleepNegative: () => sleep(-1),
        sleep: () => sleep(1e6),
        sleepUntilPast: () => sleepUntil(-1),
        sleepForever,
        suspend: () => suspend({ kind: "test" }, () => () => {}),
        waitAllTasksBlocked,
        wait: () => ended.wait(),
        result: () => ended.result(),
        start: () => group.start(async (status) => status.started(undefined)),
      };
      for (const [name, call] of Object.entries(calls)) {
        const scope = new CancelScope();
        await scope.run(async () => {
          scope.cancel(name);
          const promise = call();
          ok(promise instanceof Promise);
          equal(((await rejects(promise, Cancelled)) as Cancelled).reason, name);
        });
      }
    });

    test("every function that may wait: passes a checkpoint also when it need not wait (§2.1)", async (group) => {
      const ended = group.startSoon(() => 1);
      await ended.wait();
      const calls = [
        checkpoint,
        () => sleep(0),
        () => sleep(-5),
        () => sleepUntil(now()),
        () => ended.wait(),
        () => ended.result(),
        () => group.start((status) => status.started()),
      ];
      for (const call of calls) await assertCheckpoints(call as () => Promise<unknown>);
    });

    test("opening a scope: passes no checkpoint (§2.1)", async () => {
      await assertNoCheckpoints(() => new CancelScope().run(() => {}));
      await assertNoCheckpoints(() => taskGroup(() => {}));
      await assertNoCheckpoints(() => taskGroup((group) => void group.startSoon(() => {})));
      await assertNoCheckpoints(() => moveOnAfter(10, () => {}));
    });

    test("group.start: in a cancelled scope its function is not called (§2.2)", async (group) => {
      let called = false;
      await inCancelledScope(() =>
        group.start(async (status) => {
          called = true;
          status.started();
        }),
      );
      await waitAllTasksBlocked();
      equal(called, false);
    });

    test(
      "checkpoint: throws for a deadline that has passed though no host timer has run (§2.2)",
      async () => {
        const kernel = currentKernel();
        const scope = new CancelScope();
        await scope.run(async () => {
          scope.deadline = now() + 1;
          while (kernel.clock.now() < scope.deadline);
          throws(() => checkpointIfCancelled(), Cancelled);
          await checkpoint();
          ok(false, "needed a throw");
        });
        ok(scope.cancelledCaught);
      },
      HOST_TIME,
    );

    test(
      "cancelCalled and scope exit: see a deadline that has passed though no host timer has run (§2.2)",
      async () => {
        const clock = currentKernel().clock;
        const outer = new CancelScope();
        await outer.run(async () => {
          await moveOnAfter(1, (scope) => {
            while (clock.now() < scope.deadline);
            ok(scope.cancelCalled);
          });
          await moveOnAfter(1, (scope) => {
            outer.deadline = scope.deadline;
            while (clock.now() < outer.deadline);
          });
          ok(outer.own !== null, "the exit of a scope inside fires an ancestor's deadline");
        });
        equal(outer.cancelledCaught, false);
      },
      HOST_TIME,
    );

    test(
      "checkpoint: throws for an ancestor's deadline that has passed (§2.2)",
      async () => {
        const outer = new CancelScope();
        const clock = currentKernel().clock;
        await outer.run(() =>
          moveOnAfter(1e6, async () => {
            outer.deadline = now() + 1;
            while (clock.now() < outer.deadline);
            await checkpoint();
            ok(false, "needed a throw");
          }),
        );
        ok(outer.cancelledCaught);
      },
      HOST_TIME,
    );

    test(
      "fast paths: throw within 16 calls after a deadline has passed (§2.2)",
      async () => {
        const clock = currentKernel().clock;
        let calls = 0;
        const end = now() + 1;
        await moveOnAt(end, async () => {
          while (clock.now() < end);
          for (;;) {
            await suspend({ kind: "test" }, (waiter) => {
              calls += 1;
              waiter.wake(undefined);
              return () => {};
            });
          }
        });
        ok(calls < 16, `needed fewer than 16 calls, got ${calls}`);
      },
      HOST_TIME,
    );

    test("checkpoint: lets other tasks run (§2.5)", async () => {
      let other = false;
      await taskGroup(async (group) => {
        group.startSoon(() => {
          other = true;
        });
        for (let count = 0; count < 1000 && !other; count++) await checkpoint();
        ok(other);
      });
    });

    test("cancelShieldedCheckpoint: lets other tasks run and throws nothing (§2.5)", async () => {
      await inCancelledScope(async () => {
        ok(ambientScope().applied !== null);
        await cancelShieldedCheckpoint();
      });
    });
  },
};

/** A busy program starves neither its own tasks nor the host. */
export const fairness: ConformanceSuite = {
  name: "fairness",
  define(test) {
    /** Runs `round` over and over until a timer of the host has fired; on a starving kernel, never. */
    const untilHostTimer = async (round: () => Promise<unknown>): Promise<number> => {
      let fired = false;
      let rounds = 0;
      currentKernel().clock.setTimer(2, () => {
        fired = true;
      });
      while (!fired) {
        await round();
        rounds += 1;
        // A starving kernel would loop for ever; this many rounds take seconds.
        if (rounds > 20_000_000) throw new Error("the host's timers starve");
      }
      return rounds;
    };

    test("fairness: a loop over checkpoint() does not starve the host (§2.5)", async () => {
      ok((await untilHostTimer(checkpoint)) > 0);
    });

    test(
      "fairness: a loop over sleep(0) does not starve the host (§2.5)",
      async () => {
        ok((await untilHostTimer(() => sleep(0))) > 0);
      },
      HOST_TIMERS,
    );

    test(
      "fairness: two tasks that only wake each other do not starve the host (§2.5)",
      async () => {
        const parking = new Parking();
        const scope = new CancelScope();
        await taskGroup(async (group) => {
          group.startSoon(() =>
            scope.run(async () => {
              for (;;) {
                parking.wake();
                await parking.wait();
              }
            }),
          );
          await untilHostTimer(() => {
            parking.wake();
            return parking.wait();
          });
          scope.cancel();
        });
        ok(parking.begun > 2);
      },
      HOST_TIMERS,
    );

    test(
      "fairness: a loop that swallows Cancelled does not starve the host (§2.5)",
      async () => {
        const scope = new CancelScope();
        await scope.run(async () => {
          scope.cancel();
          await untilHostTimer(() => checkpoint().catch(() => {}));
          await untilHostTimer(() => new Parking().wait().catch(() => {}));
        });
      },
      HOST_TIMERS,
    );

    test(
      "fairness: a loop over scopes that are cut short at once does not starve the host (§2.5)",
      async () => {
        await untilHostTimer(() => moveOnAfter(-1, sleepForever));
      },
      HOST_TIMERS,
    );

    test(
      "fairness: a loop over task groups with a child each does not starve the host (§2.5)",
      async () => {
        await untilHostTimer(() => taskGroup((group) => void group.startSoon(() => {})));
      },
      HOST_TIMERS,
    );

    test(
      "fairness: busy tasks keep their turns, first-in first-out, also over the budget (§2.5)",
      async () => {
        const order: number[] = [];
        await taskGroup((group) => {
          for (let index = 0; index < 3; index++)
            group.startSoon(async () => {
              for (let round = 0; round < 3000; round++) {
                order.push(index);
                await checkpoint();
              }
            });
        });
        deepEqual(
          order.findIndex((index, at) => index !== at % 3),
          -1,
        );
      },
      HOST_ORDER,
    );

    test("fairness: the budget delays resumptions, never effects (§2.5)", async () => {
      const parking = new Parking<number>();
      await taskGroup(async (group) => {
        const got: number[] = [];
        for (let index = 0; index < 2000; index++)
          group.startSoon(async () => void got.push(await parking.wait()));
        await waitAllTasksBlocked();
        for (let index = 0; index < 2000; index++) ok(parking.wake(index), "needed a waiter");
        equal(parking.waiters.length, 0);
        equal(got.length, 0, "resumed later, not inside the call");
        await waitAllTasksBlocked();
        equal(got.length, 2000);
      });
    });
  },
};
