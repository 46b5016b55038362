/**
 * The simulated backend: virtual time and a seeded order, for tests that take no time and can be repeated.
 *
 * @example A test of a timeout
 * ```ts
 * import { moveOnAfter, run, sleep } from "arborio";
 * import { simulator } from "arborio/sim";
 *
 * await run(() => moveOnAfter(60_000, () => sleep(120_000)), { backend: simulator({ seed: 7 }) });
 * ```
 * @module
 */
import "./platform/host.ts";

export { simulate, type SimulateOptions } from "./sim/simulate.ts";
export { simulator, type SimulatorOptions } from "./sim/simulator.ts";
export {
  type HostOptions,
  type SimulatedWorld,
  simulatedWorld,
  type WorldSocket,
} from "./sim/world.ts";
export { type HostMain, type SimulatedHost } from "./sim/simulated-host.ts";
export type { SimulatedProcess, SimulatedProgram } from "./sim/processes/program.ts";
export type { HostWorkers } from "./sim/threads/host-workers.ts";
export type { WorkerInfo } from "./sim/threads/simulated-worker.ts";
export type { WorkersOptions } from "./sim/threads/worker-options.ts";
export type { FileTree, MountOptions, WriteFileOptions } from "./sim/files/file-tree.ts";
export type { DatagramFaults, NetworkOptions } from "./sim/net/fabric.ts";
export type { NameAnswerOptions, NameOptions, NameService } from "./sim/net/names.ts";
export type { SocketState, SocketStatus } from "./sim/net/netstat.ts";
