import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireFunction } from "../core/arguments.ts";
import type { Cancelled } from "../core/cancelled.ts";
import { CancelScope } from "../core/scope.ts";
import type { ScopeBody, TakesScope } from "./timeouts.ts";

/**
 * Runs `fn` in a scope that a foreign `AbortSignal` cancels: the way in for callers that speak signals. Not a checkpoint
 * itself. With a signal that is aborted already, `fn` is called and runs to its first checkpoint. However it ends, no
 * listener is left on the signal.
 *
 * @returns what `fn` returns, also if the signal aborted too late to cut it short; `undefined` if `scope.cancel()` did.
 * @throws signal.reason if the signal cut `fn` short.
 * @throws TypeError if `signal` is not an `AbortSignal`, or `fn` not a function.
 * @throws ScopeClosedError if the calling flow has outlived its scope.
 *
 * @example Be cancelled by a signal
 * ```ts
 * import { run, sleep, sleepForever, withSignal } from "arborio";
 *
 * await run(async (group) => {
 *   const controller = new AbortController();
 *   group.startSoon(async () => {
 *     await sleep(1);
 *     controller.abort(new Error("client went away"));
 *   });
 *   const error = await withSignal(controller.signal, () => sleepForever()).catch((e) => e);
 *   console.assert(error.message === "client went away");
 * });
 * ```
 */
export function withSignal<T, F extends ScopeBody<T>>(
  signal: AbortSignal,
  fn: TakesScope<T, F>,
): Promise<T | undefined>;
/** For a body that does not take its scope, and so cannot cancel it. */
export function withSignal<T>(signal: AbortSignal, fn: () => T | PromiseLike<T>): Promise<T>;
export function withSignal<T>(signal: AbortSignal, fn: ScopeBody<T>): Promise<T | undefined> {
  try {
    requireSignal("withSignal", signal);
    requireFunction("withSignal", fn);
  } catch (error) {
    return ambientScope().kernel.rejected(error);
  }
  return runWithSignal(signal, fn);
}

async function runWithSignal<T>(signal: AbortSignal, fn: ScopeBody<T>): Promise<T | undefined> {
  const scope = new CancelScope();
  let cutBySignal: Cancelled | null = null;
  const abort = (): void => {
    if (scope.own !== null) return;
    scope.cancel(signal.reason);
    cutBySignal = scope.own;
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  try {
    const value = await scope.run(fn);
    if (scope.cancelledCaught && cutBySignal !== null) throw signal.reason;
    return value;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** By its shape: there are several classes of that name in some programs. */
function requireSignal(where: string, signal: unknown): void {
  if (typeof signal === "object" && signal !== null && "aborted" in signal) {
    if (typeof (signal as AbortSignal).addEventListener === "function") return;
  }
  throw new TypeError(
    `${where}: got ${describeValue(signal)}, needs an AbortSignal; write ${where}(controller.signal, () => work())`,
  );
}
