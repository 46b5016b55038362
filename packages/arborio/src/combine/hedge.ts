import { requireOptions, requireTime } from "../core/arguments.ts";
import { checkpointIfCancelled } from "../core/checkpoint.ts";
import { CancelScope } from "../core/scope.ts";
import type { TaskGroup } from "../core/task-group.ts";
import { now, sleepForever } from "../sync/timeouts.ts";
import { type Contest, contest } from "./contest.ts";
import { requireSomeFunctions, taskName, type ValueOf, type Work } from "./functions.ts";

/** Options of `hedge`. */
export interface HedgeOptions {
  /** Milliseconds to wait for an attempt before the next one starts beside it. `Infinity`: the next starts on failure only. */
  readonly afterMs: number;
}

/**
 * Calls the first function, and the next one whenever `afterMs` have passed without a success, or an attempt has failed; the
 * first that succeeds wins. Attempts that run are not stopped by later ones. When one has won, the others are cancelled and
 * waited for, and their late values are disposed if they are disposable. (`connectTcp` does more:
 * its addresses arrive, and are put in order, while it tries.)
 *
 * When it fails or is cancelled, all attempts have ended, and no timer is left.
 *
 * @param fns an iterable of functions, at least one, in order of preference. Functions, not promises.
 * @param options the delay.
 * @returns the value of the first attempt that succeeds, when all others have ended.
 * @throws ExceptionGroup with the errors of all functions, in their order, if none succeeds.
 * @throws RangeError if there are no functions, or `afterMs` is `NaN`.
 * @throws TypeError if something in `fns` is not a function, or `afterMs` not a number.
 * @throws Cancelled if cancelled, also while waiting for losers; the winner's value is disposed, and errors of functions
 *   that had failed are dropped.
 * @throws what the disposer of a late value throws; the winner's value is disposed then.
 *
 * Source: Dean and Barroso, "The Tail at Scale" (2013); a failure starts the next attempt at once, as in gRPC's hedging
 * (proposal A6) and RFC 8305, section 5.
 *
 * @example A second server, should the first be slow
 * ```ts
 * import { hedge, run, sleep } from "arborio";
 *
 * await run(async () => {
 *   const slow = () => sleep(60_000).then(() => "slow");
 *   const fast = () => sleep(1).then(() => "fast");
 *   console.assert((await hedge([slow, fast], { afterMs: 5 })) === "fast");
 * });
 * ```
 */
export async function hedge<F extends Work>(
  fns: Iterable<F>,
  options: HedgeOptions,
): Promise<ValueOf<F>> {
  checkpointIfCancelled();
  const list = requireSomeFunctions("hedge", fns);
  requireOptions("hedge(fns, options)", options, "{ afterMs: 100 }");
  const { afterMs } = options;
  requireTime("hedge({ afterMs })", afterMs);
  return contest<unknown>("hedge", (held, group) => {
    const hedging = new Hedging(list, afterMs, held, group);
    // A child, not the body: the winner cuts it short, and that must not leave the group without a value.
    group.startSoon(() => hedging.startAll(), { name: "hedge" });
  }) as Promise<ValueOf<F>>;
}

class Hedging {
  readonly #fns: readonly Work[];
  readonly #afterMs: number;
  readonly #contest: Contest<unknown>;
  readonly #group: TaskGroup;
  /** Failures for which no other attempt was started yet. */
  #unanswered = 0;
  /** Cancelled by an attempt that fails, which ends the delay. */
  #delay: CancelScope | null = null;

  constructor(fns: readonly Work[], afterMs: number, held: Contest<unknown>, group: TaskGroup) {
    this.#fns = fns;
    this.#afterMs = afterMs;
    this.#contest = held;
    this.#group = group;
  }

  async startAll(): Promise<void> {
    for (const [index, fn] of this.#fns.entries()) {
      if (index > 0) await this.#untilNext();
      this.#group.startSoon(() => this.#attempt(fn, index), { name: taskName("hedge", fn, index) });
    }
  }

  async #untilNext(): Promise<void> {
    if (this.#unanswered === 0) {
      this.#delay = new CancelScope({ deadline: now() + this.#afterMs });
      await this.#delay.run(sleepForever);
    }
    if (this.#unanswered > 0) this.#unanswered -= 1;
  }

  async #attempt(fn: Work, index: number): Promise<void> {
    const failed = await this.#contest.attempt(fn, index);
    if (!failed) return;
    this.#unanswered += 1;
    this.#delay?.cancel("an attempt failed");
  }
}
