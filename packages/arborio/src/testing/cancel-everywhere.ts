import { requireFunction } from "../core/arguments.ts";
import { ArborioError } from "../core/errors.ts";
import type { Instrument } from "../core/instrument.ts";
import { instrument } from "../core/lowlevel.ts";
import { pureCancellation } from "../core/ownership.ts";
import { CancelScope } from "../core/scope.ts";
import type { Task } from "../core/task.ts";
import { isWithin, watchCheckpoints } from "./probe.ts";

/**
 * Where in an operation the cancellation comes: before it begins, while it waits, or after it was woken but before its flow
 * goes on.
 */
export type CancelMoment = "entry" | "waiting" | "woken";

const MOMENTS: readonly CancelMoment[] = ["entry", "waiting", "woken"];

/** Rounds of one moment after which a sweep is taken to be endless. */
const ROUNDS_MAX = 100_000;

/** One run of the function under test. */
export interface CancelRound {
  /** Registers a check that runs when the round has ended: that nothing is held, lost or leaked. */
  after(check: () => void): void;
  /** When this round cancels; `undefined` in the first round, which is not cancelled. */
  readonly moment: CancelMoment | undefined;
}

/** Options of `cancelEverywhere`. */
export interface CancelEverywhereOptions {
  /** Whether an error that `fn` throws in a cancelled round is all right. Default: only cancellation is. */
  readonly expected?: (error: unknown) => boolean;
}

/** What a sweep did. */
export interface CancelSweep {
  /** Number of cancelled rounds, of each moment. */
  readonly rounds: Readonly<Record<CancelMoment, number>>;
}

class CancelEverywhereError extends ArborioError {}

/**
 * Runs `fn` once uncancelled, then once for each checkpoint it passes, cancelled right there: at the entry of the operation,
 * while it waits, and after it was woken. After each round it runs the round's checks, and checks itself that no deadline was
 * left behind. Each round must make its own fixtures. Best on the simulator, where every round takes the same course.
 *
 * @throws what a check throws, with the round in the message as its cause shows.
 *
 * @example No permit is lost
 * ```ts
 * import assert from "node:assert/strict";
 * import { Lock, run } from "arborio";
 * import { simulator } from "arborio/sim";
 * import { cancelEverywhere } from "arborio/testing";
 *
 * await run(() => cancelEverywhere(async (round) => {
 *   const lock = new Lock();
 *   round.after(() => assert.equal(lock.statistics().locked, false));
 *   using lease = await lock.acquire();
 * }), { backend: simulator() });
 * ```
 */
export async function cancelEverywhere(
  fn: (round: CancelRound) => unknown,
  options: CancelEverywhereOptions = {},
): Promise<CancelSweep> {
  requireFunction("cancelEverywhere", fn);
  await runRound(fn, undefined, 0, options);
  const rounds: Record<CancelMoment, number> = { entry: 0, waiting: 0, woken: 0 };
  for (const moment of MOMENTS) {
    // A round that never came to its checkpoint was the first one past the end.
    while (await runRound(fn, moment, rounds[moment], options)) {
      rounds[moment] += 1;
      if (rounds[moment] > ROUNDS_MAX)
        throw new CancelEverywhereError(
          `cancelEverywhere: more than ${ROUNDS_MAX} checkpoints, needs a function that ends`,
        );
    }
  }
  return { rounds };
}

/** Runs one round; whether it came to the checkpoint where it is cancelled. */
async function runRound(
  fn: (round: CancelRound) => unknown,
  moment: CancelMoment | undefined,
  target: number,
  options: CancelEverywhereOptions,
): Promise<boolean> {
  const checks: (() => void)[] = [];
  const scope = new CancelScope();
  let seen = 0;
  let reached = false;
  const passed = (): void => {
    if (seen++ !== target) return;
    reached = true;
    if (moment === "entry") scope.cancel(`cancelEverywhere: ${moment} ${target}`);
    else void Promise.resolve().then(() => scope.cancel(`cancelEverywhere: ${moment} ${target}`));
  };
  let deadlinesBefore = 0;
  try {
    await scope.run(async () => {
      deadlinesBefore = scope.kernel.deadlineCount;
      const stop = moment === undefined ? undefined : watch(moment, scope, passed);
      try {
        await fn({ after: (check) => checks.push(check), moment });
      } finally {
        stop?.();
      }
    });
    const left = scope.kernel.deadlineCount - deadlinesBefore;
    if (left > 0)
      throw new CancelEverywhereError(
        `cancelEverywhere: ${left} deadlines were left behind, none should be`,
      );
    for (const check of checks) check();
  } catch (error) {
    if (moment !== undefined && (options.expected?.(error) ?? false)) {
      for (const check of checks) check();
    } else if (moment === undefined || pureCancellation(error) !== null) {
      throw error;
    } else {
      throw new CancelEverywhereError(
        `cancelEverywhere: failed when cancelled at ${moment} of checkpoint ${target}`,
        { cause: error },
      );
    }
  }
  return reached;
}

function watch(moment: CancelMoment, scope: CancelScope, passed: () => void): () => void {
  if (moment === "entry") return watchCheckpoints(scope, passed);
  const see = (task: Task): void => {
    if (isWithin(task, scope) || task === scope.task) passed();
  };
  const hooks: Instrument = moment === "waiting" ? { waitStarted: see } : { waitEnded: see };
  const attached = instrument(hooks);
  return () => attached[Symbol.dispose]();
}
