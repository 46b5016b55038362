/** Loads one HTTP server process, and measures it from outside: rate, latency, CPU time, resident memory. */
import { execFile } from "node:child_process";
import { isDeepStrictEqual, promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { CaseError } from "../harness/case-process.ts";
import { compiled } from "../harness/compile.ts";
import { idleConnections } from "../harness/idle-connections.ts";
import { LineProcess } from "../harness/line-process.ts";
import { cpuNs, peakBytes, resetPeak, residentBytes } from "../harness/process-figures.ts";
import { KEEP_FREED, startServer, type ServerProcess } from "../harness/server-process.ts";
import type { Measure } from "../harness/suite.ts";
import { whyNoLoad } from "../net/measure.ts";
import { BODY_BYTES, GREETING } from "./servers/payload.ts";

const run = promisify(execFile);

/** What wrk sends, see `wrk.lua`. */
export type RequestKind = "get" | "post" | "pipelined";

/** One thread suffices for any of these servers, and leaves the other cores to them. */
const CONNECTIONS = 64;

/** wrk takes whole seconds. */
const WARM_UP_S = 1;
const SAMPLE_S = 2;
const QUICK_S = 1;

/** An answer that takes longer is an error, in seconds. More than a busy machine needs. */
const ANSWER_S_MAX = 8;

/** How much longer than told wrk may take: it waits for answers that are under way. */
const WRK_SLACK_MS = 10_000;

/** Part of the idle connections that come and go before memory is read, so that what exists once is not counted. */
const WARM_UP_PART = 10;

const BODY_MIB = BODY_BYTES / 1024 ** 2;

/** Measures requests that wrk sends: `NAME`, `NAME-cpu`, and unless pipelined `NAME-p50` and `NAME-p99`. */
export function measureRequests(bench: string, kind: RequestKind): Measure {
  return async (program, { quick }) => {
    await using server = await startServer(program, KEEP_FREED);
    await checkAnswers(server.port);
    await wrk(server.port, kind, quick ? QUICK_S : WARM_UP_S);
    const before = await cpuNs(server.pid);
    const seen = await wrk(server.port, kind, quick ? QUICK_S : SAMPLE_S);
    const cpu = (await cpuNs(server.pid)) - before;
    return {
      [bench]: [(seen.durationUs * 1000) / seen.requests],
      [`${bench}-cpu`]: [cpu / seen.requests],
      // wrk corrects latencies for requests it could not send in time, and by that loses those of pipelined ones.
      ...(kind !== "pipelined" && {
        [`${bench}-p50`]: [seen.p50Us * 1000],
        [`${bench}-p99`]: [seen.p99Us * 1000],
      }),
    };
  };
}

/** Directions of a large body, as the client sees them. */
const DIRECTIONS = ["down", "up"] as const;

/** Measures a body of 1 GiB in each direction: `NAME-up` and `NAME-up-cpu` for each MiB, `NAME-up-memory` for all of it. */
export function measureBodies(bench: string): Measure {
  return async ({ command, args }) => {
    await using server = await startServer({ command, args: [...args, "body"] }, KEEP_FREED);
    await using client = await startClient(server);
    const figures: Record<string, readonly number[]> = {};
    for (const direction of DIRECTIONS) {
      // Once for the optimiser, and for the memory that is kept.
      await client.work(direction, BODY_BYTES);
      const [memory, before] = [await server.settledBytes(), await cpuNs(server.pid)];
      await resetPeak(server.pid);
      const seconds = await client.work(direction, BODY_BYTES);
      const cpu = (await cpuNs(server.pid)) - before;
      const rise = Math.max(0, (await peakBytes(server.pid)) - memory);
      figures[`${bench}-${direction}`] = [(seconds * 1e9) / BODY_MIB];
      figures[`${bench}-${direction}-cpu`] = [cpu / BODY_MIB];
      figures[`${bench}-${direction}-memory`] = [rise];
    }
    return figures;
  };
}

/** Measures resident bytes for each of many connections that did one request and wait. */
export function measureIdle(bench: string, connections: number): Measure {
  return async (program, options) => {
    const count = await idleConnections(bench, connections, options);
    await using server = await startServer(program);
    await using client = await startClient(server);
    await client.work("idle", Math.ceil(count / WARM_UP_PART));
    await client.work("idle", 0);
    const before = await server.settledBytes();
    await client.work("idle", count);
    await server.settledBytes();
    // Once more: that none was closed meanwhile.
    await client.work("idle", count);
    return { [bench]: [((await residentBytes(server.pid)) - before) / count] };
  };
}

/** Why there can be no load here, or undefined if there can. */
export async function whyNoHttpLoad(): Promise<string | undefined> {
  const reason = await whyNoLoad();
  if (reason !== undefined) return reason;
  // wrk prints its version, and ends with 1.
  const error = await run("wrk", ["-v"]).then(
    () => undefined,
    (failure: NodeJS.ErrnoException) => failure,
  );
  return error?.code === "ENOENT" ? "needs wrk: apt-get install wrk" : undefined;
}

/** What `wrk.lua` prints. */
interface WrkReport {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly badStatuses: number;
  readonly socketErrors: number;
}

const luaScript = fileURLToPath(new URL("wrk.lua", import.meta.url));

async function wrk(port: number, kind: RequestKind, seconds: number): Promise<WrkReport> {
  const args = [
    "-t1",
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    `--timeout=${ANSWER_S_MAX}s`,
    "-s",
    luaScript,
  ];
  const { stdout } = await run("wrk", [...args, `http://127.0.0.1:${port}/`, "--", kind], {
    timeout: seconds * 1000 + WRK_SLACK_MS,
  }).catch((error: unknown) => {
    throw new CaseError(`wrk did not end well: ${(error as Error).message}`, { cause: error });
  });
  const report = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as WrkReport;
  if (report.requests === 0 || report.badStatuses > 0 || report.socketErrors > 0)
    throw new CaseError(`wrk ${kind}: requests that were not answered: ${JSON.stringify(report)}`);
  return report;
}

/** wrk looks at status codes only: so what the server answers is looked at before. */
async function checkAnswers(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/`;
  const greeting = await (await fetch(url)).text();
  if (greeting !== GREETING)
    throw new CaseError(`GET gave ${JSON.stringify(greeting)}, not ${GREETING}`);
  const value = { name: "arborio", tags: ["tree", "root"], at: { x: 1.5, none: null } };
  const body = JSON.stringify(value);
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body });
  const type = response.headers.get("content-type") ?? "none";
  const echo: unknown = await response.json();
  if (!type.startsWith("application/json") || !isDeepStrictEqual(echo, value))
    throw new CaseError(`POST gave ${JSON.stringify(echo)} of type ${type}, not ${body} as JSON`);
}

async function startClient(server: ServerProcess) {
  const command = await compiled(fileURLToPath(new URL("client.c", import.meta.url)));
  const child = new LineProcess({ command, args: [String(server.port)] });
  return {
    /** Does what `client.c` says of the word; returns how many seconds that took. */
    work: async (word: "idle" | "down" | "up", amount: number): Promise<number> =>
      (JSON.parse(await child.ask(`${word} ${amount}`)) as { seconds: number }).seconds,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
