import { CancelScope } from "../core/scope.ts";
import type { ScopeBody, TakesScope } from "./timeouts.ts";

/**
 * Runs `fn` hidden from the cancellation of the scopes around it: for cleanup that has to wait. Give it a deadline too
 * (`scope.deadline`), or a shutdown may take forever. Not a checkpoint itself.
 *
 * @returns what `fn` returns; `undefined` if `scope.cancel()` or its deadline cut it short.
 * @throws ScopeClosedError if the calling flow has outlived its scope.
 *
 * Counterpart: `trio.CancelScope(shield=True)`.
 *
 * @example Clean up although cancelled
 * ```ts
 * import { moveOnAfter, run, shielded, sleep, sleepForever } from "arborio";
 *
 * await run(async () => {
 *   let cleaned = false;
 *   await moveOnAfter(1, async () => {
 *     try {
 *       await sleepForever();
 *     } finally {
 *       await shielded(async () => {
 *         await sleep(1);
 *         cleaned = true;
 *       });
 *     }
 *   });
 *   console.assert(cleaned);
 * });
 * ```
 */
export function shielded<T, F extends ScopeBody<T>>(fn: TakesScope<T, F>): Promise<T | undefined>;
/** For a body that does not take its scope, and so cannot cancel it. */
export function shielded<T>(fn: () => T | PromiseLike<T>): Promise<T>;
export function shielded<T>(fn: ScopeBody<T>): Promise<T | undefined> {
  return new CancelScope({ shield: true }).runAs("shielded", fn);
}
