import { ambientScope, runInScope } from "./ambient.ts";
import { requireFunction, requireOptions } from "./arguments.ts";
import { InvalidStateError } from "./errors.ts";
import { ON_BEHALF } from "./flags.ts";
import { type Instrument, InstrumentSet } from "./instrument.ts";
import type { BreaksWithTask } from "./scope-parts.ts";
import { Waiter, type WaitKind } from "./suspend.ts";
import type { TaskHandle } from "./task.ts";
import type { TaskOptions } from "./task-group.ts";

/** What wakes a suspended flow. Only the first call counts; each says whether it was the first. */
export interface Wakeable<T> {
  /** Resumes the flow with `value`. */
  wake(value: T): boolean;
  /** Resumes the flow by throwing `error` in it. */
  fail(error: unknown): boolean;
}

/** How to suspend. */
export interface SuspendOptions {
  /** Kind of wait, for the task tree: `"socket.read"`. */
  readonly kind: string;
  /** What is waited on, for the task tree. */
  readonly resource?: unknown;
}

/**
 * Parks the calling flow until it is woken or its scope is cancelled; everything in the library waits through this. A
 * checkpoint: if already cancelled, `begin` is not called.
 *
 * @param begin registers for the wake-up, and returns what withdraws it again when the scope is cancelled; if that returns
 *   `false`, the wait cannot be withdrawn and goes on until it is woken.
 *
 * Counterpart: `trio.lowlevel.wait_task_rescheduled`.
 *
 * @example Wait for a callback
 * ```ts
 * import { run } from "arborio";
 * import { suspend } from "arborio/lowlevel";
 *
 * await run(async () => {
 *   const value = await suspend<number>({ kind: "timer" }, (waiter) => {
 *     const timer = setTimeout(() => waiter.wake(42), 1);
 *     return () => clearTimeout(timer);
 *   });
 *   console.assert(value === 42);
 * });
 * ```
 */
export function suspend<T>(
  options: SuspendOptions,
  begin: (waiter: Wakeable<T>) => () => void | false,
): Promise<T> {
  const scope = ambientScope();
  const refusal = scope.refuse();
  if (refusal !== null) return scope.kernel.rejected(refusal);
  try {
    requireOptions("suspend(options, begin)", options, '{ kind: "socket.read" }');
    requireFunction("suspend", begin);
  } catch (error) {
    return scope.kernel.rejected(error);
  }
  // Until `begin` has returned nothing can be withdrawn; a cancellation from inside it is honoured right after.
  let withdraw: () => void | false = () => false;
  const kind: WaitKind = {
    name: options.kind,
    abort() {
      try {
        return withdraw();
      } catch (error) {
        // The cancellation that called this has others to abort.
        scope.runState.onUnhandled(error);
        return undefined;
      }
    },
  };
  const waiter = new Waiter<T>(scope, kind, options.resource, undefined);
  try {
    const withdrawal = begin(waiter);
    requireFunction("suspend: the result of begin", withdrawal);
    withdraw = withdrawal;
    if (scope.applied !== null) waiter.abort(scope.applied);
  } catch (error) {
    waiter.fail(error);
  }
  return waiter.promise;
}

/**
 * Runs `fn` soon, never at once, outside every task, in the run that this is called from: the door for callbacks that are not
 * in any task. What `fn` throws goes to the run's `onUnhandled`. Counterpart: `trio.lowlevel.TrioToken.run_sync_soon`.
 */
export function runSyncSoon(fn: () => void): void {
  requireFunction("runSyncSoon", fn);
  const { runState } = ambientScope().task;
  const guarded = (): void => {
    try {
      fn();
    } catch (error) {
      runState.onUnhandled(error);
    }
  };
  runInScope(runState.root, () => void runState.kernel.readyNow().then(guarded), undefined);
}

/**
 * Starts a task beside main. It is cancelled when main ends, and waited for; if it fails, the run is cancelled and fails.
 * Counterpart: `trio.lowlevel.spawn_system_task`.
 *
 * @throws InvalidStateError outside a run.
 */
export function startSystemTask<T>(
  fn: () => T | PromiseLike<T>,
  options: Pick<TaskOptions, "name"> = {},
): TaskHandle<T> {
  const { system } = ambientScope().runState;
  if (system === null)
    throw new InvalidStateError("startSystemTask: not inside a run; call it from within run(main)");
  requireFunction("startSystemTask", fn);
  const spawn = (name: string | undefined) => system.spawn("startSystemTask", fn, name, false);
  return runInScope(system.scope, spawn, options.name);
}

/**
 * Calls `fn` when the calling task has ended, however it did, unless the result is disposed of before: for what a task has taken and
 * may forget to give back. In a function that a combinator calls (`gather`, `hedge`, …) that is the task which waits for the combinator,
 * since what the function gives is for that one. What `fn` throws goes to the run's `onUnhandled`. A task that has no end, as outside
 * runs, never calls it.
 *
 * @example What is not given back in time
 * ```ts
 * import { run, taskGroup } from "arborio";
 * import { onTaskEnd } from "arborio/lowlevel";
 *
 * await run(async () => {
 *   const forgotten: string[] = [];
 *   await taskGroup(async (group) => {
 *     group.startSoon(async () => void onTaskEnd(() => forgotten.push("a lease")));
 *     group.startSoon(async () => onTaskEnd(() => forgotten.push("another"))[Symbol.dispose]());
 *   });
 *   console.assert(forgotten.join() === "a lease");
 * });
 * ```
 */
export function onTaskEnd(fn: () => void): Disposable {
  requireFunction("onTaskEnd", fn);
  let { task } = ambientScope();
  while ((task.flags & ON_BEHALF) !== 0 && task.parent !== null) ({ task } = task.parent);
  const end: BreaksWithTask = {
    breakWith() {
      try {
        fn();
      } catch (error) {
        task.runState.onUnhandled(error);
      }
    },
  };
  const extras = task.ensureExtras();
  extras.held ??= new Set();
  extras.held.add(end);
  return {
    [Symbol.dispose](): void {
      extras.held?.delete(end);
    },
  };
}

/** A number in [0, 1) from the backend's entropy: in the simulator it comes from the seed. */
export function random(): number {
  return ambientScope().kernel.random();
}

/**
 * Attaches callbacks that see what all tasks of this backend do, until the result is disposed of. An instrument that throws
 * is taken out, and its error goes to `onUnhandled`. Counterpart: `trio.lowlevel.add_instrument`.
 */
export function instrument(hooks: Instrument): Disposable {
  requireOptions("instrument", hooks, "{ taskSpawned(task) { … } }");
  const { kernel } = ambientScope();
  kernel.instruments ??= new InstrumentSet();
  kernel.instruments.add(hooks);
  return {
    [Symbol.dispose](): void {
      kernel.instruments?.delete(hooks);
      if (kernel.instruments?.size === 0) kernel.instruments = null;
    },
  };
}
