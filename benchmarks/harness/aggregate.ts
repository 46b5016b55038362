/** From samples to rows. */
import { OURS, type Figure, type RuntimeName } from "./suite.ts";

/** One line of a table, and one element of the JSON file. */
export interface Row {
  readonly bench: string;
  readonly subject: string;
  /** The runtime that ours ran on, also for a Python subject. */
  readonly runtime: RuntimeName;
  readonly unit: "ns" | "B";
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many times as much the subject needs as ours for the same work: above 1, ours is better. Null without ours. */
  readonly ratioToOurs: number | null;
  /** Of a paired figure: ours ÷ theirs of each round. Below 1, ours is better. Absent without ours. */
  readonly oursToTheirs?: Spread;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** All samples of one subject in one bench, round by round; a round in which there was none has an empty list, or none. */
export interface Measured {
  readonly subject: string;
  readonly rounds: readonly (readonly number[])[];
}

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  if (upper === undefined) throw new RangeError("median: no samples, one is needed at least");
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? upper)) / 2 : upper;
}

/** The rows of one bench on one runtime, in the order given. */
export function rowsOf(
  bench: Pick<Figure, "name" | "unit" | "paired">,
  runtime: RuntimeName,
  measured: readonly Measured[],
): Row[] {
  const ours = measured.find((each) => each.subject === OURS);
  const oursMedian = ours === undefined ? undefined : median(ours.rounds.flat());
  return measured.map(({ subject, rounds }) => {
    const samples = rounds.flat();
    const oursToTheirs =
      bench.paired === true && ours !== undefined ? pair(ours.rounds, rounds) : undefined;
    return {
      bench: bench.name,
      subject,
      runtime,
      unit: bench.unit,
      ...spreadOf(samples),
      ratioToOurs: oursMedian === undefined ? null : median(samples) / oursMedian,
      ...(oursToTheirs !== undefined && { oursToTheirs }),
    };
  });
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Of each round that has both, the one ÷ the other. */
function pair(ours: Measured["rounds"], theirs: Measured["rounds"]): Spread | undefined {
  const ratios = ours.flatMap((samples, round) => {
    const others = theirs[round] ?? [];
    return samples.length === 0 || others.length === 0 ? [] : [median(samples) / median(others)];
  });
  return ratios.length === 0 ? undefined : spreadOf(ratios);
}
