import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireFunction, requireTime } from "../core/arguments.ts";

/** First delay unless given, in milliseconds: long for a local hiccup, short for a person who waits. */
const INITIAL_MS = 100;
/** Longest delay unless given, in milliseconds: an outage that has ended is noticed within half a minute. */
const MAX_MS = 30_000;
/** Growth per attempt unless given. */
const FACTOR = 2;

/** Options of `exponentialBackoff`. */
export interface ExponentialBackoffOptions {
  /** Delay after the first attempt, in milliseconds, from 0 on. Default 100. */
  readonly initialMs?: number;
  /** What each delay is multiplied with to give the next, from 1 on. Default 2. */
  readonly factor?: number;
  /** Longest delay, in milliseconds, from 0 on. Default 30,000. */
  readonly maxMs?: number;
  /** Share of each delay that is left to chance, from 0 to 1 ("full jitter"). Default 0. */
  readonly jitter?: number;
  /** Gives numbers from 0 to below 1. Default: the backend's, so that the simulator's come from its seed. */
  readonly random?: () => number;
}

/**
 * Makes delays for `retry` that grow from attempt to attempt. Jitter keeps clients that failed together from coming back
 * together: a delay of d milliseconds becomes one between d × (1 − jitter) and d.
 *
 * @param options how the delays grow; all have defaults.
 * @returns a function from the number of the attempt that failed, from 1 on, to milliseconds.
 * @throws RangeError if an option is out of its range.
 * @throws TypeError if an option is of the wrong kind.
 *
 * Source: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog (2015). Counterpart: `tenacity.wait_exponential`.
 *
 * @example The first delays
 * ```ts
 * import { exponentialBackoff } from "arborio";
 *
 * const backoff = exponentialBackoff({ initialMs: 10, maxMs: 50 });
 * console.assert([1, 2, 3, 4].map(backoff).join() === "10,20,40,50");
 * ```
 */
export function exponentialBackoff(
  options: ExponentialBackoffOptions = {},
): (attempt: number) => number {
  const { initialMs = INITIAL_MS, factor = FACTOR, maxMs = MAX_MS, jitter = 0 } = options;
  const { random = () => ambientScope().kernel.random() } = options;
  requireRange("initialMs", initialMs, 0, Infinity);
  requireRange("factor", factor, 1, Infinity);
  requireRange("maxMs", maxMs, 0, Infinity);
  requireRange("jitter", jitter, 0, 1);
  requireFunction("exponentialBackoff({ random })", random);
  return (attempt) => {
    // Zero times an overflowed power would be NaN.
    const delayMs = initialMs === 0 ? 0 : Math.min(maxMs, initialMs * factor ** (attempt - 1));
    return jitter === 0 ? delayMs : delayMs * (1 - jitter * random());
  };
}

function requireRange(name: string, value: unknown, min: number, max: number): void {
  const where = `exponentialBackoff({ ${name} })`;
  if (typeof value !== "number")
    throw new TypeError(`${where}: got ${describeValue(value)}, needs a number`);
  requireTime(where, value);
  if (value < min || value > max)
    throw new RangeError(`${where}: got ${value}, needs a number from ${min} to ${max}`);
}
