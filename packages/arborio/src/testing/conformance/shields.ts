import { checkpoint } from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { moveOnAfter, sleep, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, ok } from "./assert.ts";
import { inCancelledScope, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** Shields: cleanup that waits, and what happens when a shield goes up or comes down. */
export const shields: ConformanceSuite = {
  name: "shields",
  define(test) {
    test("shield: cleanup behind a shield waits to its end in a cancelled scope (§3.2)", async () => {
      const log: string[] = [];
      const scope = await inCancelledScope(async () => {
        try {
          await sleepForever();
        } finally {
          await inShield(async () => {
            await sleep(1);
            await checkpoint();
            log.push("cleaned up");
          });
          log.push("left the shield");
        }
      });
      deepEqual(log, ["cleaned up", "left the shield"]);
      ok(scope.cancelledCaught);
    });

    test("shield: leaving it is no checkpoint, the next one throws again (§3.2)", async () => {
      let value: number | undefined;
      const scope = await inCancelledScope(async () => {
        value = await inShield(() => 1);
        await checkpoint();
        value = 2;
      });
      equal(value, 1);
      ok(scope.cancelledCaught);
    });

    test("shield: a deadline of the shielded scope itself still works (§3.2)", async () => {
      const shielded = new CancelScope({ shield: true });
      await inCancelledScope(async () => {
        await shielded.run(() => moveOnAfter(1, sleepForever));
        shielded.shield = true;
      });
      const limited = new CancelScope({ shield: true, deadline: -Infinity });
      await inCancelledScope(() => limited.run(() => sleepForever()));
      ok(limited.cancelledCaught);
    });

    test("shield: clearing it while a visible ancestor is cancelled delivers at once (§3.2)", async () => {
      const parking = new Parking();
      const outer = new CancelScope();
      const shielded = new CancelScope({ shield: true });
      await taskGroup(async (group) => {
        group.startSoon(() =>
          outer.run(() => shielded.run(() => new CancelScope().run(() => parking.wait()))),
        );
        await waitAllTasksBlocked();
        outer.cancel();
        equal(parking.aborted, 0);
        shielded.shield = false;
        equal(parking.aborted, 1, "before the setter returns");
      });
      ok(outer.cancelledCaught);
      equal(shielded.cancelledCaught, false);
    });

    test("shield: clearing one below another shield delivers nothing (§3.2)", async () => {
      const parking = new Parking();
      const outer = new CancelScope();
      const inner = new CancelScope({ shield: true });
      await taskGroup(async (group) => {
        group.startSoon(() => outer.run(() => inShield(() => inner.run(() => parking.wait()))));
        await waitAllTasksBlocked();
        outer.cancel();
        inner.shield = false;
        equal(parking.aborted, 0);
        parking.wake();
      });
      equal(outer.cancelledCaught, false);
    });

    test("shield: setting it hides a cancellation that had been delivered, but not the scope's own (§3.2)", async () => {
      const outer = new CancelScope();
      const inner = new CancelScope();
      const nested = new CancelScope();
      const log: string[] = [];
      await outer.run(() =>
        inner.run(() =>
          nested.run(async () => {
            outer.cancel();
            inner.shield = true;
            await checkpoint();
            log.push("hidden");
            inner.cancel();
            await checkpoint();
            log.push("never");
          }),
        ),
      );
      deepEqual(log, ["hidden"]);
      ok(inner.cancelledCaught);
      equal(outer.cancelledCaught, false);
    });

    test("shield: setting it leaves a cancelled scope below it cancelled (§3.2)", async () => {
      const outer = new CancelScope();
      const middle = new CancelScope();
      const inner = new CancelScope();
      await outer.run(() =>
        middle.run(async () => {
          await inner.run(async () => {
            inner.cancel();
            outer.cancel();
            middle.shield = true;
            await checkpoint();
          });
          ok(inner.cancelledCaught);
          middle.shield = false;
          await checkpoint();
        }),
      );
      ok(outer.cancelledCaught);
    });

    test("shield: toggled many times, what counts is how it stands at a checkpoint (§3.2)", async () => {
      const outer = new CancelScope();
      const inner = new CancelScope();
      await outer.run(() =>
        inner.run(async () => {
          outer.cancel();
          for (let round = 0; round < 10; round++) {
            inner.shield = true;
            equal(inner.shield, true);
            await checkpoint();
            inner.shield = false;
          }
          await checkpoint();
        }),
      );
      ok(outer.cancelledCaught);
    });

    test("shield: set before run, it is in force from the start; without effect after the end (§3.2)", async () => {
      const scope = new CancelScope();
      scope.shield = true;
      await inCancelledScope(async () => {
        await scope.run(() => checkpoint());
        scope.shield = false;
      });
      equal(scope.cancelledCaught, false);
    });

    test("shield: a task group in a shield lives on with all its children (§3.2)", async () => {
      const log: string[] = [];
      const scope = await inCancelledScope(async () => {
        await inShield(() =>
          taskGroup(async (group) => {
            group.startSoon(async () => {
              await checkpoint();
              log.push("child");
            });
            await checkpoint();
            log.push("body");
          }),
        );
      });
      deepEqual(log.toSorted(), ["body", "child"]);
      equal(scope.cancelledCaught, false);
    });
  },
};
