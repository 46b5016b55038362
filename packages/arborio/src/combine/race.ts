import { checkpointIfCancelled } from "../core/checkpoint.ts";
import { contest } from "./contest.ts";
import { requireSomeFunctions, taskName, type ValueOf, type Work } from "./functions.ts";

/**
 * Calls all functions at once, each in a task of its own; the first that settles decides. The others are cancelled and
 * waited for, and their late values are disposed if they are disposable. Unlike `Promise.race`, nothing runs on, and an
 * error of a loser, in its cleanup for example, is not swallowed: then it is thrown, and the winner's value is disposed.
 *
 * When it fails or is cancelled, all functions have ended.
 *
 * @param fns an iterable of functions, at least one. Functions, not promises: so they start inside.
 * @returns the value of the first function that settles, when all others have ended.
 * @throws the error of the first function that settles, else the first error of a loser, bare; further ones are in its
 *   property `suppressed`. If the surroundings were cancelled as well, a `SuppressedError` of the error and the `Cancelled`.
 * @throws TaskCancelled if the first function to settle had cancelled its own task.
 * @throws RangeError if there are no functions: such a race never ends.
 * @throws TypeError if something in `fns` is not a function.
 * @throws Cancelled if cancelled, also while waiting for losers; the winner's value is disposed.
 *
 * @example The faster of two
 * ```ts
 * import { race, run, sleep } from "arborio";
 *
 * await run(async () => {
 *   const winner = await race([() => sleep(1).then(() => "hare"), () => sleep(60_000).then(() => "tortoise")]);
 *   console.assert(winner === "hare");
 * });
 * ```
 */
export async function race<F extends Work>(fns: Iterable<F>): Promise<ValueOf<F>> {
  checkpointIfCancelled();
  const list = requireSomeFunctions("race", fns);
  return contest<unknown>("race", (held, group) => {
    for (const [index, fn] of list.entries()) {
      group.startSoon(() => held.enter(fn), { name: taskName("race", fn, index) });
    }
  }) as Promise<ValueOf<F>>;
}

/**
 * Calls all functions at once, each in a task of its own; the first that succeeds wins. The others are cancelled and waited
 * for, and their late values are disposed if they are disposable. Failures of the others are dropped, whether they come
 * before or after the success: that is what asking for any success means.
 *
 * When it fails or is cancelled, all functions have ended.
 *
 * @param fns an iterable of functions, at least one. Functions, not promises: so they start inside.
 * @returns the value of the first function that succeeds, when all others have ended.
 * @throws ExceptionGroup with the errors of all functions, in their order, if none succeeds.
 * @throws RangeError if there are no functions.
 * @throws TypeError if something in `fns` is not a function.
 * @throws Cancelled if cancelled, also while waiting for losers; the winner's value is disposed, and errors of functions
 *   that had failed are dropped.
 * @throws what the disposer of a late value throws; the winner's value is disposed then.
 *
 * @example The first mirror that answers
 * ```ts
 * import { any, run, sleep } from "arborio";
 *
 * await run(async () => {
 *   const answer = await any([() => Promise.reject(new Error("down")), () => sleep(1).then(() => "up")]);
 *   console.assert(answer === "up");
 * });
 * ```
 */
export async function any<F extends Work>(fns: Iterable<F>): Promise<ValueOf<F>> {
  checkpointIfCancelled();
  const list = requireSomeFunctions("any", fns);
  return contest<unknown>("any", (held, group) => {
    for (const [index, fn] of list.entries()) {
      group.startSoon(() => held.attempt(fn, index), { name: taskName("any", fn, index) });
    }
  }) as Promise<ValueOf<F>>;
}
