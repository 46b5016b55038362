/** Prints what was measured: tables for people, beside the targets. */
import type { Row, Spread } from "./aggregate.ts";
import type { Outcome } from "./runner.ts";
import {
  figuresOf,
  OURS,
  type Bench,
  type Figure,
  type RuntimeName,
  type Target,
} from "./suite.ts";

/** What to print beside the figures. */
export interface TableOptions {
  /** Whether our figures are held against their targets; true unless given. */
  readonly targets?: boolean;
}

/** One table a figure and runtime, each followed by its targets and notes. */
export function formatTables(
  benches: readonly Bench[],
  rows: readonly Row[],
  { targets = true }: TableOptions = {},
): string {
  const parts: string[] = [];
  for (const figure of benches.flatMap(figuresOf)) {
    const ofFigure = rows.filter((row) => row.bench === figure.name);
    for (const runtime of new Set(ofFigure.map((row) => row.runtime))) {
      parts.push(formatTable(figure, runtime, rows));
      if (!targets) continue;
      for (const target of figure.targets.filter(({ on }) => on?.includes(runtime) ?? true))
        parts.push(`  ${judge(figure, target, runtime, rows)}`);
    }
    const notes = ofFigure.length > 0 ? (figure.notes ?? []) : [];
    parts.push(...notes.map((note) => `  note: ${note}`));
  }
  return parts.join("\n");
}

/** The reasons of all that is missing from the tables. */
export function formatSkips({
  remarks,
  skips,
  failures,
}: Pick<Outcome, "remarks" | "skips" | "failures">): string {
  return [
    ...remarks,
    ...skips.map(({ what, reason }) => `skipped ${what}: ${reason}`),
    ...failures.map(({ what, reason }) => `FAILED ${what}: ${reason}`),
  ].join("\n");
}

function formatTable(figure: Figure, runtime: RuntimeName, rows: readonly Row[]): string {
  const here = rows.filter((row) => row.bench === figure.name && row.runtime === runtime);
  const rate = figure.rate === true;
  const cells = here.map((row) => [
    row.subject,
    formatValue(row.median, row.unit),
    formatValue(row.min, row.unit),
    formatValue(row.max, row.unit),
    ...(figure.paired === true
      ? formatSpread(row.oursToTheirs)
      : [row.ratioToOurs === null ? "-" : times(row.ratioToOurs)]),
    ...(rate ? [Math.round(1e9 / row.median).toLocaleString("en")] : []),
  ]);
  const header = [
    "",
    "median",
    "min",
    "max",
    ...(figure.paired === true ? ["ours ÷ theirs", "min", "max"] : ["to ours"]),
    ...(rate ? ["per second"] : []),
  ];
  const lines = align([header, ...cells]);
  const title = `\n${figure.name} on ${runtime}: ${figure.what}`;
  return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** One line on a target: what is asked, what was seen, met or not. */
function judge(figure: Figure, target: Target, runtime: RuntimeName, rows: readonly Row[]): string {
  const find = (name: string, subject: string): Row | undefined =>
    rows.find((row) => row.bench === name && row.subject === subject && row.runtime === runtime);
  const ours = find(figure.name, OURS);
  switch (target.kind) {
    case "atMost": {
      const asked = `at most ${formatValue(target.value, figure.unit)}`;
      return verdict(
        asked,
        ours?.median,
        (value) => value <= target.value,
        (value) => formatValue(value, figure.unit),
      );
    }
    case "timesPeer": {
      const ratio = find(figure.name, target.peer)?.ratioToOurs ?? undefined;
      return verdict(
        `${target.peer} at least ${target.ratioMin}x`,
        ratio,
        (value) => value >= target.ratioMin,
        times,
      );
    }
    case "timesOfPeer": {
      const peer = find(figure.name, target.peer);
      const ratio = peer?.ratioToOurs ?? undefined;
      const ofPeer = peer?.oursToTheirs?.median ?? (ratio === undefined ? undefined : 1 / ratio);
      return verdict(
        `at most ${Number(target.ratioMax.toFixed(3))}x ${target.peer}`,
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

function formatSpread(spread: Spread | undefined): string[] {
  if (spread === undefined) return ["-", "-", "-"];
  return [spread.median, spread.min, spread.max].map(times);
}

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
