/** Runs a suite: rounds of case processes, one after another, and gathers their samples. */
import { rowsOf, type Measured, type Row } from "./aggregate.ts";
import { CaseError, runCase } from "./case-process.ts";
import { compiled } from "./compile.ts";
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
import {
  figuresOf,
  OURS,
  type Bench,
  type Command,
  type Figure,
  type RuntimeName,
  type Subject,
} from "./suite.ts";

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
  /** What was measured otherwise than the suite says, since this machine does not allow that. */
  readonly remarks: readonly string[];
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
  /** Of each figure, subject and runtime: the samples of each round. */
  readonly #samples = new Map<string, number[][]>();
  readonly #skips: Skip[] = [];
  readonly #failures = new Map<string, Skip>();
  readonly #remarks = new Set<string>();

  constructor(options: BenchOptions, machine: Machine, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
    for (const [name, found] of machine.runtimes) {
      if ("missing" in found) this.#skip(name, found.missing);
      else this.#hosts.set(name, found);
    }
    const missing = machine.suiteMissing;
    if (missing !== undefined) this.#skip(options.suite.name, missing);
    this.#benches = selectedBenches(options.suite, options).filter((bench) => {
      if (missing !== undefined) return false;
      const reason = whyPackagesMissing(
        bench.kind === "served" ? [] : (bench.needs ?? []),
        machine,
      );
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
          await this.#collect({ bench, subject, runtime }, 0, async () => ({
            [bench.name]: [await bench.measure(subject.name, runtime)],
          }));
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

  outcome(): Omit<Outcome, "roundsDone"> {
    const rows = this.#benches.flatMap((bench) =>
      figuresOf(bench).flatMap((figure) =>
        [...this.#hosts.keys()].flatMap((runtime) =>
          rowsOf(figure, runtime, this.#measured(bench, figure, runtime)),
        ),
      ),
    );
    return {
      rows,
      skips: this.#skips,
      failures: [...this.#failures.values()],
      remarks: [...this.#remarks],
    };
  }

  #subjects(bench: Bench): Subject[] {
    return selectedSubjects(this.#options.suite, bench, this.#options);
  }

  #skip(what: string, reason: string): false {
    this.#skips.push({ what, reason });
    return false;
  }

  #measured(bench: Bench, figure: Figure, runtime: RuntimeName): Measured[] {
    return this.#subjects(bench).flatMap(({ name, kind }) => {
      const key = keyOf(figure.name, name, kind === "script" ? runtime : undefined);
      const rounds = this.#samples.get(key);
      return rounds === undefined ? [] : [{ subject: name, rounds }];
    });
  }

  async #runSlot(slot: Slot, round: number): Promise<void> {
    const { bench, subject, runtime } = slot;
    const host = runtime === undefined ? undefined : this.#hosts.get(runtime);
    if (this.#absent.has(subject.name) || (runtime !== undefined && host === undefined)) return;
    if (bench.kind === "served") {
      const { quick } = this.#options;
      const remark = (text: string): void => void this.#remarks.add(text);
      await this.#collect(slot, round, async () =>
        bench.measure(await commandOf(subject, host), { quick, remark }),
      );
    } else {
      const amount = amountOf({ ...slot, bench }, this.#options.quick);
      if (round >= (amount.roundsMax ?? Infinity)) return;
      await this.#collect(slot, round, async () => ({
        [bench.name]: await runCase(await commandOf(subject, host), {
          bench: bench.name,
          ops: amount.ops,
          warmUpOps: amount.warmUpOps,
          samplesMax: this.#options.quick ? 1 : (amount.samplesMax ?? SAMPLES_MAX),
          budgetMs: BUDGET_MS,
        }),
      }));
    }
  }

  /** Adds the samples of each figure, or remembers the failure; what failed once is not tried again. */
  async #collect(
    { bench, subject, runtime }: Place,
    round: number,
    measure: () => Promise<Readonly<Record<string, readonly number[]>>>,
  ): Promise<void> {
    const what = keyOf(bench.name, subject.name, runtime);
    if (this.#failures.has(what)) return;
    try {
      for (const [figure, samples] of Object.entries(await measure())) {
        const key = keyOf(figure, subject.name, runtime);
        const rounds = this.#samples.get(key) ?? [];
        this.#samples.set(key, rounds);
        while (rounds.length < round) rounds.push([]);
        rounds[round] = [...samples];
      }
    } catch (error) {
      const reason = error instanceof CaseError ? error.message : String(error);
      this.#failures.set(what, { what, reason });
      this.#progress(`FAILED ${what}, see the end`);
    }
  }
}

/** Of whom samples are: a slot, or its like of a static bench. */
interface Place {
  readonly bench: Pick<Bench, "name">;
  readonly subject: Subject;
  readonly runtime: RuntimeName | undefined;
}

/** How to start a subject; the host is that of a script. A Python file holds several subjects, and is told which. */
async function commandOf(subject: Subject, host: Host | undefined): Promise<Command> {
  if (subject.kind === "native") return { command: await compiled(subject.file), args: [] };
  const { command, args } = host ?? pythonHost;
  const which = subject.kind === "python" ? [subject.name] : [];
  return { command, args: [...args, subject.file, ...which] };
}

/** "spawn of effect on bun"; also the name under which a failure is printed. */
function keyOf(bench: string, subject: string, runtime: RuntimeName | undefined): string {
  return runtime === undefined ? `${bench} of ${subject}` : `${bench} of ${subject} on ${runtime}`;
}

/** Whether the failures include one of our own. */
export function oursFailed(failures: readonly Skip[]): boolean {
  return failures.some(({ what }) => what.includes(` of ${OURS}`));
}
