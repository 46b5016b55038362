/** What a suite is: a list of benches, and the subjects that can be asked to do their work. All plain data. */

/** The runtimes a suite can be run on. */
export const RUNTIMES = ["node", "bun", "deno"] as const;

export type RuntimeName = (typeof RUNTIMES)[number];

/** The subject that all others are compared with. */
export const OURS = "arborio";

/** Who does the work. */
export interface Subject {
  readonly name: string;
  /**
   * A `script` subject runs on each JavaScript runtime, a `python` subject once, on the system's Python, a `native` one
   * once too, compiled from C.
   */
  readonly kind: "script" | "python" | "native";
  /** Absolute path of the file that holds its cases, or its server. */
  readonly file: string;
  /** The only runtimes of a script; all unless given. */
  readonly runtimes?: readonly RuntimeName[];
  /** Packages it cannot do without. */
  readonly needs: readonly string[];
}

/** How much work one case process does. */
export interface Amount {
  /** Operations in one sample. */
  readonly ops: number;
  /** Operations in each warm-up run; unless given, a tenth of `ops`. */
  readonly warmUpOps?: number;
  /** Samples at most; unless given, the runner's own bound. */
  readonly samplesMax?: number;
  /** Rounds at most, for what takes long; unless given, as many as the whole run has. */
  readonly roundsMax?: number;
}

/** How to start something. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** A figure to reach: by itself, beside a peer, or in proportion to another bench. */
export type Target = (
  | { readonly kind: "atMost"; readonly value: number }
  /** The peer needs at least so many times as much as we. */
  | { readonly kind: "timesPeer"; readonly peer: string; readonly ratioMin: number }
  /** We need at most so many times as much as the peer. */
  | { readonly kind: "timesOfPeer"; readonly peer: string; readonly ratioMax: number }
  /** We need so many times as much, per operation, as in another bench: near 1 is linear. */
  | {
      readonly kind: "timesBench";
      readonly bench: string;
      readonly ratioMin: number;
      readonly ratioMax: number;
    }
) & {
  /** The runtimes it is set for; all unless given. */
  readonly on?: readonly RuntimeName[];
};

/** One table a runtime. */
export interface Figure {
  readonly name: string;
  /** What one operation is, in a few words. */
  readonly what: string;
  /** Nanoseconds or bytes, per operation. */
  readonly unit: "ns" | "B";
  readonly targets: readonly Target[];
  /** Remarks printed below the table: which subject has no such thing, or is not quite comparable. */
  readonly notes?: readonly string[];
  /** Whether the table also shows how many operations a second are. */
  readonly rate?: boolean;
  /**
   * Whether ours ÷ theirs is taken of each round for itself, and shown and judged by the median of those. A spell in which
   * the machine is slow moves such a ratio less than one of medians of all rounds.
   */
  readonly paired?: boolean;
}

interface BenchBase extends Figure {
  /** Packages that the measuring itself cannot do without. */
  readonly needs?: readonly string[];
}

/** Measured by case processes, one for each subject, runtime and round. */
export interface TimedBench extends BenchBase {
  readonly kind: "timed";
  readonly subjects: readonly string[];
  readonly amount: Amount;
  /** Other amounts for single subjects, where the peer is much slower; figures are always per operation. */
  readonly amounts?: Readonly<Record<string, Partial<Amount>>>;
}

/** Known without a clock, the same each time. */
export interface StaticBench extends BenchBase {
  readonly kind: "static";
  readonly subjects: readonly string[];
  /** One value a subject; throws if the subject cannot be measured. */
  readonly measure: (subject: string, runtime: RuntimeName) => Promise<number>;
}

/** Measured by a function of the suite, from outside of a process of the subject; one process gives several figures. */
export interface ServedBench {
  readonly kind: "served";
  readonly name: string;
  readonly subjects: readonly string[];
  readonly figures: readonly Figure[];
  readonly measure: Measure;
}

/** Starts the program, and measures it: one or more samples of each figure, by its name. */
export type Measure = (
  program: Command,
  options: MeasureOptions,
) => Promise<Readonly<Record<string, readonly number[]>>>;

export interface MeasureOptions {
  /** A smoke test: no figures to quote. */
  readonly quick: boolean;
  /** Says something once, below the tables: what this machine does not allow. */
  readonly remark: (text: string) => void;
}

export type Bench = TimedBench | StaticBench | ServedBench;

/** What a bench measures. */
export function figuresOf(bench: Bench): readonly Figure[] {
  return bench.kind === "served" ? bench.figures : [bench];
}

export interface Suite {
  readonly name: string;
  readonly subjects: readonly Subject[];
  readonly benches: readonly Bench[];
  /** npm packages whose versions are printed. */
  readonly peers: readonly string[];
  /** Why nothing of it can be measured here, or undefined if it can. */
  readonly whyMissing?: () => Promise<string | undefined>;
}

/** The amount of a bench for one subject. */
export function amountFor(bench: TimedBench, subject: string): Amount {
  return { ...bench.amount, ...bench.amounts?.[subject] };
}
