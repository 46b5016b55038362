/** Loads one WebSocket server process, and measures it from outside: rate and CPU time. */
import { fileURLToPath } from "node:url";
import { compiled } from "../harness/compile.ts";
import { LineProcess } from "../harness/line-process.ts";
import { cpuNs } from "../harness/process-figures.ts";
import { KEEP_FREED, startServer } from "../harness/server-process.ts";
import type { Measure } from "../harness/suite.ts";

const CONNECTIONS = 32;

/** How long the load works before and in each sample, in milliseconds, and how many samples of one process there are. */
const WARM_UP_MS = 1000;
const SAMPLE_MS = 1500;
const SAMPLES = 2;
const QUICK_MS = 100;

/** Measures echoes of 64 bytes: `NAME` and `NAME-cpu`, of the server. */
export function measureEcho(bench: string): Measure {
  return async (program, { quick }) => {
    await using server = await startServer(program, KEEP_FREED);
    const command = await compiled(fileURLToPath(new URL("load.c", import.meta.url)));
    await using load = new LineProcess({
      command,
      args: [String(server.port), String(CONNECTIONS)],
    });
    const work = async (ms: number): Promise<{ operations: number; seconds: number }> =>
      JSON.parse(await load.ask(String(ms))) as { operations: number; seconds: number };
    await work(quick ? QUICK_MS : WARM_UP_MS);
    const wall: number[] = [];
    const cpu: number[] = [];
    for (let sample = 0; sample < (quick ? 1 : SAMPLES); sample++) {
      const before = await cpuNs(server.pid);
      const { operations, seconds } = await work(quick ? QUICK_MS : SAMPLE_MS);
      cpu.push(((await cpuNs(server.pid)) - before) / operations);
      wall.push((seconds * 1e9) / operations);
    }
    return { [bench]: wall, [`${bench}-cpu`]: cpu };
  };
}
