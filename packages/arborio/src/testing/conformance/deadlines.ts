import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { TimeoutError } from "../../core/errors.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import {
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  now,
  sleep,
  sleepForever,
} from "../../sync/timeouts.ts";
import { equal, instance, ok, rejects } from "./assert.ts";
import { cancelledBy, currentKernel, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** Timeouts, and deadlines that move. */
export const deadlines: ConformanceSuite = {
  name: "deadlines",
  define(test) {
    test("moveOnAfter: undefined when cut short, else the value; the scope tells the two apart (§5)", async () => {
      let scope: CancelScope | undefined;
      equal(
        await moveOnAfter(1, async (given) => {
          scope = given;
          await sleepForever();
        }),
        undefined,
      );
      ok(scope?.cancelledCaught);
      equal(
        await moveOnAfter(1e6, async (given) => {
          scope = given;
          await checkpoint();
          return "value";
        }),
        "value",
      );
      equal(scope?.cancelledCaught, false);
    });

    test("moveOnAfter: due now with zero or less, at the body's first checkpoint (§5)", async () => {
      for (const ms of [0, -1, -Infinity]) {
        let ran = false;
        const value = await moveOnAfter(ms, async () => {
          ran = true;
          await checkpoint();
          return 1;
        });
        ok(ran);
        equal(value, undefined);
        equal(await moveOnAfter(ms, () => "no checkpoint"), "no checkpoint");
      }
      equal(await moveOnAfter(Infinity, () => checkpoint().then(() => 1)), 1);
    });

    test("failAfter: TimeoutError, by the platform's name, if its deadline cut the body short (§5)", async () => {
      const error = await rejects(
        failAfter(1, () => sleepForever()),
        TimeoutError,
      );
      instance(error, TimeoutError);
      equal(error.name, "TimeoutError");
      instance(error.cause, Cancelled);
      await rejects(
        failAt(now() + 1, () => sleepForever()),
        TimeoutError,
      );
    });

    test("failAfter: a body that finishes is never timed out (§5)", async () => {
      equal(await failAfter(-1, () => "late"), "late");
      equal(await failAfter(1, () => inShield(() => sleep(3).then(() => "late"))), "late");
      equal(await failAfter(1e6, () => checkpoint().then(() => "in time")), "in time");
    });

    test("failAfter: an error of the body passes, also after the deadline (§5)", async () => {
      const failing = failAfter(-1, async () => {
        await cancelledBy(checkpoint);
        throw new RangeError("the body's");
      });
      await rejects(failing, RangeError);
    });

    test("failAfter: an explicit cancel() never becomes a timeout (§5)", async () => {
      equal(
        await failAfter(1e6, async (scope: CancelScope) => {
          scope.cancel();
          await checkpoint();
        }),
        undefined,
      );
    });

    test("failAfter: cancelled first, and left after the deadline, it is no timeout (§5)", async () => {
      const value = await failAfter(1, async (scope: CancelScope) => {
        scope.cancel("explicit");
        try {
          await checkpoint();
        } finally {
          await inShield(() => sleep(3));
        }
      });
      equal(value, undefined);
    });

    test("failAfter: an outer deadline or cancellation is not its timeout (§5)", async () => {
      equal(await moveOnAfter(1, () => failAfter(1e6, () => sleepForever())), undefined);
      await rejects(
        failAfter(1, () => moveOnAfter(1e6, () => sleepForever())),
        TimeoutError,
      );
      const both = now() + 1;
      let reached = false;
      await moveOnAt(both, async () => {
        try {
          await failAt(both, () => sleepForever());
        } catch (error) {
          reached = error instanceof TimeoutError;
          throw error;
        }
      });
      equal(reached, false, "the outermost cancelled scope owns it");
    });

    test("failAfter: the inner of two takes a Cancelled only of its own (§5)", async () => {
      const inner = failAfter(1e6, async () => {
        await rejects(
          failAfter(1, () => sleepForever()),
          TimeoutError,
        );
        return "went on";
      });
      equal(await inner, "went on");
    });

    test("CancelScope.deadline: the clock starts at entry of moveOnAfter, kept moments count as they are (§5)", async () => {
      const scope = new CancelScope({ deadline: now() + 1 });
      equal(currentKernel().deadlineCount, 0, "not before it runs");
      await sleep(3);
      await scope.run(() => checkpoint());
      ok(scope.cancelledCaught);
      await moveOnAfter(5, (given) => {
        const left = given.deadline - now();
        ok(left <= 5 && left > -1000, `got ${left}`);
      });
    });

    test("CancelScope.deadline: may be moved later and earlier (§3.2)", async () => {
      const start = now();
      const moved = await moveOnAfter(2, async (scope) => {
        scope.deadline = start + 1e6;
        await sleep(4);
        return "moved later";
      });
      equal(moved, "moved later");
      const cut = await moveOnAfter(1e6, async (scope) => {
        scope.deadline = now() + 1;
        await sleepForever();
      });
      equal(cut, undefined);
      const open = await moveOnAfter(1, async (scope) => {
        scope.deadline = Infinity;
        await sleep(3);
        return "disarmed";
      });
      equal(open, "disarmed");
    });

    test("CancelScope.deadline: moved into the past it cancels at once (§3.2)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => parking.wait()));
        await waitAllTasksBlocked();
        scope.deadline = now();
        equal(parking.aborted, 1, "before the setter returns");
        ok(scope.cancelCalled);
      });
      ok(scope.cancelledCaught);
      equal(scope.own?.reason, "deadline exceeded");
    });

    test("CancelScope.deadline: moved by another task it re-arms the timer (§3.2)", async () => {
      const scope = new CancelScope({ deadline: now() + 1e6 });
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => sleepForever()));
        await sleep(1);
        scope.deadline = now() + 2;
      });
      ok(scope.cancelledCaught);
    });

    test("CancelScope.deadline: after an explicit cancel it neither fires nor is a timeout (§3.2)", async () => {
      const before = currentKernel().deadlineCount;
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel("explicit");
        scope.deadline = now() + 1e6;
        equal(currentKernel().deadlineCount, before, "needed no timer");
        scope.deadline = now() - 1;
        equal(scope.own?.reason, "explicit");
        await checkpoint();
      });
    });

    test("CancelScope.deadline: removed when the scope closes (§5)", async () => {
      const kernel = currentKernel();
      const before = kernel.deadlineCount;
      await moveOnAfter(1e6, () => equal(kernel.deadlineCount, before + 1));
      equal(kernel.deadlineCount, before);
      await moveOnAfter(1, () => sleepForever());
      equal(kernel.deadlineCount, before);
      const scope = new CancelScope();
      await scope.run(() => {});
      scope.deadline = now() + 1e6;
      equal(kernel.deadlineCount, before, "a closed scope sets none");
    });

    test("CancelScope.deadline: a busy loop over checkpoints sees it pass (§5)", async () => {
      let rounds = 0;
      const value = await moveOnAfter(1, async () => {
        for (;;) {
          await checkpoint();
          rounds += 1;
        }
      });
      equal(value, undefined);
      ok(rounds > 0);
    });

    test("deadlines: one of many, far and near, fires when it is due (§5)", async () => {
      const far = [1e9, 1e6, 1e12].map((ms) => new CancelScope({ deadline: now() + ms }));
      await taskGroup(async (group) => {
        for (const scope of far) group.startSoon(() => scope.run(() => sleepForever()));
        await waitAllTasksBlocked();
        equal(await moveOnAfter(1, () => sleepForever()), undefined);
        for (const scope of far) {
          equal(scope.cancelCalled, false);
          scope.cancel();
        }
      });
    });
  },
};
