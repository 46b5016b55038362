import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import { CapacityLimiter } from "../sync/limiter.ts";
import { RunLocal } from "../sync/run-local.ts";

const threadLimiter: RunLocal<CapacityLimiter> = new RunLocal(() => limiterOf("runInThread"));
const processLimiter: RunLocal<CapacityLimiter> = new RunLocal(() => limiterOf("runInProcess"));

function limiterOf(where: string): CapacityLimiter {
  return new CapacityLimiter(requireCapability(currentBackend(), "threads", where).parallelism);
}

/**
 * The limiter of calls that name none, one for each run. It has as many tokens as there are processors: threads are for work that
 * needs one, and more of them would only make all slower. Set `totalTokens` to change it.
 *
 * @throws NotSupportedError if the backend has no threads.
 *
 * Counterpart: `anyio.to_thread.current_default_thread_limiter`, whose 40 tokens are for calls that wait; here those need no thread.
 *
 * @example More at once
 * ```ts
 * import { run } from "arborio";
 * import { currentDefaultThreadLimiter } from "arborio/threads";
 *
 * await run(() => {
 *   currentDefaultThreadLimiter().totalTokens = 3;
 * });
 * ```
 */
export function currentDefaultThreadLimiter(): CapacityLimiter {
  return threadLimiter.get();
}

/**
 * The same for processes.
 *
 * @throws NotSupportedError if the backend has no processes that run modules.
 *
 * Counterpart: `anyio.to_process.current_default_process_limiter`.
 */
export function currentDefaultProcessLimiter(): CapacityLimiter {
  return processLimiter.get();
}
