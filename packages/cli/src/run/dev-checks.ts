/**
 * What `--dev` adds to `run({ dev: true })`: it says when a cancelled task does not end, when the thread was blocked, and prints the tree
 * of tasks at SIGQUIT (Ctrl-\ in a terminal). It looks on from a task of its own, beside main, and changes nothing.
 */
import { now, runningTasks, sleep, type TaskGroup, type TaskInfo, taskTree } from "arborio";
import { startSystemTask } from "arborio/lowlevel";
import { openSignalReceiver, type SignalReceiver } from "arborio/process";
import type { Shell } from "../host/shell.ts";

/** How often it looks, in milliseconds. */
const LOOK_MS = 50;

/** A task that has not ended so long after its cancellation is named; again each time that it took twice as long. Milliseconds. */
const LATE_MS = 2_000;

/** Timers that come so much too late tell of a blocked thread, in milliseconds: more than a collection of garbage takes. */
const BLOCKED_MS = 200;

const NAME = "developer checks";

/** Starts the checks in the run that this is called in, which has this root group; they end with it. */
export function startDevChecks(shell: Shell, group: TaskGroup): void {
  startSystemTask(() => lookOn(shell, group), { name: NAME });
  // Opened here and now: before that, SIGQUIT ends the process.
  const signals = openSignalReceiver(["SIGQUIT"]);
  startSystemTask(() => printAtQuit(signals, shell), { name: NAME });
}

async function lookOn(shell: Shell, group: TaskGroup): Promise<void> {
  const late = new LateTasks();
  for (;;) {
    const before = now();
    await sleep(LOOK_MS);
    const blockedMs = Math.round(now() - before - LOOK_MS);
    if (blockedMs >= BLOCKED_MS)
      shell.warn(`arborio: the thread was blocked for about ${blockedMs} ms; no task could go on`);
    for (const warning of late.look(tasksOf(group), now())) shell.warn(`arborio: ${warning}`);
  }
}

/** All tasks but those of the checks. The root's own flow is in the root group, which is what a signal cancels. */
function tasksOf(group: TaskGroup): TaskInfo[] {
  return runningTasks()
    .filter(({ name }) => name !== NAME)
    .map((task) =>
      task.parentId === null ? { ...task, cancelled: group.scope.cancelCalled } : task,
    );
}

async function printAtQuit(signals: SignalReceiver, shell: Shell): Promise<void> {
  using receiver = signals;
  for await (const _name of receiver) shell.warn(`arborio: tasks\n${taskTree()}`);
}

interface Cancelled {
  readonly since: number;
  nextWarningMs: number;
}

/** Which tasks were cancelled, and when that was first seen. */
export class LateTasks {
  #cancelled: Map<number, Cancelled> = new Map();

  /** Takes the tasks that run now, and gives what there is to say about them. */
  look(tasks: readonly TaskInfo[], at: number): string[] {
    const cancelled = new Map<number, Cancelled>();
    const warnings: string[] = [];
    for (const task of tasks) {
      if (!task.cancelled) continue;
      const entry = this.#cancelled.get(task.id) ?? { since: at, nextWarningMs: LATE_MS };
      cancelled.set(task.id, entry);
      // A group's parent cannot end before its children: they are the ones to name.
      const isHeldUp = tasks.some(({ parentId }) => parentId === task.id);
      if (at - entry.since < entry.nextWarningMs || isHeldUp) continue;
      entry.nextWarningMs *= 2;
      warnings.push(describeLate(task, at - entry.since));
    }
    this.#cancelled = cancelled;
    return warnings;
  }
}

function describeLate(task: TaskInfo, lateMs: number): string {
  const waits = task.waits.map(({ kind }) => kind).join(", ");
  const doing =
    waits === ""
      ? "it computes, or awaits a promise that is not Arborio's"
      : `it waits in ${waits}`;
  return `task "${task.name}" (#${task.id}) was cancelled ${(lateMs / 1000).toFixed(1)} s ago and has not ended: ${doing}`;
}
