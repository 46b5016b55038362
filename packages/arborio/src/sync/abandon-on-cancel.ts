/**
 * The way to wait for a promise that is not ours and cannot be cancelled. What must not be lost is what comes when nobody waits any
 * more: a late value may be a connected socket, a late error may be the one that explains the outage. What must not grow
 * is what hangs on the promise: programs wait a million times for one that never settles, and every `then`, so also every
 * `Promise.race`, stays on it for ever. So each promise gets one reaction, and that one knows who waits.
 */
import { ambientScope, runInScope } from "../core/ambient.ts";
import { describeValue } from "../core/arguments.ts";
import { isCancelled } from "../core/cancelled.ts";
import type { RunState } from "../core/run-state.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";

/** Options of `abandonOnCancel`. */
export interface AbandonOptions<T> {
  /**
   * Gets the value if it comes when nobody waits for it any more: close it, put it back, count it. Runs under the root
   * scope; what it throws goes to the run's `onUnhandled`. Default: the value is dropped.
   */
  readonly onLate?: (value: T) => unknown;
}

/** What `abandonOnCancel` waits for: a promise, or a function that starts something and gets a signal to stop it. */
export type Foreign<T> = PromiseLike<T> | ((signal: AbortSignal) => T | PromiseLike<T>);

/**
 * Waits for a foreign promise, and on cancellation stops waiting without waiting for it: it goes on by itself. A late value
 * goes to `onLate`, a late rejection to the run's `onUnhandled`, once. A function is called at once, and
 * its signal aborts on cancellation; a rejection that only answers this (an `AbortError`) is not reported.
 *
 * Called in a scope that is cancelled already, a promise is taken over as if it had been waited for, and a function is not
 * called. A promise may be given to any number of calls, and nothing gathers on it; its value goes to all who still wait; if
 * nobody does, to the `onLate` of the wait that was abandoned last.
 *
 * @param work the promise, or `(signal) => promise`.
 * @returns what the promise resolves to.
 * @throws whatever the promise rejects with, or the function throws.
 * @throws TypeError if `work` is neither a promise nor a function.
 *
 * Counterpart: `anyio.to_thread.run_sync(…, abandon_on_cancel=True)`.
 *
 * @example Give up on what cannot be cancelled
 * ```ts
 * import { abandonOnCancel, moveOnAfter, run } from "arborio";
 *
 * await run(async () => {
 *   const never = new Promise<string>(() => {});
 *   const answer = await moveOnAfter(1, () => abandonOnCancel(never, { onLate: console.log }));
 *   console.assert(answer === undefined);
 * });
 * ```
 */
export function abandonOnCancel<T>(work: Foreign<T>, options: AbandonOptions<T> = {}): Promise<T> {
  const scope = ambientScope();
  const onLate = options.onLate as Late["onLate"];
  const refusal = scope.refuse();
  if (typeof work === "function") {
    return refusal === null ? callAndWait(scope, work, onLate) : scope.kernel.rejected(refusal);
  }
  if (!isPromiseLike(work)) {
    return scope.kernel.rejected(
      new TypeError(
        `abandonOnCancel: got ${describeValue(work)}, needs a promise or a function (signal) => promise`,
      ),
    );
  }
  const late: Late = { onLate, runState: scope.runState, controller: null };
  return (
    refusal === null ? wait(scope, work, late) : takeOver(scope, work, late, refusal)
  ) as Promise<T>;
}

/** What is to be done with a result that comes when its wait was abandoned. */
interface Late {
  readonly onLate: ((value: unknown) => unknown) | undefined;
  readonly runState: RunState;
  /** Of the signal that a function was given. */
  readonly controller: AbortController | null;
}

/** The payload of a waiter. */
interface Wait {
  readonly watch: Watch;
  readonly late: Late;
}

const ABANDON: WaitKind = {
  name: "abandonOnCancel",
  abort(waiter) {
    const { watch, late } = waiter.payload as Wait;
    watch.waiters.delete(waiter);
    watch.late = late;
    late.controller?.abort(waiter.scope?.applied);
  },
};

