import { ambientScope } from "./ambient.ts";
import { requireFunction } from "./arguments.ts";
import { isCancelled } from "./cancelled.ts";
import { InvalidStateError, TaskCancelled } from "./errors.ts";
import { FAILED, FINISHED } from "./flags.ts";
import { Waiter, type WaitKind } from "./suspend.ts";
import type { Task } from "./task.ts";
import type { TaskGroup } from "./task-group.ts";

/** What a child started with `group.start` reports to. */
export interface StartStatus<T = void> {
  /**
   * Says that the child is ready, and gives `value` to the caller of `start`.
   *
   * @throws InvalidStateError on the second call.
   */
  started(value: T): void;
}

/** The wait of `start` cannot be withdrawn at once: cancellation cancels the child, and the wait ends when the child has. */
const WAIT_FOR_STARTED: WaitKind = {
  name: "group.start",
  abort(waiter) {
    (waiter.payload as StartState).cancelChild();
    return false;
  },
};

/** State of one `group.start` from the call until `started` or the end of the child. */
export class StartState<T = unknown> implements StartStatus<T> {
  readonly #waiter: Waiter<T>;
  readonly #child: Task;
  #startedCalled = false;
  #callerCancelled = false;

  constructor(waiter: Waiter<T>, child: Task) {
    this.#waiter = waiter;
    this.#child = child;
  }

  started(value: T): void {
    if (this.#startedCalled)
      throw new InvalidStateError("status.started: called twice; a child starts once");
    this.#startedCalled = true;
    if (!this.#callerCancelled) this.#waiter.wake(value);
  }

  /** Whether this took care of the child's end, so that the group need not. */
  childEnded(child: Task): boolean {
    if (this.#startedCalled && !this.#callerCancelled) return false;
    const cancelled = this.#waiter.scope?.applied ?? null;
    if ((child.flags & FAILED) !== 0) this.#waiter.fail(child.slot);
    else if (this.#callerCancelled && cancelled !== null) this.#waiter.fail(cancelled);
    else if ((child.flags & FINISHED) !== 0)
      this.#waiter.fail(
        new InvalidStateError(
          `group.start: ${child.describe()} returned without calling status.started()`,
        ),
      );
    else if (cancelled !== null) this.#waiter.fail(cancelled);
    else
      this.#waiter.fail(
        new TaskCancelled(
          `group.start: ${child.describe()} was cancelled before it called status.started()`,
        ),
      );
    return !isCancelled(child.slot);
  }

  cancelChild(): void {
    this.#callerCancelled = true;
    this.#child.cancel("the caller of group.start was cancelled");
  }
}

export function startAndWait<T>(
  group: TaskGroup,
  fn: (status: StartStatus<T>) => unknown,
  name: string | undefined,
): Promise<T> {
  const scope = ambientScope();
  const refusal = scope.refuse();
  if (refusal !== null) return scope.kernel.rejected(refusal);
  try {
    requireFunction("group.start", fn);
    const child: Task = group.spawn(
      "group.start",
      () => fn(child.extras?.start as StartStatus<T>),
      name ?? (fn.name === "" ? undefined : fn.name),
      false,
    ) as Task;
    const waiter = new Waiter<T>(scope, WAIT_FOR_STARTED, child, undefined);
    const state = new StartState(waiter, child);
    waiter.payload = state;
    child.ensureExtras().start = state as StartState;
    return waiter.promise;
  } catch (error) {
    return scope.kernel.rejected(error);
  }
}
