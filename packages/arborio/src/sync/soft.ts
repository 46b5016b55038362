import { SOFT } from "../core/flags.ts";
import { CancelScope } from "../core/scope.ts";
import type { ScopeBody } from "./timeouts.ts";

/**
 * Runs `fn` in a scope that is cancelled as soon as a shutdown asks, while the rest may run on until its grace is over: for
 * accept loops, tickers and idle waits, which have nothing to finish. Opened after a shutdown has asked, it is cancelled
 * from the start. Shields around it hide it from the asking. Not a checkpoint itself.
 *
 * @returns what `fn` returns; `undefined` if it was cut short.
 * @throws ScopeClosedError if the calling flow has outlived its scope.
 *
 * @example Take no new work, finish the old
 * ```ts
 * import { CancelScope, run, sleep, soft } from "arborio";
 *
 * await run(async (group) => {
 *   const server = new CancelScope();
 *   group.startSoon(async () => server.shutdown({ graceMs: 1000 }));
 *   await server.run(async () => {
 *     await soft(() => sleep(60_000));
 *     await sleep(1);
 *   });
 *   console.assert(!server.cancelledCaught);
 * });
 * ```
 */
export function soft<T>(fn: ScopeBody<T>): Promise<T | undefined> {
  const scope = new CancelScope();
  scope.flags |= SOFT;
  return scope.runAs("soft", fn);
}
