/** Loads one server process, and measures it from outside: rate, CPU time, resident memory. */
import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compiled } from "../harness/compile.ts";
import { LineProcess } from "../harness/line-process.ts";
import { cpuNs } from "../harness/process-figures.ts";
import { idleConnections } from "../harness/idle-connections.ts";
import { KEEP_FREED, startServer } from "../harness/server-process.ts";
import type { Measure } from "../harness/suite.ts";

const run = promisify(execFile);

/** How long the load works before and in each sample, and how many samples of one process there are. */
interface Pace {
  readonly warmUpMs: number;
  readonly sampleMs: number;
  readonly samples: number;
}

/** Optimisers have come after half a second; a sample's CPU time is exact to about a hundredth. */
const FULL: Pace = { warmUpMs: 600, sampleMs: 900, samples: 2 };
const QUICK: Pace = { warmUpMs: 30, sampleMs: 100, samples: 1 };

/** Part of the idle connections that come and go before memory is read, so that what exists once is not counted. */
const WARM_UP_PART = 10;

/** The name of the second figure of a bench; the first has the bench's own. */
export const cpuOf = (bench: string): string => `${bench}-cpu`;

/** Measures wall and CPU time per operation. `load` is the mode of the generator and what follows the port. */
export function measureLoad(
  bench: string,
  [mode, ...rest]: readonly [string, ...number[]],
): Measure {
  return async (program, { quick }) => {
    const pace = quick ? QUICK : FULL;
    await using server = await startServer(program, KEEP_FREED);
    await using load = await startLoad([mode, server.port, ...rest]);
    await load.work(pace.warmUpMs);
    const wall: number[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < pace.samples; i++) {
      const before = await cpuNs(server.pid);
      const { operations, seconds } = await load.work(pace.sampleMs);
      cpu.push(((await cpuNs(server.pid)) - before) / operations);
      wall.push((seconds * 1e9) / operations);
    }
    return { [bench]: wall, [cpuOf(bench)]: cpu };
  };
}

/** Measures resident bytes for each of many connections that do nothing. */
export function measureIdle(bench: string, connections: number): Measure {
  return async (program, options) => {
    const count = await idleConnections(bench, connections, options);
    await using server = await startServer(program);
    await using load = await startLoad(["idle", server.port]);
    await load.work(Math.ceil(count / WARM_UP_PART));
    await load.work(0);
    const before = await server.settledBytes();
    await load.work(count);
    return { [bench]: [((await server.settledBytes()) - before) / count] };
  };
}

/** Why there can be no load generator here, or undefined if there can. */
export async function whyNoLoad(): Promise<string | undefined> {
  if (process.platform !== "linux")
    return "needs Linux: its load generator is built on epoll, its figures are from /proc";
  try {
    await run("cc", ["--version"]);
    return undefined;
  } catch {
    return "needs a C compiler for its load generator: apt-get install gcc libc6-dev";
  }
}

/** What the load generator answers. */
interface Work {
  readonly operations: number;
  readonly seconds: number;
}

async function startLoad(args: readonly (string | number)[]) {
  const command = await compiled(fileURLToPath(new URL("load.c", import.meta.url)));
  const child = new LineProcess({ command, args: args.map(String) });
  return {
    /** Works for so many milliseconds, or until so many idle connections are open. */
    work: async (amount: number): Promise<Work> =>
      JSON.parse(await child.ask(String(amount))) as Work,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
