import { checkpoint } from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { soft } from "../../sync/soft.ts";
import { failAfter, now, sleep, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, ok, throws } from "./assert.ts";
import { cancelledBy, currentKernel, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** Graceful, then hard: `scope.shutdown`. */
export const shutdown: ConformanceSuite = {
  name: "shutdown",
  define(test) {
    test("shutdown: cancels soft scopes at once, soft returns undefined and its flow goes on (§3.8)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      const log: unknown[] = [];
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(async () => {
            log.push(await soft(() => parking.wait()));
            await checkpoint();
            log.push("went on");
          }),
        );
        await waitAllTasksBlocked();
        scope.shutdown({ graceMs: 1e6 });
        equal(parking.aborted, 1, "synchronously, like cancel");
      });
      deepEqual(log, [undefined, "went on"]);
      equal(scope.cancelCalled, false);
      equal(scope.cancelledCaught, false);
    });

    test("soft: without a shutdown it returns its body's value and passes its errors (§3.8)", async () => {
      equal(await soft(() => 1), 1);
      equal(await soft(async () => "later"), "later");
    });

    test("shutdown: what is not soft runs on until the grace is over, then it is cancelled (§3.8)", async () => {
      const scope = new CancelScope();
      const log: string[] = [];
      const start = now();
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(() =>
            taskGroup(async (inner) => {
              inner.startSoon(async () => {
                await sleep(1);
                log.push("in time");
              });
              await sleepForever();
            }),
          ),
        );
        await waitAllTasksBlocked();
        scope.shutdown({ graceMs: 100, reason: "time is up" });
        await checkpoint();
        equal(scope.cancelCalled, false);
      });
      deepEqual(log, ["in time"]);
      ok(scope.cancelledCaught);
      equal(scope.own?.reason, "time is up");
      ok(now() - start >= 100);
    });

    test("shutdown: in a soft scope everything is cancelled, groups and nested scopes too (§3.8)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(() =>
            soft(() =>
              taskGroup(async (inner) => {
                inner.startSoon(() => parking.wait());
                await soft(() => parking.wait());
              }),
            ),
          ),
        );
        await waitAllTasksBlocked();
        scope.shutdown({ graceMs: Infinity });
        equal(parking.aborted, 2);
      });
      equal(scope.cancelledCaught, false);
    });

    test("shutdown: soft scopes opened later are born cancelled (§3.8)", async () => {
      const log: unknown[] = [];
      await new CancelScope().run(async (scope) => {
        scope.shutdown({ graceMs: Infinity, reason: "why" });
        log.push(await soft(() => checkpoint().then(() => "never")));
        await taskGroup((group) => {
          group.startSoon(async () => {
            log.push(await soft(() => sleepForever()));
          });
        });
        await checkpoint();
      });
      deepEqual(log, [undefined, undefined]);
    });

    test("shutdown: with no grace, the default, all is cancelled at once (§3.8)", async () => {
      for (const options of [undefined, {}, { graceMs: 0 }, { graceMs: -1 }]) {
        const scope = new CancelScope();
        await scope.run(async () => {
          scope.shutdown(options);
          await checkpoint();
        });
        ok(scope.cancelledCaught);
        equal(scope.own?.reason, "shutting down");
      }
    });

    test("shutdown: NaN is an error, Infinity never stops hard (§3.8)", async () => {
      const before = currentKernel().deadlineCount;
      await new CancelScope().run((scope) => {
        throws(() => scope.shutdown({ graceMs: Number.NaN }), RangeError);
        equal(scope.shuttingDown, false);
        scope.shutdown({ graceMs: Infinity });
        equal(currentKernel().deadlineCount, before);
        equal(scope.cancelCalled, false);
      });
    });

    test("shutdown: shields hide what is below them from the asking too (§3.8)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(() =>
            inShield(async () => {
              await soft(() => parking.wait());
              await soft(() => checkpoint());
            }),
          ),
        );
        await waitAllTasksBlocked();
        scope.shutdown({ graceMs: Infinity });
        equal(parking.aborted, 0);
        parking.wake();
      });
      equal(scope.cancelledCaught, false);
    });

    test("shutdown: clearing a shield asks what it had hidden (§3.8)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      const shielded = new CancelScope({ shield: true });
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => shielded.run(() => soft(() => parking.wait()))));
        await waitAllTasksBlocked();
        scope.shutdown({ graceMs: Infinity });
        equal(shielded.shuttingDown, false);
        shielded.shield = false;
        equal(parking.aborted, 1);
        ok(shielded.shuttingDown);
      });
    });

    test("shuttingDown: tells in every scope below that no shield hides (§3.8)", async () => {
      await new CancelScope().run(async (scope) => {
        equal(scope.shuttingDown, false);
        scope.shutdown({ graceMs: Infinity });
        ok(scope.shuttingDown);
        await new CancelScope().run((inner) => ok(inner.shuttingDown));
        await new CancelScope({ shield: true }).run((inner) => equal(inner.shuttingDown, false));
        equal(scope.parent?.shuttingDown, false);
      });
    });

    test("shutdown: the hard stop is never a timeout (§3.8)", async () => {
      const value = await failAfter(1e6, async (scope: CancelScope) => {
        scope.shutdown({ graceMs: 1 });
        await sleepForever();
      });
      equal(value, undefined);
    });

    test("shutdown: a deadline that passes during the grace is still a timeout (§3.8)", async () => {
      let timedOut = false;
      await failAfter(2, async (scope: CancelScope) => {
        scope.shutdown({ graceMs: 1e6 });
        equal(scope.deadline < now() + 1000, true, "the deadline is left alone");
        await sleepForever();
      }).catch((error: Error) => {
        timedOut = error.name === "TimeoutError";
      });
      ok(timedOut);
    });

    test("shutdown: asked again, the grace can only get shorter (§3.8)", async () => {
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => sleepForever()));
        await waitAllTasksBlocked();
        scope.shutdown({ graceMs: 1e6 });
        scope.shutdown({ graceMs: 2, reason: "shorter" });
        scope.shutdown({ graceMs: 1e6 });
        equal(currentKernel().deadlineCount, 1, "one entry");
      });
      equal(scope.own?.reason, "shorter");
    });

    test("shutdown: asked again without grace, it cancels at once (§3.8)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => parking.wait()));
        await waitAllTasksBlocked();
        scope.shutdown({ graceMs: 1e6 });
        scope.shutdown();
        equal(parking.aborted, 1);
      });
      ok(scope.cancelledCaught);
      equal(currentKernel().deadlineCount, 0);
    });

    test("shutdown: done within the grace, nothing is cancelled and no timer is left (§3.8)", async () => {
      const before = currentKernel().deadlineCount;
      const value = await new CancelScope().run(async (scope) => {
        scope.shutdown({ graceMs: 1e6 });
        await soft(() => sleepForever());
        return "cleaned up";
      });
      equal(value, "cleaned up");
      equal(currentKernel().deadlineCount, before);
    });

    test("shutdown: before run it is honoured inside, the grace counts from entry (§3.8)", async () => {
      const now0 = new CancelScope();
      now0.shutdown();
      await now0.run(() => checkpoint());
      ok(now0.cancelledCaught);
      const later = new CancelScope();
      later.shutdown({ graceMs: 100, reason: "early" });
      const log: unknown[] = [];
      await later.run(async () => {
        log.push(await soft(() => sleepForever()));
        await sleepForever();
      });
      deepEqual(log, [undefined]);
      ok(later.cancelledCaught);
      equal(later.own?.reason, "early");
    });

    test("shutdown: of a closed scope is without effect (§3.8)", async () => {
      const before = currentKernel().deadlineCount;
      const scope = new CancelScope();
      await scope.run(() => {});
      scope.shutdown({ graceMs: 5 });
      equal(currentKernel().deadlineCount, before);
      equal(scope.cancelCalled, false);
    });

    test("shutdown: a cancelled soft scope below a cancelled scope does not catch (§3.8)", async () => {
      const scope = new CancelScope();
      let reached = false;
      await scope.run(async () => {
        await soft(async () => {
          scope.shutdown();
          await cancelledBy(checkpoint);
          await checkpoint();
        });
        reached = true;
      });
      equal(reached, false);
      ok(scope.cancelledCaught);
    });
  },
};
