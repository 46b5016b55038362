/** What a suite is: a list of benches, and the subjects that can be asked to do their work. All plain data. */

/** The runtimes a suite can be run on. */
export const RUNTIMES = ["node", "bun", "deno"] as const;

export type RuntimeName = (typeof RUNTIMES)[number];

/** The subject that all others are compared with. */
export const OURS = "arborio";

/** Who does the work. */
export interface Subject {
  readonly name: string;
  /** A `script` subject runs on each JavaScript runtime, a `python` subject once, on the system's Python. */
  readonly kind: "script" | "python";
  /** Absolute path of the file that holds its cases. */
  readonly file: string;
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

/** A figure to reach: by itself, beside a peer, or in proportion to another bench. */
export type Target =
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
    };

interface BenchBase {
  readonly name: string;
  /** What one operation is, in a few words. */
  readonly what: string;
  /** Nanoseconds or bytes, per operation. */
  readonly unit: "ns" | "B";
  readonly targets: readonly Target[];
  /** Packages that the measuring itself cannot do without. */
  readonly needs?: readonly string[];
  /** Remarks printed below the table: which subject has no such thing, or is not quite comparable. */
  readonly notes?: readonly string[];
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

export type Bench = TimedBench | StaticBench;

export interface Suite {
  readonly name: string;
  readonly subjects: readonly Subject[];
  readonly benches: readonly Bench[];
  /** npm packages whose versions are printed. */
  readonly peers: readonly string[];
}

/** The amount of a bench for one subject. */
export function amountFor(bench: TimedBench, subject: string): Amount {
  return { ...bench.amount, ...bench.amounts?.[subject] };
}
