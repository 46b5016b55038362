import { ambientScope } from "./ambient.ts";

/**
 * Throws if the current scope is cancelled, else lets other tasks run. Deadlines that have passed count, whether or not the
 * host's timers have run. Counterpart: `trio.lowlevel.checkpoint`.
 *
 * @throws Cancelled if the current scope is effectively cancelled.
 * @throws ScopeClosedError if the calling flow has outlived its scope.
 */
export function checkpoint(): Promise<void> {
  const scope = ambientScope();
  const refusal = scope.refuseExactly();
  return refusal === null ? scope.kernel.readyNow() : scope.kernel.rejected(refusal);
}

/**
 * Throws if the current scope is cancelled, and does nothing else. The one synchronous function that throws `Cancelled`: for
 * long computations. Counterpart: `trio.lowlevel.checkpoint_if_cancelled`.
 */
export function checkpointIfCancelled(): void {
  const refusal = ambientScope().refuseExactly();
  if (refusal !== null) throw refusal;
}

/** Lets other tasks run, and does not look at cancellation. Counterpart: `trio.lowlevel.cancel_shielded_checkpoint`. */
export function cancelShieldedCheckpoint(): Promise<void> {
  return ambientScope().kernel.readyNow();
}
