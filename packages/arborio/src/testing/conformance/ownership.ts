import { checkpoint } from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { moveOnAfter, sleepForever } from "../../sync/timeouts.ts";
import { equal, errorOf, instance, ok } from "./assert.ts";
import { cancelledBy, foreign, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** Whose cancellation is it? Decided on the way out. */
export const ownership: ConformanceSuite = {
  name: "ownership",
  define(test) {
    test("cancelledCaught: true for the scope that was cancelled, and run returns undefined (§3.2)", async () => {
      const scope = new CancelScope();
      const value = await scope.run(async () => {
        scope.cancel();
        await checkpoint();
        return 1;
      });
      equal(value, undefined);
      ok(scope.cancelledCaught);
    });

    test("cancelledCaught: with both cancelled the outer scope takes it, whichever came first (§3.2)", async () => {
      for (const outerFirst of [true, false]) {
        const outer = new CancelScope();
        const inner = new CancelScope();
        let reached = false;
        await outer.run(async () => {
          await inner.run(async () => {
            for (const scope of outerFirst ? [outer, inner] : [inner, outer]) scope.cancel();
            await checkpoint();
          });
          reached = true;
        });
        equal(reached, false);
        equal(inner.cancelledCaught, false);
        ok(outer.cancelledCaught);
      }
    });

    test("cancelledCaught: decided on the way out, an outer cancellation during cleanup takes over (§3.2)", async () => {
      const parking = new Parking();
      const outer = new CancelScope();
      const inner = new CancelScope();
      let reached = false;
      await taskGroup(async (group) => {
        group.startSoon(() =>
          outer.run(async () => {
            await inner.run(async () => {
              try {
                await sleepForever();
              } finally {
                await inShield(() => parking.wait());
              }
            });
            reached = true;
          }),
        );
        await waitAllTasksBlocked();
        inner.cancel("first");
        await waitAllTasksBlocked();
        outer.cancel("second");
        parking.wake();
      });
      equal(reached, false);
      equal(inner.cancelledCaught, false);
      ok(outer.cancelledCaught);
    });

    test("cancelledCaught: a cancelled scope behind a shield is no visible ancestor (§3.2)", async () => {
      const outer = new CancelScope();
      const inner = new CancelScope();
      await outer.run(async () => {
        outer.cancel();
        await inShield(async () => {
          await inner.run(async () => {
            inner.cancel();
            await checkpoint();
          });
          ok(inner.cancelledCaught, "the shield lies between");
        });
      });
      equal(outer.cancelledCaught, false);
    });

    test("cancelledCaught: a scope's own shield hides its ancestors too (§3.2)", async () => {
      const outer = new CancelScope();
      const inner = new CancelScope({ shield: true });
      await outer.run(async () => {
        outer.cancel();
        await inner.run(async () => {
          inner.cancel();
          await checkpoint();
        });
        ok(inner.cancelledCaught);
      });
    });

    test("cancelledCaught: a Cancelled kept and thrown later in its scope is still its own (§3.2)", async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        const error = await cancelledBy(checkpoint);
        await Promise.resolve();
        throw error;
      });
      ok(scope.cancelledCaught);
    });

    test("cancelledCaught: a scope whose body threw a real error did not catch anything (§3.2)", async () => {
      const scope = new CancelScope();
      const real = new Error("real");
      const error = await errorOf(
        scope.run(async () => {
          scope.cancel();
          try {
            await checkpoint();
          } catch {
            throw real;
          }
        }),
      );
      equal(error, real);
      equal(scope.cancelledCaught, false);
    });

    test("CancelScope.cancel: cannot be undone, not by a deadline nor by a shield (§3.2)", async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        scope.deadline = Infinity;
        scope.shield = true;
        ok(scope.cancelCalled);
        await checkpoint();
      });
      ok(scope.cancelledCaught);
    });

    test("a cancelled scope inside a cancelled scope: Promise.all delivers one Cancelled, and the scope takes it (§3.2)", async () => {
      const scope = new CancelScope();
      const value = await scope.run(async () => {
        const waits = Promise.all([sleepForever(), sleepForever(), moveOnAfter(1e6, sleepForever)]);
        scope.cancel();
        await waits;
      });
      equal(value, undefined);
      ok(scope.cancelledCaught);
    });

    test("a scope: awaiting what another flow rejected with a real error passes it, cancelled or not (§3.2)", async () => {
      const gate = foreign();
      const scope = new CancelScope();
      const running = errorOf(
        scope.run(async () => {
          scope.cancel();
          await gate.promise;
        }),
      );
      gate.reject(new RangeError("foreign"));
      instance(await running, RangeError);
      equal(scope.cancelledCaught, false);
    });
  },
};
