/**
 * Arborio: structured concurrency in plain `async`/`await`. Tasks live in groups; a group ends when its tasks have; a failure
 * or a timeout cancels what is below it and waits for its cleanup.
 *
 * @example Two tasks and a timeout
 * ```ts
 * import { failAfter, run, sleep, taskGroup } from "arborio";
 *
 * await run(() =>
 *   failAfter(1_000, () =>
 *     taskGroup(async (group) => {
 *       group.startSoon(() => sleep(10));
 *       group.startSoon(() => sleep(20));
 *     }),
 *   ),
 * );
 * ```
 * @module
 */
import "./platform/host.ts";

// Running
export { type BackendFactory, run, type RunOptions } from "./platform/run.ts";
export type { Backend } from "./platform/backend.ts";

// Tasks
export {
  type StartOptions,
  taskGroup,
  type TaskGroup,
  type TaskOptions,
} from "./core/task-group.ts";
export type { StartStatus } from "./core/start.ts";
export type { TaskHandle, TaskStatus } from "./core/task.ts";

// Cancellation
export { CancelScope, type CancelScopeOptions } from "./core/scope.ts";
export type { ShutdownOptions } from "./core/shutdown.ts";
export { checkpoint } from "./core/checkpoint.ts";
export { currentScope, currentSignal } from "./sync/current.ts";
export { shielded } from "./sync/shield.ts";
export { soft } from "./sync/soft.ts";
export { outsideScopes } from "./sync/outside.ts";
export { withSignal } from "./sync/with-signal.ts";
export { abandonOnCancel, type AbandonOptions, type Foreign } from "./sync/abandon-on-cancel.ts";

// Time
export {
  currentEffectiveDeadline,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  now,
  type ScopeBody,
  sleep,
  sleepForever,
  sleepUntil,
  type TakesScope,
} from "./sync/timeouts.ts";

// Several at once
export type { ValueOf, ValuesOf, Work } from "./combine/functions.ts";
export { gather } from "./combine/gather.ts";
export { settle } from "./combine/settle.ts";
export { any, race } from "./combine/race.ts";
export {
  asCompleted,
  type CompletionIterable,
  type CompletionIterator,
} from "./combine/as-completed.ts";
export { hedge, type HedgeOptions } from "./combine/hedge.ts";
export { mapConcurrent, type MapConcurrentOptions } from "./combine/map-concurrent.ts";
export { retry, type RetryOptions } from "./combine/retry.ts";
export { exponentialBackoff, type ExponentialBackoffOptions } from "./combine/backoff.ts";

// Coordination
export { createChannel, type ReceiveChannel, type SendChannel } from "./sync/channel.ts";
export type { ChannelStatistics } from "./sync/channel-state.ts";
export {
  createQueue,
  type Queue,
  type QueueOptions,
  type QueueShutdownOptions,
} from "./sync/queue.ts";
export type { QueueOrder } from "./sync/queue-store.ts";
export type { QueueStatistics } from "./sync/queue-state.ts";
export { Event, type EventStatistics } from "./sync/event.ts";
export type { Lease } from "./sync/lease.ts";
export { Lock, type LockStatistics } from "./sync/lock.ts";
export { Semaphore, type SemaphoreOptions, type SemaphoreStatistics } from "./sync/semaphore.ts";
export { CapacityLimiter, type CapacityLimiterStatistics } from "./sync/limiter.ts";
export { Condition, type ConditionStatistics } from "./sync/condition.ts";
export { Barrier, type BarrierStatistics } from "./sync/barrier.ts";
export { Future, type FutureStatistics, type FutureStatus } from "./sync/future.ts";
export { ResourceGuard } from "./sync/resource-guard.ts";

// Errors
export * from "./core/errors.ts";
export { Cancelled } from "./core/cancelled.ts";
export {
  type ErrorClass,
  type ErrorMatcher,
  ExceptionGroup,
  type ExceptionGroupOptions,
} from "./core/exception-group.ts";
export { type ErrorCase, matchErrors } from "./combine/match-errors.ts";

// Looking inside
export {
  currentTask,
  runningTasks,
  type TaskInfo,
  type TaskState,
  taskTree,
} from "./core/task-tree.ts";
export type { WaitDescription } from "./core/instrument.ts";
export { waitAllTasksBlocked } from "./core/idle.ts";
