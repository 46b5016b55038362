import { requireCount, requireFunction, requireOptions, requireTime } from "../core/arguments.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { type ErrorMatcher, toPredicate } from "../core/exception-group.ts";
import { sleep } from "../sync/timeouts.ts";
import { holdsCancellation, withSuppressed } from "./failures.ts";

/** Errors of earlier attempts that are kept, the latest: an endless retry must not keep every one. */
const EARLIER_ERRORS_MAX = 100;

/** Options of `retry`. */
export interface RetryOptions {
  /** Most attempts, the first included: a whole number from 1 on, or `Infinity` (put a deadline around it then). */
  readonly attempts: number;
  /** Milliseconds between attempts, or a function of the number of the attempt that failed, from 1 on. Default 0. */
  readonly backoff?: number | ((attempt: number) => number);
  /** Which errors to retry: an error class or a predicate. Default: all. Cancellation never is. */
  readonly when?: ErrorMatcher;
}

/**
 * Calls `fn` until it succeeds, waiting in between. It runs in the caller's own task. An error that holds cancellation is
 * never retried and never asked about.
 *
 * When cancelled while it waits, no timer is left, and the errors that were to be retried are dropped.
 *
 * @param fn gets the number of the attempt, from 1 on.
 * @param options how often, how soon, and on what.
 * @returns the value of the first attempt that succeeds.
 * @throws the error of the last attempt, or the first that `when` refuses, bare; errors of the attempts before it, the latest
 *   100, are in its property `suppressed`, oldest first.
 * @throws RangeError if `attempts` is not a whole number from 1 on, nor `Infinity`; if the backoff is `NaN`.
 * @throws TypeError if an argument is of the wrong kind.
 * @throws Cancelled if cancelled.
 *
 * Counterpart: `tenacity.retry`.
 *
 * @example Three attempts
 * ```ts
 * import { exponentialBackoff, retry, run } from "arborio";
 *
 * await run(async () => {
 *   const flaky = async (attempt: number) => {
 *     if (attempt < 3) throw new Error("not yet");
 *     return attempt;
 *   };
 *   const backoff = exponentialBackoff({ initialMs: 1, maxMs: 10 });
 *   console.assert((await retry(flaky, { attempts: 5, backoff })) === 3);
 * });
 * ```
 */
export async function retry<T>(
  fn: (attempt: number) => T | PromiseLike<T>,
  options: RetryOptions,
): Promise<T> {
  await checkpoint();
  requireFunction("retry", fn);
  requireOptions("retry(fn, options)", options, "{ attempts: 3 }");
  const { attempts, backoff = 0, when = () => true } = options;
  requireCount("retry({ attempts })", attempts, 1);
  if (typeof backoff !== "function") requireTime("retry({ backoff })", backoff);
  const isRetried = toPredicate(when);
  const delayOf = (attempt: number): number => {
    const delayMs = typeof backoff === "function" ? backoff(attempt) : backoff;
    requireTime("retry({ backoff })", delayMs);
    return delayMs;
  };
  const earlier: unknown[] = [];
  for (let attempt = 1; ; attempt++) {
    try {
      return await fn(attempt);
    } catch (error) {
      // The errors of earlier attempts count as dealt with, and a Cancelled is shared: nothing is attached to it.
      if (holdsCancellation(error)) throw error;
      if (attempt >= attempts || !asked(isRetried, error, [...earlier, error])) {
        throw withSuppressed(error, earlier);
      }
      if (earlier.push(error) > EARLIER_ERRORS_MAX) earlier.shift();
    }
    await sleep(asked(delayOf, attempt, earlier));
  }
}

/** Asks a function of the caller's. If it throws, the errors so far are not lost. */
function asked<A, R>(question: (about: A) => R, about: A, earlier: readonly unknown[]): R {
  try {
    return question(about);
  } catch (error) {
    throw withSuppressed(error, earlier);
  }
}
