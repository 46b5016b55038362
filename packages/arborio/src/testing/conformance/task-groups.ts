import { ambientScope } from "../../core/ambient.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { GroupClosedError, TaskCancelled } from "../../core/errors.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { type TaskGroup, taskGroup } from "../../core/task-group.ts";
import { sleep, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, instance, ok, rejects, throws } from "./assert.ts";
import {
  cancelledBy,
  currentKernel,
  foreign,
  HOST_ORDER,
  inCancelledScope,
  inShield,
  microtasks,
  Parking,
} from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** Task groups that nobody fails: values, cancellation, the start and the end of children. */
export const taskGroups: ConformanceSuite = {
  name: "task groups",
  define(test) {
    test("taskGroup: returns the body's value when the body and all children have ended (§4.1)", async () => {
      const parking = new Parking();
      let ended = 0;
      const grouping = taskGroup((group) => {
        for (let index = 0; index < 3; index++)
          group.startSoon(async () => {
            await parking.wait();
            ended += 1;
          });
        return "value";
      });
      let returned = false;
      void grouping.then(() => {
        returned = true;
      });
      await waitAllTasksBlocked();
      equal(returned, false);
      parking.wakeAll();
      equal(await grouping, "value");
      equal(ended, 3);
    });

    test("taskGroup: an empty group returns, with a synchronous or an asynchronous body (§4.1)", async () => {
      equal(await taskGroup(() => 1), 1);
      equal(await taskGroup(async () => 2), 2);
      equal(await taskGroup(() => {}), undefined);
    });

    test("taskGroup: a body that returned keeps its value when the group is cancelled afterwards (§4.1)", async () => {
      let scope: CancelScope | undefined;
      const value = await taskGroup((group) => {
        scope = group.scope;
        group.startSoon(() => sleepForever());
        group.startSoon(async () => {
          await checkpoint();
          group.cancel("enough");
        });
        return "kept";
      });
      equal(value, "kept");
      ok(scope?.cancelledCaught, "a child was cut short");
    });

    test("taskGroup: rejects with TaskCancelled if the group's own cancel() cut the body short (§4.1)", async () => {
      let scope: CancelScope | undefined;
      const grouping = taskGroup(async (group) => {
        scope = group.scope;
        group.startSoon(() => group.cancel());
        await sleepForever();
      });
      await rejects(grouping, TaskCancelled);
      ok(scope?.cancelledCaught);
    });

    test("taskGroup: a body that reaches no checkpoint after cancel() has a value (§4.1)", async () => {
      equal(
        await taskGroup((group) => {
          group.cancel();
          return 1;
        }),
        1,
      );
    });

    test("taskGroup: cut short by an ancestor it passes Cancelled on, and the ancestor takes it (§4.1)", async () => {
      const outer = new CancelScope();
      let inner: CancelScope | undefined;
      let passed: unknown;
      await outer.run(async () => {
        try {
          await taskGroup(async (group) => {
            inner = group.scope;
            group.startSoon(() => sleepForever());
            outer.cancel("outer");
            await checkpoint();
          });
        } catch (error) {
          passed = error;
          throw error;
        }
      });
      equal(passed, outer.own);
      ok(outer.cancelledCaught);
      equal(inner?.cancelledCaught, false);
    });

    test("taskGroup: an ancestor that cut a child short wins over the body's value (§4.1)", async () => {
      const scope = new CancelScope();
      let reached = false;
      await scope.run(async () => {
        await taskGroup((group) => {
          group.startSoon(() => sleepForever());
          group.startSoon(async () => {
            await checkpoint();
            scope.cancel();
          });
          return "lost";
        });
        reached = true;
      });
      equal(reached, false);
      ok(scope.cancelledCaught);
    });

    test("taskGroup: its end is no cancellation point if all children returned normally (§4.4)", async () => {
      const scope = new CancelScope();
      const value = await scope.run(() =>
        taskGroup((group) => {
          group.startSoon(async () => {
            await checkpoint();
            scope.cancel();
          });
          return "kept";
        }),
      );
      equal(value, "kept");
      equal(scope.cancelledCaught, false);
      const cancelled = await inCancelledScope(async () => {
        equal(await taskGroup(() => 1), 1);
        equal(await taskGroup((group) => void group.startSoon(() => {})), undefined);
      });
      equal(cancelled.cancelledCaught, false);
    });

    test("group.startSoon: returns at once, never runs its function inline (§4.2)", async (group) => {
      let ran = false;
      const child = group.startSoon(() => {
        ran = true;
      });
      equal(ran, false);
      equal(child.status, "pending");
      await child.wait();
      ok(ran);
    });

    test(
      "group.startSoon: the child runs later in the same turn of the host (§4.2)",
      async (group) => {
        const log: string[] = [];
        currentKernel().clock.nextTurn(() => log.push("turn"));
        group.startSoon(() => void log.push("child"));
        await microtasks();
        deepEqual(log, ["child"]);
        await sleep(1);
      },
      HOST_ORDER,
    );

    test(
      "group.startSoon: children start in the order of the calls (§4.2)",
      async () => {
        const order: number[] = [];
        await taskGroup((group) => {
          for (let index = 0; index < 100; index++) group.startSoon(() => void order.push(index));
        });
        deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      },
      HOST_ORDER,
    );

    test("group.startSoon: the group's scope is the child's parent, whoever called (§4.2)", async () => {
      const caller = new CancelScope();
      await taskGroup(async (outer) => {
        const log: string[] = [];
        await taskGroup((inner) => {
          inner.startSoon(() =>
            caller.run(() => {
              outer.startSoon(async () => {
                equal(ambientScope().parent, outer.scope);
                caller.cancel();
                inner.cancel();
                await checkpoint();
                log.push("not in the caller's scope");
              });
            }),
          );
        });
        await waitAllTasksBlocked();
        deepEqual(log, ["not in the caller's scope"]);
      });
    });

    test("group.startSoon: a new task runs to its first checkpoint, also in a cancelled group (§4.2)", async () => {
      const log: string[] = [];
      await taskGroup((group) => {
        group.cancel();
        const child = group.startSoon(async () => {
          log.push("started");
          await Promise.resolve();
          log.push("went on");
          await checkpoint();
          log.push("never");
        });
        child.cancel();
      });
      deepEqual(log, ["started", "went on"]);
    });

    test("group.startSoon: a child may start more, also while the host waits for the end (§4.2)", async () => {
      let count = 0;
      await taskGroup((group) => {
        const more = async (): Promise<void> => {
          await checkpoint();
          count += 1;
          if (count < 50) group.startSoon(more);
        };
        group.startSoon(more);
      });
      equal(count, 50);
    });

    test("group.startSoon: after the end of the group GroupClosedError (§4.2)", async () => {
      let closed: TaskGroup | undefined;
      await taskGroup((group) => {
        closed = group;
      });
      throws(() => closed?.startSoon(() => {}), GroupClosedError);
      await rejects(
        (closed as TaskGroup).start(async () => {}),
        GroupClosedError,
      );
    });

    test("group.startSoon: GroupClosedError already between the last child and the host's resumption (§4.4)", async () => {
      const last = foreign();
      let hostResumed = false;
      const found = Promise.withResolvers<unknown>();
      const grouping = taskGroup((group) => {
        group.startSoon(() => last.promise);
        return group;
      }).then((group) => {
        hostResumed = true;
        return group;
      });
      await taskGroup(async (observer) => {
        await waitAllTasksBlocked();
        // Runs right after the child's end, which was registered on the same promise before.
        void last.promise.then(() => found.resolve(hostResumed));
        observer.startSoon(() => last.resolve());
      });
      equal(await found.promise, false);
      const group = await grouping;
      throws(() => group.startSoon(() => {}), GroupClosedError);
    });

    test("group.startSoon: works from code whose own scope has closed (§1.5)", async (group) => {
      const gate = foreign();
      const started = foreign<string>();
      await new CancelScope().run(() => {
        void gate.promise.then(() => group.startSoon(() => started.resolve("started")));
      });
      gate.resolve();
      equal(await started.promise, "started");
    });

    test("daemon: cancelled and waited for when the body and all other children have ended (§4.2)", async () => {
      const log: string[] = [];
      const value = await taskGroup((group) => {
        const daemon = group.startSoon(
          async () => {
            try {
              await sleepForever();
            } finally {
              await inShield(() => sleep(1));
              log.push("daemon cleaned up");
            }
          },
          { daemon: true },
        );
        group.startSoon(async () => {
          await sleep(2);
          log.push("child", daemon.status);
        });
        return "value";
      });
      equal(value, "value");
      deepEqual(log, ["child", "pending", "daemon cleaned up"]);
    });

    test("daemon: a group with nothing but daemons ends, the group itself is not cancelled (§4.2)", async () => {
      let scope: CancelScope | undefined;
      const handles = await taskGroup((group) => {
        scope = group.scope;
        return [1, 2, 3].map(() => group.startSoon(() => sleepForever(), { daemon: true }));
      });
      deepEqual(
        handles.map((handle) => handle.status),
        ["cancelled", "cancelled", "cancelled"],
      );
      equal(scope?.cancelCalled, false);
    });

    test("daemon: one that is started last of all is cancelled at once, a child still keeps the group open (§4.2)", async () => {
      const log: string[] = [];
      await taskGroup((group) => {
        group.startSoon(
          async () => {
            await cancelledBy(sleepForever);
            const late = group.startSoon(() => sleepForever(), { daemon: true });
            await inShield(() => late.wait());
            log.push(late.status);
            group.startSoon(async () => {
              await checkpoint();
              log.push("child");
            });
          },
          { daemon: true },
        );
      });
      deepEqual(log, ["cancelled", "child"]);
    });

    test("group.cancel: is group.scope.cancel, with its reason, for body and children (§4.2)", async () => {
      const reasons: unknown[] = [];
      await taskGroup(async (group) => {
        for (let index = 0; index < 2; index++)
          group.startSoon(async () => {
            reasons.push((await cancelledBy(sleepForever)).reason);
          });
        await waitAllTasksBlocked();
        group.cancel("the reason");
        ok(group.scope.cancelCalled);
        reasons.push((await cancelledBy(checkpoint)).reason);
      });
      deepEqual(reasons, ["the reason", "the reason", "the reason"]);
    });

    test("group.cancel: reaches children of children, and groups in shields are spared (§4.2)", async () => {
      const parking = new Parking();
      const outer = taskGroup(async (group) => {
        group.startSoon(() =>
          taskGroup((inner) => {
            inner.startSoon(() => parking.wait());
            inner.startSoon(() => inShield(() => parking.wait()));
          }),
        );
        await waitAllTasksBlocked();
        group.cancel();
        equal(parking.aborted, 1);
        parking.wake();
      });
      equal(await outer, undefined);
    });

    test("taskGroup: a deadline on the group's scope cancels it (§4.2)", async () => {
      const value = await taskGroup((group) => {
        group.scope.deadline = -Infinity;
        group.startSoon(() => sleepForever());
        return "kept";
      });
      equal(value, "kept");
      instance(
        await rejects(
          taskGroup(async (group) => {
            group.scope.deadline = -Infinity;
            await checkpoint();
          }),
          TaskCancelled,
        ),
        TaskCancelled,
      );
    });
  },
};
