import { ambientScope } from "../core/ambient.ts";
import { currentWorkerCall } from "./worker-call.ts";

/**
 * Throws if the caller of this thread's work was cancelled, and does nothing else: for long computations, which should call it every few
 * milliseconds. It sees the cancellation also while the thread is busy and no message can reach it. It throws too where `checkpoint` would:
 * past a deadline of the function's own, for example. Outside workers that is all it does.
 *
 * In a process it costs a system call, a few microseconds.
 *
 * @throws Cancelled if the current scope is effectively cancelled.
 *
 * Counterpart: `anyio.from_thread.check_cancelled`, `trio.from_thread.check_cancelled`.
 *
 * @example A computation that can be cancelled
 * ```ts
 * import { checkCancelled } from "arborio/threads";
 *
 * export function countPrimes(below: number): number {
 *   let count = 0;
 *   for (let n = 2; n < below; n++) {
 *     if (n % 1000 === 0) checkCancelled();
 *     let divisor = 2;
 *     while (divisor * divisor <= n && n % divisor !== 0) divisor++;
 *     if (divisor * divisor > n) count++;
 *   }
 *   return count;
 * }
 *
 * console.assert(countPrimes(3000) === 430);
 * ```
 */
export function checkCancelled(): void {
  currentWorkerCall()?.noticeCancellation();
  const refusal = ambientScope().refuseExactly();
  if (refusal !== null) throw refusal;
}
