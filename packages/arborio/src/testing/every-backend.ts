import { requireFunction } from "../core/arguments.ts";
import type { TaskGroup } from "../core/task-group.ts";
import { hostBackend } from "../platform/host.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";

/** What `node:test`, `bun:test`, `Deno.test` and vitest have in common. */
export type TestFunction = (title: string, body: () => Promise<void>) => unknown;

/** Options of one test. */
export interface EveryBackendOptions {
  /** Leaves one of the two out, for this reason, which the title then shows. */
  readonly skip?: { readonly backend: "host" | "simulator"; readonly reason: string };
  /** Seeds for the simulator; the test runs once for each. Default `[1]`. */
  readonly seeds?: readonly number[];
}

/** A test that runs inside `run`, on the host's backend and on the simulator. */
export type BackendTest = (
  title: string,
  body: (group: TaskGroup) => unknown,
  options?: EveryBackendOptions,
) => void;

/**
 * Takes the runner's own `test`, and returns one that runs each test body inside `run`, once on the host's backend and once
 * per seed on the simulator. Counterpart: AnyIO's pytest plugin.
 *
 * @example With any runner
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
 */
export function onEveryBackend(test: TestFunction): BackendTest {
  requireFunction("onEveryBackend", test);
  return (title, body, options = {}) => {
    const { skip, seeds = [1] } = options;
    const gap = skip === undefined ? "" : `, not on the ${skip.backend}: ${skip.reason}`;
    if (skip?.backend !== "host") {
      void test(`${title} [${hostBackend.name}${gap}]`, async () => {
        await run(body, { signals: [] });
      });
    }
    if (skip?.backend === "simulator") return;
    for (const seed of seeds) {
      void test(`${title} [simulator, seed ${seed}${gap}]`, async () => {
        await run(body, { signals: [], backend: simulator({ seed }) });
      });
    }
  };
}
