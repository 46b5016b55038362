/** Lets one HTTP client work against a server of ours in C, and measures it from outside: rate, CPU time, resident memory. */
import { fileURLToPath } from "node:url";
import { compiled } from "../harness/compile.ts";
import { LineProcess } from "../harness/line-process.ts";
import { cpuNs, peakBytes, residentBytes, resetPeak } from "../harness/process-figures.ts";
import { KEEP_FREED, startServer } from "../harness/server-process.ts";
import type { Command, Measure } from "../harness/suite.ts";

/** Requests of a probe, which tells how many a sample takes. */
const PROBE_REQUESTS = 500;

/** How long the clients work before a sample, and in one, in seconds. */
const WARM_UP_S = 1;
const SAMPLE_S = 1.5;
const QUICK_S = 0.1;

const SAMPLES = 2;

/** 1 GiB, both ways; a quick run sends less. */
const BODY_BYTES = 1024 ** 3;

const MIB = 1024 ** 2;

/** Directions of a large body, as the client sees them. */
const DIRECTIONS = ["down", "up"] as const;

/** Measures small requests, 64 in flight: `NAME` and `NAME-cpu`, of the client. */
export function measureRequests(bench: string): Measure {
  return async (program, { quick }) => {
    await using server = await startServer({ command: await serverProgram(), args: [] });
    await using client = await startClient(program, server.port);
    const { seconds } = await client.work("get", PROBE_REQUESTS);
    const perSecond = PROBE_REQUESTS / seconds;
    await client.work("get", Math.ceil(perSecond * (quick ? QUICK_S : WARM_UP_S)));
    const wall: number[] = [];
    const cpu: number[] = [];
    // What is quick after the warm-up does more in a sample: by as much as the warm-up has shown.
    let rate = perSecond;
    for (let sample = 0; sample < (quick ? 1 : SAMPLES); sample++) {
      const requests = Math.ceil(rate * (quick ? QUICK_S : SAMPLE_S));
      const before = await cpuNs(client.pid);
      const done = await client.work("get", requests);
      cpu.push(((await cpuNs(client.pid)) - before) / requests);
      wall.push((done.seconds * 1e9) / requests);
      rate = requests / done.seconds;
    }
    return { [bench]: wall, [`${bench}-cpu`]: cpu };
  };
}

/** Measures a body of 1 GiB in each direction: `NAME-up` and `NAME-up-cpu` for each MiB, `NAME-up-memory` for all of it. */
export function measureBodies(bench: string): Measure {
  return async (program) => {
    await using server = await startServer({ command: await serverProgram(), args: [] });
    await using client = await startClient(program, server.port);
    const figures: Record<string, readonly number[]> = {};
    for (const direction of DIRECTIONS) {
      // Once for the optimiser, and for the memory that is kept.
      await client.work(direction, BODY_BYTES);
      const [memory, before] = [await residentBytes(client.pid), await cpuNs(client.pid)];
      await resetPeak(client.pid);
      const { seconds } = await client.work(direction, BODY_BYTES);
      const cpu = (await cpuNs(client.pid)) - before;
      const rise = Math.max(0, (await peakBytes(client.pid)) - memory);
      figures[`${bench}-${direction}`] = [(seconds * 1e9) / (BODY_BYTES / MIB)];
      figures[`${bench}-${direction}-cpu`] = [cpu / (BODY_BYTES / MIB)];
      figures[`${bench}-${direction}-memory`] = [rise];
    }
    return figures;
  };
}

function serverProgram(): Promise<string> {
  return compiled(fileURLToPath(new URL("server.c", import.meta.url)));
}

/** What a client answers. */
interface Work {
  readonly operations: number;
  readonly seconds: number;
}

async function startClient({ command, args }: Command, port: number) {
  const child = new LineProcess({ command, args: [...args, String(port)] }, KEEP_FREED);
  try {
    const { pid } = JSON.parse(await child.nextLine()) as { pid: number };
    return {
      pid,
      /** Does what `client-control.ts` says of the word. */
      work: async (word: string, amount: number): Promise<Work> =>
        JSON.parse(await child.ask(`${word} ${amount}`)) as Work,
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
