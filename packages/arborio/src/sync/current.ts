import { ambientScope } from "../core/ambient.ts";
import { CLOSED } from "../core/flags.ts";
import type { CancelScope } from "../core/scope.ts";

/** The innermost scope around the calling flow; outside runs, the root scope. Synchronous; works from any context. */
export function currentScope(): CancelScope {
  return ambientScope();
}

/**
 * The signal of the innermost scope around the calling flow, for APIs that take an `AbortSignal`: it aborts when that scope
 * becomes effectively cancelled. Synchronous; works from any context: to a flow that has outlived its scope it gives a signal
 * that is aborted, with the `ScopeClosedError` as its reason.
 *
 * @example Cancel what is not ours
 * ```ts
 * import { currentSignal, moveOnAfter, run, sleepForever } from "arborio";
 *
 * await run(async () => {
 *   let signal: AbortSignal | undefined;
 *   await moveOnAfter(1, () => {
 *     signal = currentSignal();
 *     return sleepForever();
 *   });
 *   console.assert(signal?.aborted);
 * });
 * ```
 */
export function currentSignal(): AbortSignal {
  const scope = ambientScope();
  return (scope.flags & CLOSED) === 0 ? scope.signal : AbortSignal.abort(scope.closedError());
}
