import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { TaskCancelled, TaskFailed } from "../../core/errors.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { onTaskEnd } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";
import type { TaskHandle } from "../../core/task.ts";
import { taskGroup } from "../../core/task-group.ts";
import { sleep, sleepForever } from "../../sync/timeouts.ts";
import { assertExceptionGroup } from "../match-group.ts";
import { deepEqual, equal, errorOf, instance, ok, rejects } from "./assert.ts";
import { cancelledBy, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** What is known of a child through its handle. */
export const taskHandles: ConformanceSuite = {
  name: "task handles",
  define(test) {
    test("TaskHandle: name of the function or as given, and an id of its own (§4.6)", async (group) => {
      const handles = [
        group.startSoon(function worker() {}),
        group.startSoon(() => {}),
        group.startSoon(() => {}, { name: "given" }),
      ];
      deepEqual(
        handles.map((handle) => handle.name),
        ["worker", "anonymous", "given"],
      );
      equal(new Set(handles.map((handle) => handle.id)).size, 3);
    });

    test("TaskHandle.status: pending, then finished, failed or cancelled (§4.6)", async () => {
      const parking = new Parking();
      const handles: TaskHandle[] = [];
      await errorOf(
        taskGroup(async (group) => {
          handles.push(
            group.startSoon(() => parking.wait()),
            group.startSoon(() =>
              inShield(() => parking.wait().then(() => Promise.reject(new Error("failed")))),
            ),
            group.startSoon(() => sleepForever()),
          );
          await waitAllTasksBlocked();
          deepEqual(
            handles.map((handle) => handle.status),
            ["pending", "pending", "pending"],
          );
          parking.wakeAll();
        }),
      );
      deepEqual(
        handles.map((handle) => handle.status),
        ["finished", "failed", "cancelled"],
      );
    });

    test("onTaskEnd: called when the task has ended, however it did, unless it was disposed of", async () => {
      const log: string[] = [];
      await errorOf(
        taskGroup(async (group) => {
          group.startSoon(async () => {
            onTaskEnd(() => log.push("finished"));
            onTaskEnd(() => log.push("disposed of"))[Symbol.dispose]();
            await checkpoint();
            log.push("before the end");
          });
          group.startSoon(async () => {
            onTaskEnd(() => log.push("failed"));
            await sleep(1);
            throw new Error("failed");
          });
          group.startSoon(async () => {
            onTaskEnd(() => log.push("cancelled"));
            await sleepForever();
          });
        }),
      );
      deepEqual(log, ["before the end", "finished", "failed", "cancelled"]);
    });

    test("TaskHandle.cancel: only that task, the group goes on without an error (§4.6)", async () => {
      const parking = new Parking();
      const log: string[] = [];
      await taskGroup(async (group) => {
        const one = group.startSoon(() => parking.wait());
        group.startSoon(async () => {
          await parking.wait();
          log.push("sibling");
        });
        await waitAllTasksBlocked();
        one.cancel("just this one");
        equal(parking.aborted, 1);
        equal(one.status, "cancelling");
        await one.wait();
        equal(one.status, "cancelled");
        equal(group.scope.cancelCalled, false);
        await checkpoint();
        parking.wake();
      });
      deepEqual(log, ["sibling"]);
    });

    test("TaskHandle.cancel: without effect once the task has ended (§4.6)", async (group) => {
      const child = group.startSoon(() => "value");
      await child.wait();
      child.cancel();
      equal(child.status, "finished");
      equal(await child.result(), "value");
    });

    test("TaskHandle.cancel: before the start, the task runs to its first checkpoint (§4.6)", async (group) => {
      const log: string[] = [];
      const child = group.startSoon(async () => {
        log.push("started");
        await checkpoint();
        log.push("never");
      });
      child.cancel();
      equal(child.status, "cancelling");
      await child.wait();
      deepEqual(log, ["started"]);
      equal(child.status, "cancelled");
    });

    test("TaskHandle.status: a task that swallows its cancellation and returns is finished (§4.6)", async (group) => {
      const child = group.startSoon(async () => {
        await cancelledBy(sleepForever);
        return "its value";
      });
      await waitAllTasksBlocked();
      child.cancel();
      equal(await child.result(), "its value");
      equal(child.status, "finished");
    });

    test("TaskHandle.status: cancelled through the group it stays pending until it has ended (§4.6)", async () => {
      const parking = new Parking();
      await taskGroup(async (group) => {
        const child = group.startSoon(async () => {
          try {
            await sleepForever();
          } finally {
            await inShield(() => parking.wait());
          }
        });
        await waitAllTasksBlocked();
        group.cancel();
        equal(child.status, "pending");
        await inShield(waitAllTasksBlocked);
        equal(child.status, "pending");
        parking.wake();
        await inShield(() => child.wait());
        equal(child.status, "cancelled");
      });
    });

    test("TaskHandle.wait: ends however the task ended, without its error (§4.6)", async () => {
      const error = await errorOf(
        taskGroup(async (group) => {
          const children = [
            group.startSoon(() => 1),
            group.startSoon(() => sleepForever()),
            group.startSoon(() => Promise.reject(new Error("failed"))),
          ];
          await inShield(async () => {
            for (const child of children) equal(await child.wait(), undefined);
          });
        }),
      );
      assertExceptionGroup(error, [/failed/]);
    });

    test("TaskHandle.wait: cancelling the wait does not touch the task (§4.6)", async (group) => {
      const parking = new Parking();
      const child = group.startSoon(() => parking.wait());
      const scope = new CancelScope();
      const waiter = group.startSoon(() => scope.run(() => child.wait()));
      await waitAllTasksBlocked();
      scope.cancel();
      await waiter.wait();
      ok(scope.cancelledCaught);
      equal(child.status, "pending");
      parking.wake();
      await child.wait();
      equal(child.status, "finished");
    });

    test("TaskHandle.wait: any number of tasks may wait (§4.6)", async () => {
      const parking = new Parking();
      let ended = 0;
      await taskGroup(async (group) => {
        const child = group.startSoon(() => parking.wait());
        for (let index = 0; index < 100; index++)
          group.startSoon(async () => {
            await child.wait();
            ended += 1;
          });
        await waitAllTasksBlocked();
        parking.wake();
      });
      equal(ended, 100);
    });

    test("TaskHandle.result: the value, also after the group has ended (§4.6)", async () => {
      const child = await taskGroup((group) => group.startSoon(async () => ({ deep: 1 })));
      deepEqual(await child.result(), { deep: 1 });
    });

    test("TaskHandle.result: TaskCancelled if the task was cancelled (§4.6)", async (group) => {
      const child = group.startSoon(() => sleepForever());
      child.cancel();
      await rejects(child.result(), TaskCancelled);
    });

    test("TaskHandle.result: outside the group TaskFailed with the error as its cause (§4.6)", async () => {
      const real = new Error("real");
      let child: TaskHandle | undefined;
      await errorOf(
        taskGroup((group) => {
          child = group.startSoon(() => Promise.reject(real));
        }),
      );
      const failed = await rejects((child as TaskHandle).result(), TaskFailed);
      equal((failed as TaskFailed).cause, real);
    });

    test("TaskHandle.result: inside the group Cancelled, as the failure cancels the group first (§4.6)", async () => {
      let seen: unknown;
      const error = await errorOf(
        taskGroup(async (group) => {
          const parking = new Parking();
          const child = group.startSoon(async () => {
            await parking.wait();
            throw new Error("real");
          });
          group.startSoon(async () => {
            seen = await errorOf(child.result());
            throw seen;
          });
          await waitAllTasksBlocked();
          parking.wake();
        }),
      );
      instance(seen, Cancelled);
      assertExceptionGroup(error, [/real/]);
    });

    test("TaskHandle.result: cancelled, it may float: no unhandled rejection, which test runners report (§1.6)", async () => {
      await taskGroup(async (group) => {
        const child = group.startSoon(() => sleepForever());
        await new CancelScope().run(() => void child.result());
        await sleep(2);
        group.cancel();
        void child.result();
      });
      await sleep(2);
    });

    test("TaskHandle.result: shielded inside the group TaskFailed, and a waiter of another group too (§4.6)", async () => {
      const real = new Error("real");
      const seen: unknown[] = [];
      await taskGroup(async (outer) => {
        await errorOf(
          taskGroup(async (group) => {
            const parking = new Parking();
            const child = group.startSoon(async () => {
              await parking.wait();
              throw real;
            });
            outer.startSoon(async () => void seen.push(await errorOf(child.result())));
            group.startSoon(() =>
              inShield(async () => void seen.push(await errorOf(child.result()))),
            );
            await waitAllTasksBlocked();
            parking.wake();
          }),
        );
      });
      equal(seen.length, 2);
      for (const error of seen) {
        instance(error, TaskFailed);
        equal(error.cause, real);
      }
    });

    test("TaskHandle.wait: what floats in the task has ended before the task has (§1.6)", async (group) => {
      const parking = new Parking();
      const child = group.startSoon(() => {
        void new CancelScope({ shield: true }).run(() => parking.wait());
      });
      await waitAllTasksBlocked();
      equal(child.status, "pending");
      parking.wake();
      await child.wait();
      equal(child.status, "finished");
    });
  },
};
