/**
 * What programs built on Arborio are tested with; it goes with any test runner.
 *
 * @example Every test on the host and on the simulator
 * ```ts
 * import { sleep } from "arborio";
 * import { onEveryBackend } from "arborio/testing";
 *
 * // Stands for the runner's own: `import runnerTest from "node:test"`, or `bun:test`'s, `Deno.test`, vitest's.
 * const runnerTest = (title: string, body: () => Promise<void>) => body();
 *
 * const test = onEveryBackend(runnerTest);
 * test("sleep ends", () => sleep(1));
 * ```
 * @module
 */
import "./platform/host.ts";

export {
  type BackendTest,
  type EveryBackendOptions,
  onEveryBackend,
  type TestFunction,
} from "./testing/every-backend.ts";
export {
  cancelEverywhere,
  type CancelEverywhereOptions,
  type CancelMoment,
  type CancelRound,
  type CancelSweep,
} from "./testing/cancel-everywhere.ts";
export { waitAllTasksBlocked } from "./core/idle.ts";
export { Sequencer } from "./testing/sequencer.ts";
export { assertCheckpoints, assertNoCheckpoints } from "./testing/checkpoints.ts";
export {
  assertExceptionGroup,
  type GroupPattern,
  matchesExceptionGroup,
} from "./testing/match-group.ts";
export { type ConformanceSuite, conformanceSuites } from "./testing/conformance/index.ts";
export {
  byteStreamConformance,
  type ByteStreamConformanceOptions,
  type ByteStreamPair,
  type ByteStreamPromise,
} from "./testing/byte-stream-conformance/index.ts";
