import { ambientScope } from "./ambient.ts";
import { BODY_ENDED, STARTED } from "./flags.ts";
import { describeWait, type WaitDescription } from "./instrument.ts";
import type { CancelScope } from "./scope.ts";
import type { Waiter } from "./suspend.ts";
import type { Task } from "./task.ts";

/** Deepest level that the printed tree indents; below it, indentation stays. */
const INDENT_MAX = 40;

/** `ready`: not started yet; `waiting`: parked in the library; `running`: on its way, or awaiting a promise that is not ours. */
export type TaskState = "ready" | "running" | "waiting" | "ended";

/** What is known of a task without asking it. Counterpart: `anyio.TaskInfo`. */
export interface TaskInfo {
  /** Unique within the backend. */
  readonly id: number;
  /** `null` for the root. */
  readonly parentId: number | null;
  /** As given at the start, else the name of the function. */
  readonly name: string;
  /** What it does. */
  readonly state: TaskState;
  /** Whether a cancellation has reached it: it is on its way out, or ought to be. */
  readonly cancelled: boolean;
  /** Milliseconds of `now()`, whole, and up to 5 too early. */
  readonly createdAt: number;
  /** What its flows wait on; mostly one, more under `Promise.all`. Oldest first. */
  readonly waits: readonly WaitDescription[];
}

/** The task of the calling flow. */
export function currentTask(): TaskInfo {
  return infoOf(ambientScope().task);
}

/** All tasks of this run that have not ended, parents before children. */
export function runningTasks(): TaskInfo[] {
  return runningTasksOf(ambientScope().runState.root);
}

export function runningTasksOf(root: Task): TaskInfo[] {
  return [...tasksBelow(root)].map(([task]) => infoOf(task));
}

/** The tasks of this run as an indented tree: name, state, and what each waits on since when. */
export function taskTree(): string {
  return taskTreeOf(ambientScope().runState.root);
}

export function taskTreeOf(root: Task): string {
  const now = root.kernel.now();
  const lines: string[] = [];
  for (const [task, depth] of tasksBelow(root)) {
    const info = infoOf(task);
    const waits = info.waits.map((wait) => waitText(wait, info.id, now));
    const doing = waits.length > 0 ? waits.join(", ") : info.state;
    const cancelled = task.applied === null ? "" : " [cancelled]";
    lines.push(
      `${"  ".repeat(Math.min(depth, INDENT_MAX))}${task.name} (#${task.id})${cancelled}: ${doing}`,
    );
  }
  return lines.join("\n");
}

function waitText(wait: WaitDescription, waiterId: number, now: number): string {
  const holder = holderOf(wait.resource);
  const held =
    holder === null
      ? ""
      : `, held by ${holder.id === waiterId ? "this task itself" : `${holder.name} (#${holder.id})`}`;
  const waitedMs = Math.max(0, Math.round(now - wait.since));
  return `${wait.kind}${nameOf(wait.resource)} for ${waitedMs} ms${held}`;
}

interface Holder {
  readonly id: number;
  readonly name: string;
}

/** Who has what is waited for, if the resource has an owner that its statistics tell. */
function holderOf(resource: unknown): Holder | null {
  if (typeof resource !== "object" || resource === null) return null;
  try {
    const { owner } = (resource as { statistics(): { owner?: Partial<Holder> } }).statistics();
    return typeof owner?.id === "number" ? (owner as Holder) : null;
  } catch {
    return null; // resources are anybody's objects
  }
}

function nameOf(resource: unknown): string {
  if (typeof resource !== "object" || resource === null) return "";
  try {
    const { name } = resource as { name?: unknown };
    return typeof name === "string" && name !== "" ? ` ${JSON.stringify(name)}` : "";
  } catch {
    return "";
  }
}

export function infoOf(task: Task): TaskInfo {
  const waits = [...waitsOf(task)];
  return {
    id: task.id,
    parentId: task.parent?.task.id ?? null,
    name: task.name,
    state: stateOf(task, waits),
    cancelled: task.applied !== null,
    createdAt: task.createdAt,
    waits,
  };
}

function stateOf(task: Task, waits: readonly WaitDescription[]): TaskState {
  if (task.ended) return "ended";
  if (waits.length > 0) return "waiting";
  return task.group === null || (task.flags & STARTED) !== 0 ? "running" : "ready";
}

/** The waits of the task's own flows: in its scopes, not in its children. */
function* waitsOf(task: Task): Generator<WaitDescription> {
  const stack: CancelScope[] = [task];
  for (let scope = stack.pop(); scope !== undefined; scope = stack.pop()) {
    if ((scope.flags & BODY_ENDED) !== 0)
      yield { kind: "taskGroup", resource: scope.extras?.group, since: task.createdAt };
    for (let member = scope.last; member !== null; member = scope.before(member)) {
      if (!member.isScope) yield describeWait(member as Waiter<unknown>);
      else if ((member as CancelScope).task === task) stack.push(member as CancelScope);
    }
  }
}

/** Depth first, parents before children, oldest first. Iterative: trees may be 10,000 deep. */
function* tasksBelow(root: Task): Generator<[task: Task, depth: number]> {
  const stack: [CancelScope, number][] = [[root, 0]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [scope, depth] = next;
    const isTask = scope.task === scope;
    if (isTask) yield [scope as Task, depth];
    for (let member = scope.last; member !== null; member = scope.before(member)) {
      if (member.isScope) stack.push([member as CancelScope, isTask ? depth + 1 : depth]);
    }
  }
}
