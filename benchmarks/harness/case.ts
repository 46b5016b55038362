/**
 * The inside of one case process: reads one request, warms up, repeats the case, prints one JSON line.
 *
 * A process measures one case only. Cases that share a process leave megamorphic call sites and heap entries behind,
 * and the later ones pay for them.
 *
 * Known weak point: warm-up is by count, not by watching the optimiser; the first sample may still be a slow one.
 */
import process from "node:process";

/** What the runner asks of a case process; it is the process's only argument, as JSON. `python_cases.py` reads the same. */
export interface CaseRequest {
  readonly bench: string;
  /** Operations in one sample. */
  readonly ops: number;
  /** Operations in each of the warm-up runs; 0 means none. */
  readonly warmUpOps: number;
  /** Samples at most. */
  readonly samplesMax: number;
  /** No third sample (in Python, no second) is begun after this much measuring, in milliseconds. */
  readonly budgetMs: number;
}

/** The line a case process prints. */
export interface CaseReply {
  /** Nanoseconds or bytes per operation. */
  readonly samples: readonly number[];
}

/** Does `ops` operations; returns what all of them took, in nanoseconds (bytes, for a case of memory). */
export type Case = (ops: number) => Promise<number>;

const WARM_UPS = 3;

/** The first sample is often the slowest; with one more, a loaded machine does not leave us with that one alone. */
const SAMPLES_MIN = 2;

/** Runs the case that the command line asks for, and prints its samples. */
export async function runRequestedCase(cases: Readonly<Record<string, Case>>): Promise<void> {
  const request = JSON.parse(process.argv[2] ?? "{}") as CaseRequest;
  const measure = cases[request.bench];
  if (measure === undefined) {
    throw new RangeError(
      `case: no bench "${request.bench}" here, there are ${Object.keys(cases).join(", ")}`,
    );
  }
  for (let i = 0; i < WARM_UPS && request.warmUpOps > 0; i++) await measure(request.warmUpOps);
  const samples: number[] = [];
  const begin = performance.now();
  const inBudget = (): boolean => performance.now() - begin < request.budgetMs;
  while (samples.length < request.samplesMax && (samples.length < SAMPLES_MIN || inBudget())) {
    collectGarbage();
    samples.push((await measure(request.ops)) / request.ops);
  }
  const reply: CaseReply = { samples };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

/** Starts a stopwatch; the returned function tells the nanoseconds since. */
export function stopwatch(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) * 1e6;
}

/** Bytes of live heap, after a full collection. */
export async function liveHeapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    // Finalisers and the collector's own tasks run between host turns.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().heapUsed;
}

/** Collects what earlier samples left, so that the next one does not pay for them. */
export function collectGarbage(): void {
  const host = globalThis as { gc?: () => void; Bun?: { gc: (sync: boolean) => void } };
  if (host.Bun !== undefined) host.Bun.gc(true);
  else if (host.gc !== undefined) host.gc();
  else throw new Error("case: no garbage collector to call, start the runtime with --expose-gc");
}
