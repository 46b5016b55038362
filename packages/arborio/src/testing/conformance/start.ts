import { ambientScope } from "../../core/ambient.ts";
import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { InvalidStateError, TaskCancelled } from "../../core/errors.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import type { StartStatus } from "../../core/start.ts";
import { type TaskGroup, taskGroup } from "../../core/task-group.ts";
import { currentTask } from "../../core/task-tree.ts";
import { sleep, sleepForever } from "../../sync/timeouts.ts";
import { cancelEverywhere } from "../cancel-everywhere.ts";
import { assertExceptionGroup } from "../match-group.ts";
import { deepEqual, equal, errorOf, instance, ok, rejects, throws } from "./assert.ts";
import { cancelledBy, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** `group.start`, in all its endings. */
export const start: ConformanceSuite = {
  name: "group.start",
  define(test) {
    /** Starts `child` from a caller in a scope of its own, which is cancelled when all wait; how the call ended. */
    const cancelledCaller = async (
      group: TaskGroup,
      child: (status: StartStatus<string>) => Promise<unknown>,
    ): Promise<{ caller: CancelScope; outcome: unknown }> => {
      const caller = new CancelScope();
      let outcome: unknown;
      const task = group.startSoon(() =>
        caller.run(async () => {
          try {
            outcome = await group.start(child);
          } catch (error) {
            outcome = error;
            if (error instanceof Cancelled) throw error;
          }
        }),
      );
      await waitAllTasksBlocked();
      caller.cancel("the caller");
      await task.wait();
      return { caller, outcome };
    };

    test("group.start: returns the value given to started, and the child goes on (§4.3)", async () => {
      const parking = new Parking();
      const log: string[] = [];
      await taskGroup(async (group) => {
        const value = await group.start<number>(async (status) => {
          status.started(42);
          await parking.wait();
          log.push("went on");
        });
        equal(value, 42);
        await waitAllTasksBlocked();
        deepEqual(log, []);
        parking.wake();
      });
      deepEqual(log, ["went on"]);
    });

    test("group.start: waits until the child has started (§4.3)", async (group) => {
      const parking = new Parking();
      let returned = false;
      group.startSoon(async () => {
        await group.start(async (status) => {
          await parking.wait();
          status.started();
        });
        returned = true;
      });
      await waitAllTasksBlocked();
      equal(returned, false);
      parking.wake();
      await waitAllTasksBlocked();
      ok(returned);
    });

    test("group.start: an error before started comes out bare, and the group survives (§4.3)", async () => {
      const error = new RangeError("before");
      await taskGroup(async (group) => {
        equal(await errorOf(group.start(() => Promise.reject(error))), error);
        const throwing = (): never => {
          throw error;
        };
        equal(await errorOf(group.start(throwing)), error);
        equal(group.scope.cancelCalled, false);
        await checkpoint();
      });
    });

    test("group.start: a child that ends without started is an error, and the group survives (§4.3)", async () => {
      await taskGroup(async (group) => {
        await rejects(
          group.start(async () => 1),
          InvalidStateError,
        );
        equal(group.scope.cancelCalled, false);
      });
    });

    test("group.start: calling started twice is an error in the child (§4.3)", async () => {
      await taskGroup(async (group) => {
        await group.start<number>((status) => {
          status.started(1);
          throws(() => status.started(2), InvalidStateError);
        });
      });
    });

    test("group.start: an error after started is a failure of the group (§4.3)", async () => {
      const error = await errorOf(
        taskGroup(async (group) => {
          await group.start(async (status) => {
            status.started();
            await checkpoint();
            throw new Error("after");
          });
          await sleepForever();
        }),
      );
      assertExceptionGroup(error, [/^after$/]);
    });

    test("group.start: caller cancelled, the child is cancelled and waited for first, the group goes on (§4.3)", async (group) => {
      const log: string[] = [];
      const { caller, outcome } = await cancelledCaller(group, async () => {
        try {
          await sleepForever();
        } finally {
          await inShield(() => checkpoint());
          log.push("child cleaned up");
        }
      });
      deepEqual(log, ["child cleaned up"]);
      instance(outcome, Cancelled);
      ok(caller.cancelledCaught);
      equal(group.scope.cancelCalled, false);
    });

    test("group.start: caller cancelled, a real error of the child wins over the Cancelled (§4.3)", async (group) => {
      const { caller, outcome } = await cancelledCaller(group, async () => {
        await cancelledBy(sleepForever);
        throw new RangeError("cleanup");
      });
      instance(outcome, RangeError);
      equal(caller.cancelledCaught, false);
      equal(group.scope.cancelCalled, false);
    });

    test("group.start: caller cancelled, a late started does nothing (§4.3)", async (group) => {
      let late: unknown = "not called";
      const { caller, outcome } = await cancelledCaller(group, async (status) => {
        await cancelledBy(sleepForever);
        late = status.started("late");
      });
      equal(late, undefined);
      instance(outcome, Cancelled);
      ok(caller.cancelledCaught);
    });

    test("group.start: caller cancelled, an error after a late started still comes out (§4.3)", async (group) => {
      const { outcome } = await cancelledCaller(group, async (status) => {
        await cancelledBy(sleepForever);
        status.started("late");
        throw new RangeError("after the late start");
      });
      instance(outcome, RangeError);
      equal(group.scope.cancelCalled, false);
    });

    test("group.start: caller cancelled, a child that ends without started gives Cancelled (§4.3)", async (group) => {
      const { outcome, caller } = await cancelledCaller(group, async () => {
        await cancelledBy(sleepForever);
      });
      instance(outcome, Cancelled);
      ok(caller.cancelledCaught);
    });

    test("group.start: started first and caller cancelled in the same turn, the value is returned (§4.3)", async (group) => {
      const parking = new Parking();
      const caller = new CancelScope();
      let value: string | undefined;
      const task = group.startSoon(() =>
        caller.run(async () => {
          value = await group.start<string>(async (status) => {
            await parking.wait();
            status.started("in time");
            caller.cancel();
          });
        }),
      );
      await waitAllTasksBlocked();
      parking.wake();
      await task.wait();
      equal(value, "in time");
      equal(caller.cancelledCaught, false);
    });

    test("group.start: child cancelled before started while the caller is not, TaskCancelled (§4.3)", async () => {
      let outcome: unknown;
      await taskGroup(async (caller) => {
        await taskGroup(async (group) => {
          caller.startSoon(async () => {
            outcome = await errorOf(group.start(() => sleepForever()));
          });
          await waitAllTasksBlocked();
          group.cancel("the group");
        });
      });
      instance(outcome, TaskCancelled);
    });

    test("group.start: group and caller cancelled together, Cancelled (§4.3)", async () => {
      let outcome: unknown;
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          outcome = await errorOf(group.start(() => sleepForever()));
          throw outcome;
        });
        await waitAllTasksBlocked();
        group.cancel("both");
      });
      instance(outcome, Cancelled);
    });

    test("group.start: a child that swallows the group's cancellation may still start (§4.3)", async () => {
      let value: unknown;
      await taskGroup(async (caller) => {
        await taskGroup(async (group) => {
          caller.startSoon(async () => {
            value = await group.start<string>(async (status) => {
              await cancelledBy(sleepForever);
              status.started("in spite of it");
            });
          });
          await waitAllTasksBlocked();
          group.cancel();
        });
      });
      equal(value, "in spite of it");
    });

    test("group.start: a child that an ancestor cut short before started counts as one of the group (§4.3)", async () => {
      const ancestor = new CancelScope();
      let inner: CancelScope | undefined;
      await taskGroup(async (caller) => {
        await ancestor.run(() =>
          taskGroup(async (group) => {
            inner = group.scope;
            caller.startSoon(() => errorOf(group.start(() => sleepForever())));
            await waitAllTasksBlocked();
            ancestor.cancel();
          }),
        );
      });
      ok(ancestor.cancelledCaught);
      equal(inner?.cancelledCaught, false);
    });

    test("group.start: an error before started in a cancelled group comes out bare, and not out of the group (§4.3)", async () => {
      let outcome: unknown;
      await taskGroup(async (caller) => {
        await taskGroup(async (group) => {
          caller.startSoon(async () => {
            outcome = await errorOf(
              group.start(async () => {
                await cancelledBy(sleepForever);
                throw new RangeError("cleanup");
              }),
            );
          });
          await waitAllTasksBlocked();
          group.cancel();
        });
      });
      instance(outcome, RangeError);
    });

    test("group.start: the child is in the group's scope from the start, not in the caller's (§4.3)", async () => {
      await taskGroup(async (group) => {
        const caller = new CancelScope();
        await caller.run(() =>
          group.start(async (status) => {
            equal(ambientScope().parent, group.scope);
            status.started();
            caller.cancel();
            await checkpoint();
          }),
        );
      });
    });

    test("group.start: cancelled at every step, the child has ended before its caller goes on, and nothing is left (§4.3, §2.2)", async () => {
      const { rounds } = await cancelEverywhere(async (round) => {
        let running = 0;
        let startedAndAlive = false;
        round.after(() => equal(running, 0));
        await taskGroup(async (group) => {
          const child = async (status: StartStatus<string>): Promise<void> => {
            running += 1;
            try {
              await checkpoint();
              status.started("ready");
              startedAndAlive = true;
              await sleep(1);
            } finally {
              await inShield(() => checkpoint());
              running -= 1;
              startedAndAlive = false;
            }
          };
          try {
            equal(await group.start(child), "ready");
            if (round.moment === undefined) ok(startedAndAlive);
          } catch (error) {
            equal(running, 0);
            throw error;
          }
        });
      });
      ok(rounds.entry >= 3 && rounds.waiting >= 2 && rounds.woken >= 2);
    });

    test("group.start: takes a name, by default the function's (§4.3)", async (group) => {
      const serve = async (status: StartStatus<string>): Promise<void> =>
        status.started(currentTask().name);
      equal(await group.start(serve), "serve");
      equal(await group.start(serve, { name: "server" }), "server");
    });
  },
};
