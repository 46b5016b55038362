import { isCancelled } from "../core/cancelled.ts";
import type { RunState } from "../core/run-state.ts";
import type { HostProcess } from "./backend.ts";

const runs: Set<RunState> = new Set();
let stop: (() => void) | null = null;
let dropped = 0;

/**
 * While any run is in progress, one filter per process drops unhandled rejections with `Cancelled`: in `const a = h(), b = h();
 * await a; await b`, a timeout rejects both, nobody ever awaits `b`, and the process would end. All others stay the host's.
 */
export function filterRejections(hostProcess: HostProcess, state: RunState): () => void {
  runs.add(state);
  stop ??= hostProcess.filterUnhandledRejections(drop);
  return () => {
    runs.delete(state);
    if (runs.size > 0) return;
    stop?.();
    stop = null;
  };
}

/** How many rejections with `Cancelled` nobody awaited, in all runs of this process. */
export function droppedRejections(): number {
  return dropped;
}

function drop(reason: unknown): boolean {
  if (!isCancelled(reason)) return false;
  dropped += 1;
  for (const run of runs) {
    if (run.dev)
      run.reportOnce(
        "unhandled",
        `a promise rejected with Cancelled (${reason.message}) was never awaited; ${dropped} so far`,
      );
  }
  return true;
}
