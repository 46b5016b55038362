import { ambientScope, runInScope } from "../core/ambient.ts";
import { requireFunction } from "../core/arguments.ts";

/**
 * Runs `fn` at once under the root scope of this run (outside runs: of the host), whatever scope the caller is in. For
 * foreign code that keeps callbacks: servers, emitters and pools call them in the context that registered them, and
 * `failAfter(5000, () => app.listen())` would leave all of them in a scope that has closed. Synchronous.
 *
 * @returns what `fn` returns; if that is a promise, its flow is in the root scope too.
 *
 * @example Callbacks that outlive a timeout
 * ```ts
 * import { failAfter, outsideScopes, run } from "arborio";
 *
 * await run(async () => {
 *   const target = new EventTarget();
 *   await failAfter(5000, async () => {
 *     outsideScopes(() => target.addEventListener("request", () => {}));
 *   });
 * });
 * ```
 */
export function outsideScopes<T>(fn: () => T): T {
  requireFunction("outsideScopes", fn);
  return runInScope(ambientScope().runState.root, () => fn(), undefined);
}
