/**
 * Who gets a signal when both a run and a receiver that was opened in it want it: the receiver alone, as in Trio, where it takes
 * the place of the handler that was there. Other runs of the process are not concerned.
 */
import type { RunState } from "../core/run-state.ts";
import type { Signals } from "./signals.ts";

const claims: WeakMap<RunState, Map<string, number>> = new WeakMap();

/** Keeps these signals from the run's own handling until the returned function is called. */
export function claimSignals(state: RunState, names: ReadonlySet<string>): () => void {
  let counts = claims.get(state);
  if (counts === undefined) claims.set(state, (counts = new Map()));
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return () => {
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) - 1);
  };
}

/** Whether a receiver of this run has the signal. */
export function isClaimed(state: RunState, name: string): boolean {
  return (claims.get(state)?.get(name) ?? 0) > 0;
}

/** `signals.listen`; its errors say which call they are about. */
export function listenForSignals(
  where: string,
  signals: Signals,
  names: readonly string[],
  received: (name: string) => void,
): () => void {
  try {
    return signals.listen(names, received);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${where}: ${error.message}; needs names such as "SIGTERM" or "SIGHUP"`, {
      cause: error,
    });
  }
}
