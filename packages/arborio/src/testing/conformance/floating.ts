import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { ScopeClosedError } from "../../core/errors.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { suspend, type Wakeable } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { outsideScopes } from "../../sync/outside.ts";
import { failAfter, moveOnAfter, sleep, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, errorOf, instance, ok, rejects } from "./assert.ts";
import { currentKernel, foreign, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** Calls that nobody awaits, and flows that outlive their scope. */
export const floating: ConformanceSuite = {
  name: "floating calls",
  define(test) {
    test("a floating wait: cancelled when its scope closes, its timer removed (§1.6)", async () => {
      const kernel = currentKernel();
      const before = kernel.deadlineCount;
      const parking = new Parking();
      let floating: Promise<void> | undefined;
      const value = await new CancelScope().run(() => {
        floating = parking.wait();
        void sleep(1e6);
        equal(kernel.deadlineCount, before + 1);
        return "value";
      });
      equal(value, "value");
      equal(parking.aborted, 1);
      equal(kernel.deadlineCount, before);
      await rejects(floating as Promise<void>, Cancelled);
    });

    test("a floating wait: the loser of a Promise.race is cancelled when its scope closes (§1.6)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      const value = await scope.run(() =>
        Promise.race([parking.wait(), checkpoint().then(() => "winner")]),
      );
      equal(value, "winner");
      equal(parking.aborted, 1);
      equal(parking.wake(), false, "nothing is handed to it later");
      equal(scope.cancelledCaught, false);
    });

    test("a floating wait: cancelled also when the body throws, whose error passes (§1.6)", async () => {
      const parking = new Parking();
      const running = new CancelScope().run(() => {
        void parking.wait();
        throw new RangeError("the body's");
      });
      await rejects(running, RangeError);
      equal(parking.aborted, 1);
    });

    test("a floating wait: cancelled at the end of a task and of a group's body, before they have ended (§1.6)", async () => {
      const parking = new Parking();
      await taskGroup(async (group) => {
        const child = group.startSoon(() => {
          void parking.wait();
          return "child";
        });
        equal(await child.result(), "child");
        equal(parking.aborted, 1);
      });
      const value = await taskGroup(() => {
        void parking.wait();
        return "body";
      });
      equal(value, "body");
      equal(parking.aborted, 2);
    });

    test("a floating scope: cancelled and waited for, with its cleanup (§1.6)", async () => {
      const log: string[] = [];
      await new CancelScope().run(() => {
        void moveOnAfter(1e6, async () => {
          try {
            await sleepForever();
          } finally {
            await inShield(() => sleep(1));
            log.push("cleaned up");
          }
        });
      });
      deepEqual(log, ["cleaned up"]);
    });

    test("a floating timeout: failAfter and moveOnAfter are cut short with their scope, silently (§1.6)", async () => {
      const parking = new Parking();
      let floating: Promise<unknown>[] = [];
      await new CancelScope().run(() => {
        floating = [
          failAfter(1e6, () => parking.wait()),
          moveOnAfter(1e6, () => parking.wait()),
          taskGroup(() => parking.wait()),
        ];
      });
      equal(parking.aborted, 3);
      // A host that called these rejections unhandled would do so in the meantime.
      await sleep(1);
      for (const promise of floating) await rejects(promise, Cancelled);
    });

    test("a floating group: it and its children are cancelled and waited for (§1.6)", async () => {
      const log: string[] = [];
      await new CancelScope().run(async () => {
        void taskGroup((group) => {
          for (let index = 0; index < 3; index++)
            group.startSoon(async () => {
              try {
                await sleepForever();
              } finally {
                await inShield(() => sleep(index));
                log.push("cleaned up");
              }
            });
        });
        await waitAllTasksBlocked();
      });
      equal(log.length, 3);
    });

    test("a floating shielded scope: waited for, not cancelled (§1.6)", async () => {
      const log: string[] = [];
      await new CancelScope().run(() => {
        void inShield(async () => {
          await sleep(2);
          log.push("ended");
        });
      });
      deepEqual(log, ["ended"]);
    });

    test("a floating wait: one that cannot be withdrawn keeps its scope open until it is woken (§1.6)", async (group) => {
      let waiter: Wakeable<void> | undefined;
      let left = false;
      group.startSoon(async () => {
        await new CancelScope().run(() => {
          void suspend<void>({ kind: "test" }, (given) => {
            waiter = given;
            return () => false;
          });
        });
        left = true;
      });
      await waitAllTasksBlocked();
      equal(left, false);
      waiter?.wake();
      await waitAllTasksBlocked();
      ok(left);
    });

    test("a floating scope: stays cancelled also if a shield goes up around it while its parent closes (§1.6)", async () => {
      let cleanedUp = false;
      await new CancelScope().run((shielded) =>
        new CancelScope().run(() => {
          void new CancelScope().run(async () => {
            await errorOf(sleepForever());
            shielded.shield = true;
            try {
              await sleepForever();
            } finally {
              cleanedUp = true;
            }
          });
        }),
      );
      ok(cleanedUp);
    });

    test("a floating scope: what it starts while its parent closes is cancelled too (§1.6)", async () => {
      let outcome: unknown;
      await new CancelScope().run(() => {
        void new CancelScope().run(async () => {
          await errorOf(sleepForever());
          outcome = await errorOf(taskGroup((group) => void group.startSoon(() => sleepForever())));
        });
      });
      instance(outcome, Cancelled);
    });

    test("ScopeClosedError: from a checkpoint or an opener of a flow whose scope has closed (§1.5)", async () => {
      const gate = foreign();
      const calls: Record<string, () => Promise<unknown>> = {
        checkpoint,
        sleep: () => sleep(1),
        suspend: () => new Parking().wait(),
        waitAllTasksBlocked,
        run: () => new CancelScope().run(() => {}),
        taskGroup: () => taskGroup(() => {}),
        moveOnAfter: () => moveOnAfter(1, () => {}),
        failAfter: () => failAfter(1, () => {}),
      };
      let late: Promise<unknown[]> | undefined;
      await new CancelScope().run(() => {
        late = gate.promise.then(() =>
          Promise.all(Object.values(calls).map((call) => errorOf(call()))),
        );
      });
      gate.resolve();
      const errors = (await late) as unknown[];
      equal(errors.length, Object.keys(calls).length);
      for (const error of errors) instance(error, ScopeClosedError);
    });

    test("ScopeClosedError: says which task's scope it was, and names the remedy (§1.7)", async () => {
      const gate = foreign();
      let late: Promise<unknown> | undefined;
      await taskGroup((group) => {
        group.startSoon(
          () => {
            late = gate.promise.then(() => errorOf(checkpoint()));
          },
          { name: "listener" },
        );
      });
      gate.resolve();
      const error = (await late) as ScopeClosedError;
      instance(error, ScopeClosedError);
      ok(error.message.includes('"listener"'), error.message);
      ok(error.message.includes("outsideScopes"), error.message);
    });

    test("synchronous calls: work in a flow whose scope has closed (§1.5)", async (group) => {
      const gate = foreign();
      const parking = new Parking<string>();
      const other = new CancelScope();
      let late: Promise<void> | undefined;
      await new CancelScope().run((closed) => {
        late = gate.promise.then(() => {
          other.cancel("late");
          closed.cancel();
          closed.deadline = 0;
          closed.shield = true;
          parking.wake("woken late");
          group.startSoon(() => checkpoint());
        });
      });
      const waiting = parking.wait();
      gate.resolve();
      await late;
      equal(await waiting, "woken late");
      ok(other.cancelCalled);
    });

    test("outsideScopes: runs callbacks under the root scope, which outlives every scope (§1.7)", async () => {
      const gate = foreign();
      let late: Promise<unknown> | undefined;
      await failAfter(1e6, () => {
        outsideScopes(() => {
          late = gate.promise.then(() => checkpoint()).then(() => "works");
        });
      });
      gate.resolve();
      equal(await late, "works");
      equal(
        outsideScopes(() => 42),
        42,
      );
    });

    test("outsideScopes: cancellation of the caller does not reach inside (§1.7)", async () => {
      const parking = new Parking();
      let outside: Promise<void> | undefined;
      await new CancelScope().run(async (scope) => {
        outside = outsideScopes(() => parking.wait());
        scope.cancel();
        await checkpoint();
      });
      equal(parking.aborted, 0);
      parking.wake();
      await outside;
    });
  },
};
