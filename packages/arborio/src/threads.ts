/**
 * Work for other threads and processes: functions that would keep this thread busy.
 *
 * @example Eight sums, as many at once as there are processors
 * ```ts
 * import { gather, run } from "arborio";
 * import { runInThread } from "arborio/threads";
 *
 * const work = "data:text/javascript,export const square = (n) => n * n;";
 *
 * await run(async () => {
 *   const squares = await gather(
 *     [1, 2, 3, 4, 5, 6, 7, 8].map((n) => () => runInThread<number>(work, "square", { args: [n] })),
 *   );
 *   console.assert(squares.join() === "1,4,9,16,25,36,49,64");
 * });
 * ```
 * @module
 */
import "./platform/host.ts";

// Calls
export {
  runInThread,
  type RunInThreadOptions,
  type TypedCallOptions,
} from "./threads/run-in-thread.ts";
export { runInProcess, type RunInProcessOptions } from "./threads/run-in-process.ts";
export type { WorkerCallOptions } from "./threads/run-in-worker.ts";
export {
  type FunctionAt,
  type FunctionName,
  moduleAt,
  type ModuleHandle,
  type ModuleOptions,
} from "./threads/module-at.ts";
export { BrokenWorkerError } from "./threads/errors.ts";
export type { RemoteErrorClass } from "./threads/thrown-form.ts";
export {
  currentDefaultProcessLimiter,
  currentDefaultThreadLimiter,
} from "./threads/default-limiter.ts";

export { type WorkerStatistics, workerStatistics } from "./threads/worker-pool.ts";

// Inside the function that is called
export { checkCancelled } from "./threads/check-cancelled.ts";
export { transferred } from "./threads/transferred.ts";
export { fromThread, type FromThread, type FromThreadOptions } from "./threads/from-thread.ts";
export type {
  CallableArguments,
  CallableFunctions,
  CallableName,
  CallableResult,
  UntypedFunctions,
} from "./threads/portal-protocol.ts";

// For threads of any kind
export { type Portal, type PortalStatistics, withPortal } from "./threads/portal.ts";
export {
  connectPortal,
  type ConnectPortalOptions,
  type PortalConnection,
  type PortalTask,
} from "./threads/portal-connection.ts";

// Channels between threads
export {
  connectReceiveChannel,
  connectSendChannel,
  createThreadChannel,
  type ThreadReceiveChannel,
  type ThreadSendChannel,
  type ThreadSendOptions,
  type ThreadSendSyncOptions,
} from "./threads/thread-channel.ts";
export type { BlockingOptions } from "./threads/doorbell.ts";
