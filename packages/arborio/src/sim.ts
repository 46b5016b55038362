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

export { simulator, type SimulatorOptions } from "./sim/simulator.ts";