function callAndWait<T>(
  scope: CancelScope,
  fn: (signal: AbortSignal) => T | PromiseLike<T>,
  onLate: Late["onLate"],
): Promise<T> {
  const controller = new AbortController();
  const late: Late = { onLate, runState: scope.runState, controller };
  let promise: PromiseLike<unknown>;
  try {
    const result = fn(controller.signal);
    promise = isPromiseLike(result) ? result : Promise.resolve(result);
  } catch (error) {
    return scope.kernel.rejected(error);
  }
  // The function may have cancelled the scope it is in; then nobody would abort the wait any more.
  const refusal = scope.refuse();
  if (refusal === null) return wait(scope, promise, late) as Promise<T>;
  controller.abort(refusal);
  return takeOver(scope, promise, late, refusal);
}

function wait(scope: CancelScope, promise: PromiseLike<unknown>, late: Late): Promise<unknown> {
  const watch = watchOf(promise, late.runState);
  const payload: Wait = { watch, late };
  const waiter = new Waiter<unknown>(scope, ABANDON, promise, payload);
  watch.waiters.add(waiter);
  return waiter.promise;
}

function takeOver(
  scope: CancelScope,
  promise: PromiseLike<unknown>,
  late: Late,
  refusal: Error,
): Promise<never> {
  watchOf(promise, late.runState).late = late;
  return scope.kernel.rejected(refusal);
}

/** The one reaction on each promise that is waited for here, until it settles. */
const watches: WeakMap<PromiseLike<unknown>, Watch> = new WeakMap();

function watchOf(promise: PromiseLike<unknown>, runState: RunState): Watch {
  const known = watches.get(promise);
  if (known !== undefined) return known;
  const watch = new Watch();
  watches.set(promise, watch);
  // Under the root: the reaction may live as long as the program, and would keep the caller's scope alive so long.
  runInScope(runState.root, () => react(promise, watch), undefined);
  return watch;
}

/** How many wait for `promise` here now. For tests: abandoned waits must not gather. */
export function waitersOn(promise: PromiseLike<unknown>): number {
  return watches.get(promise)?.waiters.size ?? 0;
}

function react(promise: PromiseLike<unknown>, watch: Watch): void {
  void Promise.resolve(promise).then(
    (value) => {
      watches.delete(promise);
      watch.fulfilled(value);
    },
    (error: unknown) => {
      watches.delete(promise);
      watch.rejected(error);
    },
  );
}

/** Who waits for a promise, and who takes what comes when nobody does. */
class Watch {
  readonly waiters: Set<Waiter<unknown>> = new Set();
  /** Of the wait that was abandoned last. Only one: otherwise a promise that never settles would gather them. */
  late: Late | null = null;

  fulfilled(value: unknown): void {
    let taken = false;
    for (const waiter of this.#takeWaiters()) taken = waiter.wake(value) || taken;
    const { late } = this;
    if (taken || late === null || late.onLate === undefined) return;
    const { onUnhandled } = late.runState;
    try {
      const result = late.onLate(value);
      if (isPromiseLike(result)) result.then(undefined, onUnhandled);
    } catch (error) {
      onUnhandled(error);
    }
  }

  rejected(error: unknown): void {
    let taken = false;
    for (const waiter of this.#takeWaiters()) taken = waiter.fail(error) || taken;
    if (taken || this.late === null || isAnswerToAbort(error, this.late)) return;
    this.late.runState.onUnhandled(error);
  }

  #takeWaiters(): Waiter<unknown>[] {
    const waiters = [...this.waiters];
    this.waiters.clear();
    return waiters;
  }
}

/** Whether a late rejection only says that our own cancellation arrived. */
function isAnswerToAbort(error: unknown, late: Late): boolean {
  if (isCancelled(error)) return true;
  return late.controller !== null && error instanceof Error && error.name === "AbortError";
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
