import { checkpoint } from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import type { Instrument } from "../../core/instrument.ts";
import { instrument, suspend } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { currentTask, runningTasks, taskTree } from "../../core/task-tree.ts";
import { now, sleep, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, ok } from "./assert.ts";
import { foreign, inCancelledScope, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** What can be seen of tasks from outside. */
export const introspection: ConformanceSuite = {
  name: "introspection",
  define(test) {
    test("currentTask: id, name, parent, state and time of creation (§8)", async (group) => {
      const outer = currentTask();
      const before = Math.floor(now());
      const child = group.startSoon(() => currentTask(), { name: "child" });
      const info = await child.result();
      equal(info.name, "child");
      equal(info.id, child.id);
      equal(info.parentId, outer.id);
      equal(info.state, "running");
      ok(info.createdAt >= before && info.createdAt <= now());
      deepEqual(info.waits, []);
      equal(new CancelScope().run(() => currentTask().id) instanceof Promise, true);
    });

    test("currentTask: the same through scopes of one task (§8)", async () => {
      const { id } = currentTask();
      await new CancelScope().run(async () => {
        await checkpoint();
        equal(currentTask().id, id);
      });
      await taskGroup(() => equal(currentTask().id, id));
    });

    test("runningTasks: all that have not ended, parents before children, with state and wait (§8)", async () => {
      const parking = new Parking();
      const gate = foreign();
      await taskGroup(async (group) => {
        group.startSoon(
          () =>
            taskGroup((inner) => {
              inner.startSoon(() => parking.wait(), { name: "inner" });
            }),
          { name: "outer" },
        );
        group.startSoon(() => gate.promise, { name: "foreign" });
        const late = group.startSoon(() => gate.promise, { name: "late" });
        const ended = group.startSoon(() => {}, { name: "ended" });
        await ended.wait();
        await waitAllTasksBlocked();
        late.cancel();
        group.startSoon(() => {}, { name: "ready" });
        const tasks = runningTasks();
        const named = (name: string): (typeof tasks)[number] =>
          tasks.find((task) => task.name === name) as (typeof tasks)[number];
        equal(named("ended"), undefined as never);
        equal(named("inner").parentId, named("outer").id);
        ok(tasks.indexOf(named("outer")) < tasks.indexOf(named("inner")));
        equal(named("foreign").state, "running");
        equal(named("ready").state, "ready");
        equal(named("outer").state, "waiting");
        equal(named("outer").cancelled, false);
        equal(named("late").cancelled, true);
        equal(named("inner").state, "waiting");
        const [wait] = named("inner").waits;
        equal(wait?.kind, "parking");
        equal(wait?.resource, parking);
        ok(Number.isInteger(wait?.since) && (wait?.since ?? Infinity) <= now());
        parking.wake();
        gate.resolve();
      });
    });

    test("runningTasks: all waits of a task's flows, oldest first, in nested scopes too (§8)", async (group) => {
      const parking = new Parking();
      const child = group.startSoon(() =>
        Promise.all([
          parking.wait(),
          new CancelScope().run(() => sleep(5)),
          inShield(() => parking.wait()),
        ]),
      );
      await waitAllTasksBlocked();
      const waits = runningTasks().find((task) => task.id === child.id)?.waits ?? [];
      deepEqual(waits.map((wait) => wait.kind).toSorted(), ["parking", "parking", "sleep"]);
      parking.wakeAll();
    });

    test("taskTree: bears with resources whose names or statistics throw, or are something else (§8)", async (group) => {
      const odd = {
        get name(): string {
          throw new Error("asked for");
        },
        statistics: () => undefined,
      };
      for (const resource of [odd, { name: 5, statistics: () => ({ owner: "nobody" }) }])
        group.startSoon(() => suspend({ kind: "odd", resource }, () => () => {}));
      await waitAllTasksBlocked();
      equal(taskTree().match(/: odd for \d+ ms$/gm)?.length, 2);
      group.cancel();
    });

    test("taskTree: names, numbers and waits, indented; cancelled tasks are marked (§8)", async () => {
      const parking = new Parking();
      await taskGroup(async (group) => {
        const one = group.startSoon(
          () =>
            taskGroup(
              (inner) => void inner.startSoon(() => parking.wait(), { name: "grandchild" }),
            ),
          { name: "child" },
        );
        group.startSoon(() => inShield(() => parking.wait()), { name: "shielded" });
        await waitAllTasksBlocked();
        const lines = taskTree().split("\n");
        const line = (name: string): string => lines.find((text) => text.includes(name)) ?? "";
        const indent = (text: string): number => text.length - text.trimStart().length;
        ok(line("child").includes(`#${one.id}`));
        ok(line("grandchild").includes("parking for"), line("grandchild"));
        ok(indent(line("grandchild")) > indent(line("child (")));
        ok(!line("shielded").includes("[cancelled]"));
        group.cancel();
        const cancelled = taskTree();
        ok(cancelled.includes("shielded") && cancelled.includes("[cancelled]"), cancelled);
        parking.wakeAll();
      });
    });

    test("waitAllTasksBlocked: returns when every other task waits (§8)", async (group) => {
      const parking = new Parking();
      let rounds = 0;
      group.startSoon(async () => {
        for (let round = 0; round < 50; round++) {
          await checkpoint();
          rounds += 1;
        }
        await parking.wait();
      });
      await waitAllTasksBlocked();
      equal(rounds, 50);
      equal(parking.waiters.length, 1);
      parking.wake();
    });

    test("waitAllTasksBlocked: a sleeping task counts as waiting (§8)", async (group) => {
      let slept = false;
      const child = group.startSoon(async () => {
        await sleep(1e6);
        slept = true;
      });
      await waitAllTasksBlocked();
      equal(slept, false);
      child.cancel();
    });

    test("waitAllTasksBlocked: a checkpoint, and can be cancelled (§8)", async (group) => {
      const scope = await inCancelledScope(() => waitAllTasksBlocked());
      ok(scope.cancelledCaught);
      const inner = new CancelScope();
      group.startSoon(() => inner.run(() => waitAllTasksBlocked()));
      await checkpoint();
      inner.cancel();
    });

    test("instrument: sees tasks and waits begin and end, and cancellations, until disposed of (§8)", async () => {
      const log: string[] = [];
      const mine = (name: string): boolean => name === "watched";
      const hooks: Instrument = {
        taskSpawned: (task) => void (mine(task.name) && log.push("spawned")),
        taskExited: (task) => void (mine(task.name) && log.push(`exited ${task.status}`)),
        waitStarted: (task, wait) => void (mine(task.name) && log.push(`waits ${wait.kind}`)),
        waitEnded: (task, wait) => void (mine(task.name) && log.push(`ends ${wait.kind}`)),
        scopeCancelled: (task, reason) =>
          void (mine(task.name) && log.push(`cancelled ${String(reason)}`)),
      };
      const parking = new Parking();
      const attached = instrument(hooks);
      await taskGroup(async (group) => {
        const child = group.startSoon(
          async () => {
            await parking.wait();
            await sleepForever();
          },
          { name: "watched" },
        );
        await waitAllTasksBlocked();
        parking.wake();
        await waitAllTasksBlocked();
        child.cancel("why");
        child.cancel("only the first counts");
      });
      attached[Symbol.dispose]();
      await taskGroup((group) => void group.startSoon(() => {}, { name: "watched" }));
      deepEqual(log, [
        "spawned",
        "waits parking",
        "ends parking",
        "waits sleepForever",
        "cancelled why",
        "ends sleepForever",
        "exited cancelled",
      ]);
    });
  },
};
