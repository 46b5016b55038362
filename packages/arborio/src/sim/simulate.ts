import { requireFunction, requireOptions } from "../core/arguments.ts";
import type { TaskGroup } from "../core/task-group.ts";
import { run, type RunOptions } from "../platform/run.ts";
import { simulator, type SimulatorOptions } from "./simulator.ts";
import { type SimulatedWorld, simulatedWorld } from "./world.ts";

/** Options of `simulate`. */
export interface SimulateOptions
  extends SimulatorOptions, Pick<RunOptions, "name" | "dev" | "onUnhandled"> {}

/**
 * Runs `main` in a simulated world of its own: `run` with a fresh simulator, and the world at hand. `main` runs on the host
 * `localhost`; when it has ended, all other hosts are cancelled.
 *
 * @returns what `main` returns.
 * @throws as `run` does; `DeadlockError` if nothing can ever run again.
 * @throws TypeError, RangeError for wrong options.
 *
 * @example Two hosts
 * ```ts
 * import { simulate } from "arborio/sim";
 * import { connectTcp, listenTcp } from "arborio/net";
 *
 * await simulate({ seed: 7 }, async (world) => {
 *   world.host("server", async () => {
 *     const listener = await listenTcp(80);
 *     await listener.serve((stream) => stream.sendEof());
 *   });
 *   using stream = await connectTcp("server", 80);
 *   for await (const chunk of stream) console.log(chunk.length);
 * });
 * ```
 */
export async function simulate<T>(
  options: SimulateOptions,
  main: (world: SimulatedWorld, group: TaskGroup) => T | PromiseLike<T>,
): Promise<T> {
  requireOptions("simulate", options, "{ seed: 1 }");
  requireFunction("simulate(options, main)", main);
  const { name = main.name, dev, onUnhandled, ...simulation } = options;
  return run((group) => main(simulatedWorld(), group), {
    backend: simulator(simulation),
    signals: [],
    ...(name === "" ? {} : { name }),
    ...(dev === undefined ? {} : { dev }),
    ...(onUnhandled === undefined ? {} : { onUnhandled }),
  });
}
