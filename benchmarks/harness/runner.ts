/** Runs a suite: rounds of case processes, one after another, and gathers their samples. */
import { rowsOf, type Measured, type Row } from "./aggregate.ts";
import { CaseError, runCase } from "./case-process.ts";
import { pythonHost, whyMissing, whyPackagesMissing, type Host, type Machine } from "./hosts.ts";
import type { BenchOptions } from "./options.ts";
import {
  amountOf,
  isStatic,
  selectedBenches,
  selectedSubjects,
  slotsOf,
  type Slot,
} from "./schedule.ts";
import { OURS, type Bench, type RuntimeName, type Subject } from "./suite.ts";

/** A suite ends within 12 minutes: no round is begun that would not end within these, in milliseconds. */
const SUITE_MS_MAX = 11.25 * 60_000;

/** Bounds of one case process, unless its bench sets others. */
const SAMPLES_MAX = 7;
const BUDGET_MS = 450;

/** Something that was not measured, and why. */
export interface Skip {
  readonly what: string;
  readonly reason: string;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly skips: readonly Skip[];
  /** Cases that failed; of ours, the run is a failure. */
  readonly failures: readonly Skip[];
  readonly roundsDone: number;
}

/** Tells how far the run is. */
export type Progress = (line: string) => void;

/** Measures what the options ask for. */
export async function runSuite(
  options: BenchOptions,
  machine: Machine,
  progress: Progress,
): Promise<Outcome> {
  const begin = performance.now();
  const runner = new Runner(options, machine, progress);
  await runner.measureStatic();
  let longestRoundMs = 0;
  let round = 0;
  while (round < options.rounds) {
    const elapsedMs = performance.now() - begin;
    if (round > 0 && elapsedMs + longestRoundMs > SUITE_MS_MAX) {
      progress(
        `${round} of ${options.rounds} rounds: another would not end within the suite's 12 minutes`,
      );
      break;
    }
    await runner.runRound(round);
    round++;
    longestRoundMs = Math.max(longestRoundMs, performance.now() - begin - elapsedMs);
    progress(`round ${round}: ${Math.round((performance.now() - begin) / 1000)} s`);
  }
  return { ...runner.outcome(), roundsDone: round };
}

class Runner {
  readonly #options: BenchOptions;
  readonly #progress: Progress;
  readonly #benches: readonly Bench[];
  readonly #hosts = new Map<RuntimeName, Host>();
  readonly #absent = new Set<string>();
  readonly #samples = new Map<string, number[]>();
  readonly #skips: Skip[] = [];
  readonly #failures = new Map<string, Skip>();

  constructor(options: BenchOptions, machine: Machine, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
    for (const [name, found] of machine.runtimes) {
      if ("missing" in found) this.#skip(name, found.missing);
      else this.#hosts.set(name, found);
    }
    this.#benches = selectedBenches(options.suite, options).filter((bench) => {
      const reason = whyPackagesMissing(bench.needs ?? [], machine);
      return reason === undefined || this.#skip(bench.name, reason);
    });
    for (const subject of new Set(this.#benches.flatMap((bench) => this.#subjects(bench)))) {
      const reason = whyMissing(subject, machine);
      if (reason === undefined) continue;
      this.#absent.add(subject.name);
      this.#skip(subject.name, reason);
    }
  }

  /** What no clock measures is measured once. */
  async measureStatic(): Promise<void> {
    for (const bench of this.#benches.filter(isStatic)) {
      for (const subject of this.#subjects(bench)) {
        if (this.#absent.has(subject.name)) continue;
        for (const runtime of this.#hosts.keys()) {
          const key = keyOf(bench.name, subject.name, runtime);
          await this.#collect(key, async () => [await bench.measure(subject.name, runtime)]);
        }
      }
    }
  }

  async runRound(round: number): Promise<void> {
    for (const bench of this.#benches) {
      if (isStatic(bench)) continue;
      this.#progress(`round ${round + 1}: ${bench.name}`);
      for (const slot of slotsOf(this.#options.suite, bench, this.#options))
        await this.#runSlot(slot, round);
    }
  }

  outcome(): Pick<Outcome, "rows" | "skips" | "failures"> {
    const rows = this.#benches.flatMap((bench) =>
      [...this.#hosts.keys()].flatMap((runtime) =>
        rowsOf(bench, runtime, this.#measured(bench, runtime)),
      ),
    );
    return { rows, skips: this.#skips, failures: [...this.#failures.values()] };
  }

  #subjects(bench: Bench): Subject[] {
    return selectedSubjects(this.#options.suite, bench, this.#options);
  }

  #skip(what: string, reason: string): false {
    this.#skips.push({ what, reason });
    return false;
  }

  #measured(bench: Bench, runtime: RuntimeName): Measured[] {
    return this.#subjects(bench).flatMap(({ name, kind }) => {
      const key = keyOf(bench.name, name, kind === "python" ? undefined : runtime);
      const samples = this.#samples.get(key);
      return samples === undefined ? [] : [{ subject: name, samples }];
    });
  }

  async #runSlot(slot: Slot, round: number): Promise<void> {
    const { bench, subject, runtime } = slot;
    const amount = amountOf(slot, this.#options.quick);
    if (this.#absent.has(subject.name) || round >= (amount.roundsMax ?? Infinity)) return;
    const host = runtime === undefined ? pythonHost : this.#hosts.get(runtime);
    if (host === undefined) return;
    const script = subject.kind === "python" ? [subject.file, subject.name] : [subject.file];
    const request = {
      bench: bench.name,
      ops: amount.ops,
      warmUpOps: amount.warmUpOps,
      samplesMax: this.#options.quick ? 1 : (amount.samplesMax ?? SAMPLES_MAX),
      budgetMs: BUDGET_MS,
    };
    await this.#collect(keyOf(bench.name, subject.name, runtime), () =>
      runCase(host, script, request),
    );
  }

  /** Adds the samples, or remembers the failure; what failed once is not tried again. */
  async #collect(key: string, measure: () => Promise<readonly number[]>): Promise<void> {
    if (this.#failures.has(key)) return;
    try {
      const samples = await measure();
      this.#samples.set(key, [...(this.#samples.get(key) ?? []), ...samples]);
    } catch (error) {
      const reason = error instanceof CaseError ? error.message : String(error);
      this.#failures.set(key, { what: key, reason });
      this.#progress(`FAILED ${key}, see the end`);
    }
  }
}

/** "spawn of effect on bun"; also the name under which a failure is printed. */
function keyOf(bench: string, subject: string, runtime: RuntimeName | undefined): string {
  return runtime === undefined ? `${bench} of ${subject}` : `${bench} of ${subject} on ${runtime}`;
}

/** Whether the failures include one of our own. */
export function oursFailed(failures: readonly Skip[]): boolean {
  return failures.some(({ what }) => what.includes(` of ${OURS}`));
}
