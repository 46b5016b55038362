import type { Task } from "../core/task.ts";
import { runningTasksOf, type TaskInfo, taskTreeOf } from "../core/task-tree.ts";

/**
 * What each task waits for, if none can go on any more; `undefined` if one may still be woken from outside. Who waits on a
 * simulated socket is not: everything that could come has come.
 */
export function describeDeadlock(root: Task): string | undefined {
  if (runningTasksOf(root).some(mayBeWokenFromOutside)) return undefined;
  return `every task waits, and nothing is left that could wake one (no timer is set):\n${taskTreeOf(root)}`;
}

/**
 * A task that awaits a promise that is not ours counts as running; `abandonOnCancel` waits for one, and says for which. Streams
 * over foreign ones say that they are.
 */
function mayBeWokenFromOutside(task: TaskInfo): boolean {
  return task.state === "running" || task.waits.some(({ resource }) => isForeign(resource));
}

function isForeign(resource: unknown): boolean {
  if (typeof resource !== "object" || resource === null) return false;
  return resource instanceof Promise || (resource as { isForeign?: unknown }).isForeign === true;
}
