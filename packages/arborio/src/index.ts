/**
 * Arborio: structured concurrency in plain `async`/`await`.
 * @module
 */
import "./platform/host.ts";

export { run } from "./platform/run.ts";
export { taskGroup } from "./core/task-group.ts";
export { CancelScope } from "./core/scope.ts";
export { checkpoint } from "./core/checkpoint.ts";
export * from "./sync/timeouts.ts";
export * from "./core/errors.ts";
export { ExceptionGroup } from "./core/exception-group.ts";
export { Cancelled } from "./core/cancelled.ts";
