import { ambientScope } from "../core/ambient.ts";
import { requireFunction, requireTime } from "../core/arguments.ts";
import { Deadline } from "../core/deadlines.ts";
import { TimeoutError } from "../core/errors.ts";
import { SHIELD } from "../core/flags.ts";
import { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";

/** Milliseconds on the backend's monotonic clock, with fractions; its zero is arbitrary. Counterpart: `trio.current_time`. */
export function now(): number {
  return ambientScope().kernel.now();
}

/**
 * The time of day: milliseconds since 1970 began (UTC). It may jump, also backwards, when somebody sets the clock; durations are
 * measured with `now`. In the simulator every world begins with the year 2000.
 */
export function wallNow(): number {
  return ambientScope().kernel.clock.wallNow();
}

const SLEEP: WaitKind = {
  name: "sleep",
  abort(waiter) {
    waiter.scope?.kernel.removeDeadline(waiter.payload as Deadline);
  },
};

const SLEEP_FOREVER: WaitKind = { name: "sleepForever", abort() {} };

/**
 * Waits `ms` milliseconds. Zero and negative: a checkpoint. Cancelled, it leaves no timer behind.
 *
 * @throws RangeError if `ms` is `NaN`.
 */
export function sleep(ms: number): Promise<void> {
  const { kernel } = ambientScope();
  try {
    requireTime("sleep", ms);
  } catch (error) {
    return kernel.rejected(error);
  }
  return sleepUntil(kernel.now() + ms);
}

/** Waits until `now()` is at least `when`. A moment that has passed: a checkpoint. */
export function sleepUntil(when: number): Promise<void> {
  const scope = ambientScope();
  const refusal = scope.refuseExactly();
  if (refusal !== null) return scope.kernel.rejected(refusal);
  try {
    requireTime("sleepUntil", when);
  } catch (error) {
    return scope.kernel.rejected(error);
  }
  if (when <= scope.kernel.now()) return scope.kernel.readyNow();
  if (when === Infinity)
    return new Waiter<void>(scope, SLEEP_FOREVER, undefined, undefined).promise;
  const waiter = new Waiter<void>(scope, SLEEP, undefined, undefined);
  const deadline = new Deadline(when, wakeSleeper, waiter);
  waiter.payload = deadline;
  scope.kernel.addDeadline(deadline);
  return waiter.promise;
}

function wakeSleeper(waiter: Waiter<void>): void {
  waiter.wake();
}

/** Waits until cancelled. */
export function sleepForever(): Promise<never> {
  return sleepUntil(Infinity) as Promise<never>;
}

/** What a body gets that runs in a scope. */
export type ScopeBody<T> = (scope: CancelScope) => T | PromiseLike<T>;

/**
 * A `ScopeBody` that does take its scope. It may cancel that, and then there is no value; a body without parameters cannot, so
 * overloads tell the two apart.
 */
export type TakesScope<T, F> = ScopeBody<T> & (F extends () => unknown ? never : F);

/**
 * Runs `fn` and cuts it short after `ms` milliseconds. Not a checkpoint itself. The clock starts at entry.
 *
 * @returns what `fn` returns; `undefined` if it was cut short (`scope.cancelledCaught` tells the two apart).
 *
 * Counterpart: `trio.move_on_after`.
 *
 * @example Give up after a while
 * ```ts
 * import { moveOnAfter, run, sleep } from "arborio";
 *
 * await run(async () => {
 *   const answer = await moveOnAfter(10, async () => {
 *     await sleep(60_000);
 *     return 42;
 *   });
 *   console.assert(answer === undefined);
 * });
 * ```
 */
export function moveOnAfter<T>(ms: number, fn: ScopeBody<T>): Promise<T | undefined> {
  return runUntil("moveOnAfter", fromNow(ms), fn);
}

/** `moveOnAfter` with a moment of `now()` instead of a duration. Counterpart: `anyio.move_on_at`. */
export function moveOnAt<T>(when: number, fn: ScopeBody<T>): Promise<T | undefined> {
  return runUntil("moveOnAt", when, fn);
}

/**
 * Runs `fn`; if it has not ended after `ms` milliseconds, cuts it short and throws. A body that ends is never timed out, and
 * an explicit `cancel()` of the scope is not a timeout. Not a checkpoint itself. The clock starts at entry.
 *
 * @returns what `fn` returns; `undefined` if `scope.cancel()` cut it short.
 * @throws TimeoutError if the deadline cut `fn` short.
 *
 * Counterpart: `trio.fail_after`.
 */
export function failAfter<T, F extends ScopeBody<T>>(
  ms: number,
  fn: TakesScope<T, F>,
): Promise<T | undefined>;
/** For a body that does not take its scope, and so cannot cancel it. */
export function failAfter<T>(ms: number, fn: () => T | PromiseLike<T>): Promise<T>;
export function failAfter<T>(ms: number, fn: ScopeBody<T>): Promise<T | undefined> {
  return failing("failAfter", fromNow(ms), `${ms} ms were over`, fn);
}

/** `failAfter` with a moment of `now()` instead of a duration. Counterpart: `anyio.fail_at`. */
export function failAt<T, F extends ScopeBody<T>>(
  when: number,
  fn: TakesScope<T, F>,
): Promise<T | undefined>;
/** For a body that does not take its scope, and so cannot cancel it. */
export function failAt<T>(when: number, fn: () => T | PromiseLike<T>): Promise<T>;
export function failAt<T>(when: number, fn: ScopeBody<T>): Promise<T | undefined> {
  return failing("failAt", when, "the deadline had passed", fn);
}

/** The moment `ms` from now; what is not a number stays as it is, for the message of whoever checks it. */
function fromNow(ms: number): number {
  return typeof ms === "number" ? now() + ms : ms;
}

function runUntil<T>(where: string, when: number, fn: ScopeBody<T>): Promise<T | undefined> {
  try {
    requireTime(where, when);
    requireFunction(where, fn);
  } catch (error) {
    return ambientScope().kernel.rejected(error);
  }
  return new CancelScope({ deadline: when }).run(fn);
}

function failing<T>(
  where: string,
  when: number,
  what: string,
  fn: ScopeBody<T>,
): Promise<T | undefined> {
  try {
    requireTime(where, when);
    requireFunction(where, fn);
  } catch (error) {
    return ambientScope().kernel.rejected(error);
  }
  const scope = new CancelScope({ deadline: when });
  scope.ensureExtras().timeoutError = () =>
    new TimeoutError(`${where}: ${what} before the body had ended`, { cause: scope.own });
  return scope.run(fn);
}

/** The earliest deadline that applies here: −Infinity if already cancelled, Infinity if there is none. Shields end the search. */
export function currentEffectiveDeadline(): number {
  const current = ambientScope();
  current.kernel.fireDue();
  if (current.applied !== null) return -Infinity;
  let earliest = Infinity;
  for (let scope: CancelScope | null = current; scope !== null; scope = scope.parent) {
    earliest = Math.min(earliest, scope.deadline);
    if ((scope.flags & SHIELD) !== 0) break;
  }
  return earliest;
}
