import { ambientScope } from "../../core/ambient.ts";
import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { suspend } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { moveOnAt, now, sleep, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, instance, ok, rejects, throws } from "./assert.ts";
import { cancelledBy, currentKernel, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** The error `Cancelled` and how it is delivered. */
export const cancellation: ConformanceSuite = {
  name: "cancellation",
  define(test) {
    test("Cancelled: an Error by that name, with the first reason, that also the message says (§3.1)", async () => {
      const scope = new CancelScope();
      scope.cancel("first");
      scope.cancel("second");
      await scope.run(async () => {
        const error = await cancelledBy(checkpoint);
        ok(error instanceof Error);
        equal(error.name, "Cancelled");
        equal(error.reason, "first");
        ok(error.message.includes("first"));
        throw error;
      });
      ok(scope.cancelledCaught);
      equal(scope.own?.reason, "first");
    });

    test("Cancelled: any reason is kept, an Error is told by name and message (§3.1)", async () => {
      const reasons = [undefined, null, 7, new TypeError("because"), Object.create(null) as object];
      for (const reason of reasons) {
        const scope = new CancelScope();
        scope.cancel(reason);
        await scope.run(async () => {
          const error = await cancelledBy(checkpoint);
          equal(error.reason, reason);
          if (reason instanceof Error) equal(error.message, "TypeError: because");
        });
      }
    });

    test("Cancelled: of a deadline, says so (§3.1)", async () => {
      await moveOnAt(now() - 1, async () => {
        const error = await cancelledBy(checkpoint);
        equal(error.reason, "deadline exceeded");
        equal(error.message, "deadline exceeded");
        throw error;
      });
    });

    test("Cancelled: has no captured stack (§3.1)", async () => {
      const scope = new CancelScope();
      scope.cancel("stackless");
      await scope.run(async () => {
        const error = await cancelledBy(checkpoint);
        ok(!/\bcancellation\b|:\d+:\d+/.test(error.stack ?? ""), "needed no frames");
      });
    });

    test("Cancelled: one object per cancellation, shared by all who see it and never changed (§3.1)", async () => {
      const seen: Cancelled[] = [];
      const record = async (): Promise<void> => {
        try {
          await sleepForever();
        } catch (error) {
          seen.push(error as Cancelled);
          throw error;
        }
      };
      let before: string[] = [];
      const outer = new CancelScope();
      await outer.run(() =>
        taskGroup(async (group) => {
          for (let index = 0; index < 3; index++) group.startSoon(record);
          group.startSoon(() => new CancelScope().run(record));
          await waitAllTasksBlocked();
          outer.cancel("shared");
          before = Object.getOwnPropertyNames((await cancelledBy(checkpoint)) as object);
          await record();
        }),
      );
      equal(seen.length, 5);
      equal(new Set(seen).size, 1);
      deepEqual(Object.getOwnPropertyNames(seen[0] as object), before);
    });

    test("Cancelled: never created by users (§3.1)", () => {
      throws(
        () => new (Cancelled as unknown as new (reason: string) => Cancelled)("no"),
        TypeError,
      );
    });

    test("CancelScope.cancel: level-triggered, every checkpoint throws again until the flow has left (§2.3)", async () => {
      const scope = new CancelScope();
      let thrown = 0;
      const value = await scope.run(async () => {
        scope.cancel();
        for (let round = 0; round < 5; round++) {
          const waits = [checkpoint, () => sleep(0), () => sleep(1000), sleepForever];
          for (const wait of waits) {
            await cancelledBy(wait);
            thrown += 1;
          }
        }
        return "left by itself";
      });
      equal(thrown, 20);
      equal(value, "left by itself");
      equal(scope.cancelledCaught, false);
      await checkpoint();
    });

    test("CancelScope.cancel: swallowing Cancelled in a nested flow only delays it (§2.3)", async () => {
      const scope = new CancelScope();
      const parking = new Parking();
      let swallowed = 0;
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(async () => {
            for (;;) {
              try {
                await parking.wait();
              } catch {
                swallowed += 1;
                if (swallowed === 10) break;
              }
            }
            await checkpoint();
            ok(false, "needed a throw");
          }),
        );
        await waitAllTasksBlocked();
        scope.cancel();
      });
      equal(swallowed, 10);
      equal(parking.aborted, 1, "only the first wait began before the cancellation");
      ok(scope.cancelledCaught);
    });

    test("CancelScope.cancel: synchronous, from any flow, and waiters are withdrawn before it returns (§3.5)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => parking.wait()));
        await waitAllTasksBlocked();
        equal(parking.waiters.length, 1);
        scope.cancel();
        equal(parking.waiters.length, 0);
        equal(parking.wake(), false);
      });
      ok(scope.cancelledCaught);
    });

    test("CancelScope.cancel: waiters are aborted oldest first, across scopes and tasks (§3.5)", async () => {
      const order: number[] = [];
      const wait = (number: number): Promise<void> =>
        suspend({ kind: "test" }, () => () => void order.push(number));
      const inner = [new CancelScope(), new CancelScope()] as const;
      const outer = new CancelScope();
      await outer.run(async () => {
        await Promise.allSettled([
          inner[0].run(async () => {
            await Promise.allSettled([wait(1), inner[1].run(() => wait(2)), wait(3)]);
          }),
          wait(4),
          taskGroup(async (group) => {
            const first = group.startSoon(() => wait(5));
            await first.wait().catch(() => {});
          }),
          (async () => {
            await waitAllTasksBlocked();
            await Promise.resolve();
            const late = wait(6);
            outer.cancel();
            await late;
          })(),
        ]);
      });
      deepEqual(order, [1, 2, 3, 4, 5, 6]);
    });

    test("CancelScope.cancel: signals fire after all waiters have been aborted (§3.5)", async () => {
      const order: string[] = [];
      const outer = new CancelScope();
      await outer.run(async () => {
        outer.signal.addEventListener("abort", () => order.push("signal"), { once: true });
        const wait = (): Promise<void> =>
          suspend({ kind: "test" }, () => () => void order.push("waiter"));
        await Promise.all([
          wait(),
          new CancelScope().run(wait),
          Promise.resolve().then(() => outer.cancel()),
        ]);
      });
      deepEqual(order, ["waiter", "waiter", "signal"]);
    });

    test("CancelScope.cancel: abort functions may cancel, wake and close at will (§3.5)", async () => {
      const scopes = [new CancelScope(), new CancelScope(), new CancelScope()] as const;
      const log: string[] = [];
      await taskGroup(async (group) => {
        const parking = new Parking<string>();
        const outer = new CancelScope();
        group.startSoon(() => scopes[1].run(async () => void log.push(await parking.wait())));
        group.startSoon(() =>
          scopes[2].run(() =>
            suspend({ kind: "test" }, () => () => {
              log.push("inner aborted");
              outer.cancel("again");
              scopes[2].cancel("again");
            }),
          ),
        );
        group.startSoon(() =>
          outer.run(() =>
            scopes[0].run(() =>
              suspend({ kind: "test" }, () => () => {
                log.push("aborted");
                parking.wake("woken");
                scopes[2].cancel("by an abort function");
                outer.cancel("by an abort function");
                group.startSoon(() => void log.push("started"));
              }),
            ),
          ),
        );
        await waitAllTasksBlocked();
        outer.cancel("first");
        scopes[0].cancel("late");
        deepEqual(log, ["aborted", "inner aborted"]);
        await waitAllTasksBlocked();
        ok(outer.cancelledCaught);
      });
      ok(scopes[2].cancelledCaught);
      equal(scopes[0].cancelledCaught, false, "the outer scope owns it");
      equal(scopes[1].cancelledCaught, false);
      deepEqual(log.slice(2).toSorted(), ["started", "woken"]);
    });

    test("CancelScope.cancel: a waiter that an abort function wakes first keeps its value (§3.5)", async () => {
      const parking = new Parking<string>();
      const scope = new CancelScope();
      let value: string | undefined;
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(() =>
            Promise.all([
              suspend({ kind: "test" }, () => () => void parking.wake("rescued")),
              parking.wait().then((got) => {
                value = got;
              }),
            ]),
          ),
        );
        await waitAllTasksBlocked();
        scope.cancel();
      });
      equal(value, "rescued");
      equal(parking.aborted, 0);
    });

    test("CancelScope.cancel: 100,000 nested scopes are cancelled and left without overflowing the stack (§3.5)", async () => {
      const depth = 100_000;
      const outer = new CancelScope();
      let deepest = 0;
      const descend = async (level: number): Promise<void> => {
        await Promise.resolve();
        deepest = level;
        if (level === depth) await sleepForever();
        else await new CancelScope().run(() => descend(level + 1));
      };
      await taskGroup(async (group) => {
        group.startSoon(() => outer.run(() => descend(1)));
        await waitAllTasksBlocked();
        equal(deepest, depth);
        outer.cancel("deep");
      });
      ok(outer.cancelledCaught);
    });

    test("CancelScope.cancel: a shielded, cancelled, waiting tree costs nothing (§3.5)", async () => {
      const parking = new Parking();
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() =>
          scope.run(() =>
            inShield(() =>
              taskGroup((inner) => {
                for (let index = 0; index < 10; index++)
                  inner.startSoon(() => new CancelScope().run(() => parking.wait()));
              }),
            ),
          ),
        );
        await waitAllTasksBlocked();
        scope.cancel();
        await waitAllTasksBlocked();
        const kernel = currentKernel();
        const before = kernel.resumptions;
        await sleep(3);
        // The sleep's own end is the one resumption.
        equal(kernel.resumptions - before, 1);
        parking.wakeAll();
      });
      equal(scope.cancelledCaught, false);
    });

    test("CancelScope.cancel: a scope cancelled after it has closed stays without effect (§3.5)", async () => {
      const scope = new CancelScope();
      await scope.run(() => {});
      scope.cancel("late");
      equal(scope.cancelledCaught, false);
      await checkpoint();
      equal(ambientScope().applied, null);
    });

    test("a wait in a scope that is cancelled: rejects with Cancelled and leaves no deadline behind (§2.2)", async () => {
      const kernel = currentKernel();
      const before = kernel.deadlineCount;
      const scope = new CancelScope();
      await scope.run(async () => {
        const sleeping = sleep(100_000);
        equal(kernel.deadlineCount, before + 1);
        scope.cancel();
        equal(kernel.deadlineCount, before);
        instance(await rejects(sleeping, Cancelled), Cancelled);
      });
    });
  },
};
