import { checkpointIfCancelled } from "../core/checkpoint.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { disposeUnclaimed } from "./dispose.ts";
import { bareError, callInTask, rethrowCancellation } from "./failures.ts";
import { requireFunctions, taskName, type ValueOf, type Work } from "./functions.ts";

/**
 * Calls all functions at once, each in a task of its own, waits for all, and returns how each ended. A failure cancels
 * nothing. Only cancellation of the surroundings is never a result: it propagates.
 *
 * When it is cancelled, all functions have ended, and values that were ready have been disposed if they are disposable.
 * Errors were results too, and are dropped with them: a function's error never comes out of `settle`.
 *
 * @param fns an iterable of functions. Functions, not promises: so they start inside.
 * @returns for each function, in their order, its value or its error, as `Promise.allSettled` has them. A function that
 *   cancelled its own task is rejected with `TaskCancelled`.
 * @throws TypeError if something in `fns` is not a function.
 * @throws Cancelled if cancelled.
 *
 * @example One of two fails
 * ```ts
 * import { run, settle } from "arborio";
 *
 * await run(async () => {
 *   const [good, bad] = await settle([async () => 1, () => Promise.reject(new Error("no"))]);
 *   console.assert(good.status === "fulfilled" && bad.status === "rejected");
 * });
 * ```
 */
export function settle<const F extends readonly Work[] | []>(
  fns: F,
): Promise<{ -readonly [K in keyof F]: PromiseSettledResult<ValueOf<F[K]>> }>;
/** Of functions of one kind, as many as there are: how each ended, in their order. */
export function settle<T>(fns: Iterable<Work<T>>): Promise<PromiseSettledResult<T>[]>;
export async function settle(fns: Iterable<Work>): Promise<PromiseSettledResult<unknown>[]> {
  checkpointIfCancelled();
  const settling = new Settling(requireFunctions("settle", fns));
  try {
    await taskGroup((group) => settling.start(group));
    return settling.results;
  } catch (error) {
    const values = settling.results.map((result) =>
      result?.status === "fulfilled" ? result.value : undefined,
    );
    throw bareError(error, await disposeUnclaimed(values));
  }
}

class Settling {
  readonly #fns: readonly Work[];
  readonly results: PromiseSettledResult<unknown>[];

  constructor(fns: readonly Work[]) {
    this.#fns = fns;
    this.results = Array.from({ length: fns.length });
  }

  start(group: TaskGroup): void {
    for (const [index, fn] of this.#fns.entries()) {
      group.startSoon(() => this.#run(fn, index), { name: taskName("settle", fn, index) });
    }
  }

  async #run(fn: Work, index: number): Promise<void> {
    try {
      this.results[index] = { status: "fulfilled", value: await callInTask(fn) };
    } catch (error) {
      rethrowCancellation(error);
      this.results[index] = { status: "rejected", reason: error };
    }
  }
}
