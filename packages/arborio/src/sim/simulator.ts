import { requireCount } from "../core/arguments.ts";
import type { Task } from "../core/task.ts";
import { runningTasksOf, type TaskInfo, taskTreeOf } from "../core/task-tree.ts";
import type { Backend, Entropy } from "../platform/backend.ts";
import { hostBackend } from "../platform/host.ts";
import type { BackendFactory } from "../platform/run.ts";
import { type Chooser, FirstChooser, RandomChooser } from "./chooser.ts";
import { VirtualClock } from "./clock.ts";
import { ip } from "./net/addresses.ts";
import { Fabric, type NetworkOptions } from "./net/fabric.ts";
import { HostNetwork } from "./net/host-network.ts";
import { Internet } from "./net/internet.ts";

/** Options of `simulator`. */
export interface SimulatorOptions {
  /** A whole number; the same seed gives the same run, on every runtime. Default 1. */
  readonly seed?: number;
  /** In which order ready tasks go on: seeded-random, or as they became ready. Default `"random"`. */
  readonly order?: "random" | "fifo";
  /** How the network between and on the hosts behaves. */
  readonly network?: NetworkOptions;
}

/** Numbers below this are drawn as one choice. */
const RANDOM_RESOLUTION = 2 ** 32;
/** A random byte is one of so many. */
const BYTE_VALUES = 256;

/**
 * A simulated backend: virtual time that jumps to the next timer when every task waits, and a seeded order of start and
 * wake-up. Each `run` on it begins anew at time 0, so the same seed gives the same run. If nothing can ever run again,
 * `run` throws `DeadlockError` with the task tree. Counterpart: `trio.testing.MockClock`, and a seeded scheduler.
 *
 * @throws RangeError if the seed is not a whole number from 0 on.
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
  requireCount("simulator({ seed })", seed, 0, false);
  if (order !== "random" && order !== "fifo") {
    throw new RangeError(
      `simulator({ order }): got ${JSON.stringify(order)}, needs "random" or "fifo"`,
    );
  }
  return { createBackend: () => createSimulatedBackend(seed, order, network) };
}

function createSimulatedBackend(
  seed: number,
  order: "random" | "fifo",
  network: NetworkOptions,
): Backend {
  const clock = new VirtualClock((turn) => hostBackend.clock.nextTurn(turn));
  const chooser = new RandomChooser(seed);
  const scheduling: Chooser = order === "random" ? chooser : new FirstChooser();
  const internet = new Internet(new Fabric(clock, chooser.fork("network"), network));
  return {
    name: "simulator",
    clock,
    entropy: createEntropy(chooser),
    scheduler: {
      choose: (count) => scheduling.pick("sched", count),
      onStuck: (stuck) => clock.onStuck(stuck),
      describeDeadlock,
    },
    network: new HostNetwork(internet, {
      name: "localhost",
      addresses: [ip("192.168.0.1"), ip("fd00::1")],
      silent: false,
    }),
  };
}

function createEntropy(chooser: Chooser): Entropy {
  return {
    random: () => chooser.pick("rand", RANDOM_RESOLUTION) / RANDOM_RESOLUTION,
    fill(view) {
      for (let index = 0; index < view.length; index++)
        view[index] = chooser.pick("rand", BYTE_VALUES);
    },
  };
}

function describeDeadlock(root: Task): string | undefined {
  if (runningTasksOf(root).some(mayBeWokenFromOutside)) return undefined;
  return `every task waits, and nothing is left that could wake one (no timer is set):\n${taskTreeOf(root)}`;
}

/**
 * A task that awaits a promise that is not ours counts as running; `abandonOnCancel` waits for one, and says for which. Streams
 * over foreign ones say that they are.
 */
function mayBeWokenFromOutside(task: TaskInfo): boolean {
  return task.state === "running" || task.waits.some(({ resource }) => isForeign(resource));
}

function isForeign(resource: unknown): boolean {
  if (typeof resource !== "object" || resource === null) return false;
  return resource instanceof Promise || (resource as { isForeign?: unknown }).isForeign === true;
}
