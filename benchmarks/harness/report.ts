/** Prints what was measured: tables for people, beside the targets. */
import type { Row } from "./aggregate.ts";
import type { Skip } from "./runner.ts";
import { OURS, type Bench, type RuntimeName, type Target } from "./suite.ts";

/** What to print beside the figures. */
export interface TableOptions {
  /** Whether our figures are held against their targets; true unless given. */
  readonly targets?: boolean;
}

/** One table a bench and runtime, each followed by its targets and notes. */
export function formatTables(
  benches: readonly Bench[],
  rows: readonly Row[],
  { targets = true }: TableOptions = {},
): string {
  const parts: string[] = [];
  for (const bench of benches) {
    const ofBench = rows.filter((row) => row.bench === bench.name);
    for (const runtime of new Set(ofBench.map((row) => row.runtime))) {
      parts.push(formatTable(bench, runtime, rows));
      if (!targets) continue;
      for (const target of bench.targets) parts.push(`  ${judge(bench, target, runtime, rows)}`);
    }
    for (const note of ofBench.length > 0 ? (bench.notes ?? []) : []) parts.push(`  note: ${note}`);
  }
  return parts.join("\n");
}

/** The reasons of all that is missing from the tables. */
export function formatSkips(skips: readonly Skip[], failures: readonly Skip[]): string {
  return [
    ...skips.map(({ what, reason }) => `skipped ${what}: ${reason}`),
    ...failures.map(({ what, reason }) => `FAILED ${what}: ${reason}`),
  ].join("\n");
}

function formatTable(bench: Bench, runtime: RuntimeName, rows: readonly Row[]): string {
  const here = rows.filter((row) => row.bench === bench.name && row.runtime === runtime);
  const cells = here.map((row) => [
    row.subject,
    formatValue(row.median, row.unit),
    formatValue(row.min, row.unit),
    formatValue(row.max, row.unit),
    row.ratioToOurs === null ? "-" : `${row.ratioToOurs.toFixed(2)}x`,
  ]);
  const lines = align([["", "median", "min", "max", "to ours"], ...cells]);
  const title = `\n${bench.name} on ${runtime}: ${bench.what}`;
  return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** One line on a target: what is asked, what was seen, met or not. */
function judge(bench: Bench, target: Target, runtime: RuntimeName, rows: readonly Row[]): string {
  const find = (name: string, subject: string): Row | undefined =>
    rows.find((row) => row.bench === name && row.subject === subject && row.runtime === runtime);
  const ours = find(bench.name, OURS);
  switch (target.kind) {
    case "atMost": {
      const asked = `at most ${formatValue(target.value, bench.unit)}`;
      return verdict(
        asked,
        ours?.median,
        (value) => value <= target.value,
        (value) => formatValue(value, bench.unit),
      );
    }
    case "timesPeer": {
      const ratio = find(bench.name, target.peer)?.ratioToOurs ?? undefined;
      return verdict(
        `${target.peer} at least ${target.ratioMin}x`,
        ratio,
        (value) => value >= target.ratioMin,
        times,
      );
    }
    case "timesOfPeer": {
      const ratio = find(bench.name, target.peer)?.ratioToOurs ?? undefined;
      const ofPeer = ratio === undefined ? undefined : 1 / ratio;
      return verdict(
        `at most ${target.ratioMax}x ${target.peer}`,
        ofPeer,
        (value) => value <= target.ratioMax,
        times,
      );
    }
    case "timesBench": {
      const other = find(target.bench, OURS);
      const ratio =
        ours === undefined || other === undefined ? undefined : ours.median / other.median;
      const met = (value: number): boolean => value >= target.ratioMin && value <= target.ratioMax;
      return verdict(
        `linear, ${formatRange(target.ratioMin, target.ratioMax)} ${target.bench}`,
        ratio,
        met,
        times,
      );
    }
  }
}

function verdict(
  asked: string,
  seen: number | undefined,
  met: (seen: number) => boolean,
  format: (seen: number) => string,
): string {
  if (seen === undefined) return `target ${asked}: not measured`;
  return `target ${asked}: ${format(seen)}, ${met(seen) ? "met" : "NOT MET"}`;
}

const times = (value: number): string => `${value.toFixed(2)}x`;

function formatRange(min: number, max: number): string {
  return min === 0 ? `at most ${max}x` : `${min}x to ${max}x`;
}

function formatValue(value: number, unit: "ns" | "B"): string {
  const [step, small, large] = unit === "ns" ? [1000, "ns", "µs"] : [1024, "B", "KiB"];
  if (value < step) return `${value.toFixed(value < 100 ? 1 : 0)} ${small}`;
  return `${(value / step).toFixed(2)} ${large}`;
}

/** Columns as wide as their widest cell; the first to the left, numbers to the right. */
function align(table: readonly (readonly string[])[]): string[] {
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  return table.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
}
