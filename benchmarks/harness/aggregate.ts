/** From samples to rows. */
import { OURS, type RuntimeName } from "./suite.ts";

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
}

/** All samples of one subject in one bench. */
export interface Measured {
  readonly subject: string;
  readonly samples: readonly number[];
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
  bench: { readonly name: string; readonly unit: "ns" | "B" },
  runtime: RuntimeName,
  measured: readonly Measured[],
): Row[] {
  const ours = measured.find((each) => each.subject === OURS);
  const oursMedian = ours === undefined ? undefined : median(ours.samples);
  return measured.map(({ subject, samples }) => ({
    bench: bench.name,
    subject,
    runtime,
    unit: bench.unit,
    median: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    ratioToOurs: oursMedian === undefined ? null : median(samples) / oursMedian,
  }));
}
