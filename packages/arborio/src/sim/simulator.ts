import { describeValue, requireCount } from "../core/arguments.ts";
import type { BackendFactory } from "../platform/run.ts";
import type { NetworkOptions } from "./net/fabric.ts";
import { requireWorkersOptions, type WorkersOptions } from "./threads/worker-options.ts";
import { SimulatedWorld } from "./world.ts";

/** Options of `simulator`. */
export interface SimulatorOptions {
  /** A whole number; the same seed gives the same run, on every runtime. Default 1. */
  readonly seed?: number;
  /** In which order ready tasks go on: seeded-random, or as they became ready. Default `"random"`. */
  readonly order?: "random" | "fifo";
  /** How the network on and between the simulated hosts behaves. */
  readonly network?: NetworkOptions;
  /** How the threads and processes behave in which `runInThread` and `runInProcess` call functions. */
  readonly workers?: WorkersOptions;
}

/**
 * A simulated backend: virtual time that jumps to the next timer when every task waits, a seeded order of start and wake-up, and
 * a network in memory. Each `run` on it begins anew at time 0, so the same seed gives the same run. The program runs on a host
 * named `localhost`; `simulatedWorld()` adds more. If nothing can ever run again, `run` throws `DeadlockError` with the task tree.
 * Counterpart: `trio.testing.MockClock`, and a seeded scheduler.
 *
 * @throws RangeError if the seed is not a whole number from 0 on, or another option is out of its range.
 *
 * @example An hour in no time
 * ```ts
 * import { now, run, sleep } from "arborio";
 * import { simulator } from "arborio/sim";
 *
 * await run(async () => {
 *   await sleep(3_600_000);
 *   console.assert(now() === 3_600_000);
 * }, { backend: simulator({ seed: 42 }) });
 * ```
 */
export function simulator(options: SimulatorOptions = {}): BackendFactory {
  const { seed = 1, order = "random", network = {} } = options;
  const workers = requireWorkersOptions(options.workers ?? {});
  requireCount("simulator({ seed })", seed, 0, false);
  if (order !== "random" && order !== "fifo") {
    throw new RangeError(
      `simulator({ order }): got ${describeValue(order)}, needs "random" or "fifo"`,
    );
  }
  const createWorld = (): SimulatedWorld => new SimulatedWorld({ seed, order, network, workers });
  createWorld(); // wrong options shall show here
  return { createBackend: () => createWorld().localhost.backend };
}
