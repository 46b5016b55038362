/**
 * What libraries are built on: the suspension primitive, variables and tasks of a run, and hooks that see what tasks do.
 *
 * @example Wait for a callback
 * ```ts
 * import { run } from "arborio";
 * import { suspend } from "arborio/lowlevel";
 *
 * await run(async () => {
 *   await suspend<void>({ kind: "timer" }, (waiter) => {
 *     const timer = setTimeout(() => waiter.wake(), 1);
 *     return () => clearTimeout(timer);
 *   });
 * });
 * ```
 * @module
 */
import "./platform/host.ts";

// Waiting
export { suspend, type SuspendOptions, type Wakeable } from "./core/lowlevel.ts";
export { cancelShieldedCheckpoint, checkpoint, checkpointIfCancelled } from "./core/checkpoint.ts";
export { ParkingLot, type ParkingLotStatistics } from "./sync/parking-lot.ts";

// A run
export { random, runSyncSoon, startSystemTask } from "./core/lowlevel.ts";
export { RunLocal } from "./sync/run-local.ts";

// Seeing what happens
export { instrument } from "./core/lowlevel.ts";
export type { Instrument, WaitDescription } from "./core/instrument.ts";
export { droppedRejections } from "./platform/rejection-filter.ts";

// Backends
export type { Backend, Entropy, HostProcess, Scheduler } from "./platform/backend.ts";
export type { Clock, ClockTimer } from "./core/clock.ts";
