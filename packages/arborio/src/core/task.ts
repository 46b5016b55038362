import { ambientScope, runInScope } from "./ambient.ts";
import { isCancelled } from "./cancelled.ts";
import { TaskCancelled, TaskFailed } from "./errors.ts";
import { CANCELLED, DAEMON, FAILED, FINISHED, OPEN, STARTED } from "./flags.ts";
import { NOTHING, withoutOwned } from "./ownership.ts";
import type { RunState } from "./run-state.ts";
import { callForPromise } from "./leave.ts";
import { ignore } from "./promise.ts";
import { CancelScope } from "./scope.ts";
import { Waiter, type WaitKind } from "./suspend.ts";
import type { TaskGroup } from "./task-group.ts";
import { WaitQueue } from "./wait-queue.ts";

/** `pending` → (`cancelling`: by its handle) → `finished`, `failed` or `cancelled`. */
export type TaskStatus = "pending" | "cancelling" | "finished" | "failed" | "cancelled";

/** What `startSoon` returns. Counterpart: `anyio.TaskHandle`. */
export interface TaskHandle<T = unknown> {
  /** Unique within the backend. */
  readonly id: number;
  /** As given at the start, else the name of the function. */
  readonly name: string;
  /** How far it is. */
  readonly status: TaskStatus;
  /** Cancels this task only; its group goes on. Without effect once the task has ended. */
  cancel(reason?: unknown): void;
  /** Waits until the task has ended, however it did. Cancelling this wait does not touch the task. */
  wait(): Promise<void>;
  /**
   * Waits for the task's value.
   *
   * @throws TaskFailed if the task failed; its error is the `cause`.
   * @throws TaskCancelled if the task was cancelled.
   */
  result(): Promise<T>;
}

const ENDED = FINISHED | FAILED | CANCELLED;

const WAIT_FOR_TASK: WaitKind = {
  name: "task.wait",
  abort(waiter) {
    (waiter.resource as Task).extras?.enders?.remove(waiter as Waiter<void>);
  },
};

/**
 * A task is a scope with a flow of its own. Being both in one object is what keeps a waiting task small; users see it as
 * `TaskHandle`.
 */
export class Task<T = unknown> extends CancelScope implements TaskHandle<T> {
  readonly id: number;
  readonly name: string;
  /** @internal The function before the start, then nothing, then the value or the error. */
  slot: unknown;
  /** @internal Kernel time in whole milliseconds. */
  readonly createdAt: number;

  /** @internal */
  constructor(runState: RunState, name: string, fn: unknown) {
    super();
    const kernel = runState.kernel;
    this.task = this as Task;
    this.id = ++kernel.lastTaskId;
    this.name = name;
    this.runState = runState;
    this.slot = fn;
    this.createdAt = kernel.stamp();
    this.flags = OPEN;
  }

  get status(): TaskStatus {
    if ((this.flags & FINISHED) !== 0) return "finished";
    if ((this.flags & FAILED) !== 0) return "failed";
    if ((this.flags & CANCELLED) !== 0) return "cancelled";
    return this.own === null ? "pending" : "cancelling";
  }

  wait(): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if ((this.flags & ENDED) !== 0) return scope.kernel.ready(undefined);
    const waiter = new Waiter<void>(scope, WAIT_FOR_TASK, this, undefined);
    const extras = this.ensureExtras();
    extras.enders ??= new WaitQueue();
    extras.enders.push(waiter);
    return waiter.promise;
  }

  result(): Promise<T> {
    const ended = this.wait();
    const result = ended.then(() => this.#valueOrError());
    // A rejection of ours with Cancelled may float.
    ended.catch((error: unknown) => {
      if (isCancelled(error)) result.catch(ignore);
    });
    return result;
  }

  #valueOrError(): T {
    if ((this.flags & FAILED) !== 0)
      throw new TaskFailed(`${this.describe()} failed`, { cause: this.slot });
    if ((this.flags & CANCELLED) !== 0)
      throw new TaskCancelled(`${this.describe()} was cancelled, so it has no result`);
    return this.slot as T;
  }

  /** @internal For messages. */
  describe(): string {
    return `task ${JSON.stringify(this.name)} (#${this.id})`;
  }

  /** @internal The group it was started in; `null` for the root of a run. */
  get group(): TaskGroup | null {
    return this.parent?.extras?.group ?? null;
  }

  /** @internal */
  get ended(): boolean {
    return (this.flags & ENDED) !== 0;
  }

  /** @internal Records the outcome: first the group learns of it (a failure cancels it), then those who wait for the task or for what it held. */
  finish(outcome: number, result: unknown): void {
    this.flags |= outcome;
    this.slot = result;
    const extras = this.extras;
    if (this.kernel.instruments !== null) this.kernel.instruments.taskExited(this as Task);
    this.group?.childEnded(this as Task);
    // After the group: its other tasks are cancelled by a failure, and must not add that what they waited for broke.
    if (extras?.held !== undefined) for (const held of extras.held) held.breakWith(this as Task);
    const enders = extras?.enders;
    if (enders !== undefined)
      for (let waiter = enders.shift(); waiter !== null; waiter = enders.shift()) waiter.wake();
  }
}

/** Starts `fn` as a task of `group`: later in the same turn, never inline, with the caller's async context. */
export function spawn<T>(
  group: TaskGroup,
  fn: () => T | PromiseLike<T>,
  name: string | undefined,
  daemon: boolean,
): Task<T> {
  const scope = group.scope;
  const task = new Task<T>(scope.runState, name ?? (fn.name === "" ? "anonymous" : fn.name), fn);
  if (daemon) task.flags |= DAEMON;
  task.parent = scope;
  task.applied = scope.applied;
  scope.link(task);
  if (task.runState.dev) task.ensureExtras().openedAt = task.runState.callSite();
  if (task.kernel.instruments !== null) task.kernel.instruments.taskSpawned(task as Task);
  runInScope(task, scheduleStart, undefined);
  return task;
}

// Shared functions instead of closures: the ambient scope says which task they are about.

const RESOLVED: Promise<void> = Promise.resolve();

function scheduleStart(): void {
  const { kernel } = ambientScope();
  // A microtask of its own for each task: one for a batch would be faster, but would lose the caller's context.
  void (kernel.stepwise ? kernel.readyNow() : RESOLVED).then(startAmbientTask);
}

function startAmbientTask(): void {
  const task = ambientScope() as Task;
  const fn = task.slot as (nothing: undefined) => unknown;
  task.slot = undefined;
  task.flags |= STARTED;
  void callForPromise(fn, undefined).then(taskReturned, taskThrew);
}

function taskReturned(value: unknown): void {
  endTask(ambientScope() as Task, FINISHED, value);
}

function taskThrew(error: unknown): void {
  const task = ambientScope() as Task;
  task.kernel.fireDue();
  const rest = withoutOwned(task, error);
  if (rest === NOTHING || isCancelled(rest))
    endTask(task, CANCELLED, rest === NOTHING ? undefined : rest);
  else endTask(task, FAILED, rest);
}

function endTask(task: Task, outcome: number, result: unknown): void {
  if (task.last === null) {
    task.close();
    task.finish(outcome, result);
  } else {
    task.closeThen(() => task.finish(outcome, result));
  }
}
