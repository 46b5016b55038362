/** The page that tells the gaps: how it is written, and how it is read again. */
import type { ProbeResult } from "./probe.test.kit.ts";

/** What came of the probes of each area, by its title. */
export type AreaResults = Record<string, readonly ProbeResult[]>;

/** What one runtime, or the simulator, can do. */
export interface Column {
  /** `"Node 26"`, `"Deno"`, `"simulator"`. */
  readonly name: string;
  readonly results: AreaResults;
}

/** How the first row of a table begins. */
const HEADER = "| feature";

/** In the simulator's column of areas that it has from the runtime that it is on. */
const FROM_RUNTIME = "as its runtime";

const INTRODUCTION = `# Gaps

What a runtime cannot do, as found by doing it. \`npm run gaps\` runs the same small programs (\`packages/arborio/src/testing/gaps\`) on every
runtime and in the simulator, and writes this page. The tests run them again: they fail where a gap is new, and where one is closed.
Where it says **no**, the function throws \`NotSupportedError\`, unless something else is said below the table.`;

/** Writes the page. Every column has the same areas and features, but for what the simulator lacks. */
export function renderPage(columns: readonly Column[], versions: readonly string[]): string {
  const [first] = columns;
  const areas = Object.entries(first?.results ?? {});
  const sections = areas.map(([title, results]) => renderArea(title, results, columns));
  return `${INTRODUCTION}\n\nMeasured on Linux, with ${versions.join(", ")}.\n\n${sections.join("\n")}`;
}

function renderArea(
  title: string,
  results: readonly ProbeResult[],
  columns: readonly Column[],
): string {
  const rows = results.map(({ feature }) => {
    const cells = columns.map((column) => renderCell(find(column, title, feature)));
    return `| ${feature} | ${cells.join(" | ")} |`;
  });
  const reasons = results.flatMap(({ feature }) => renderReasons(title, feature, columns));
  return [
    `## ${title}`,
    "",
    `${HEADER} | ${columns.map(({ name }) => name).join(" | ")} |`,
    `| --- |${" --- |".repeat(columns.length)}`,
    ...rows,
    "",
    ...reasons,
    ...(reasons.length > 0 ? [""] : []),
  ].join("\n");
}

function renderCell(result: ProbeResult | undefined): string {
  if (result === undefined) return FROM_RUNTIME;
  return result.verdict === "yes" ? "yes" : "**no**";
}

/** One line for each reason, with those that it holds for. */
function renderReasons(title: string, feature: string, columns: readonly Column[]): string[] {
  const names: Map<string, string[]> = new Map();
  for (const column of columns) {
    const { reason = "" } = find(column, title, feature) ?? {};
    if (reason !== "") names.set(reason, [...(names.get(reason) ?? []), column.name]);
  }
  return [...names].map(([reason, those]) => `- ${feature}; ${those.join(", ")}: ${reason}`);
}

function find({ results }: Column, title: string, feature: string): ProbeResult | undefined {
  return results[title]?.find((result) => result.feature === feature);
}

/** The columns of a page, as they were when it was written. */
export function parsePage(page: string): Column[] {
  const names = cellsOf(page.split("\n").find((line) => line.startsWith(HEADER)) ?? "");
  return names.map((name, index) => ({ name, results: parseColumn(page, name, index) }));
}

function parseColumn(page: string, name: string, index: number): AreaResults {
  const results: AreaResults = {};
  for (const section of page.split(/^## /m).slice(1)) {
    const [title = "", ...lines] = section.split("\n");
    const rows = lines.filter((line) => /^\| [^-]/.test(line) && !line.startsWith(HEADER));
    const parsed = rows.flatMap((row): ProbeResult[] => {
      const [, feature = ""] = /^\| (.*?)\s*\|/.exec(row) ?? [];
      const cell = cellsOf(row)[index];
      if (cell === FROM_RUNTIME) return [];
      if (cell === "yes") return [{ feature, verdict: "yes", reason: "" }];
      return [{ feature, verdict: "no", reason: parseReason(lines, feature, name) }];
    });
    if (parsed.length > 0) results[title] = parsed;
  }
  return results;
}

/** The cells of a row, without its first, which has no bars in it either. */
function cellsOf(row: string): string[] {
  return row
    .split("|")
    .slice(2, -1)
    .map((cell) => cell.trim());
}

function parseReason(lines: readonly string[], feature: string, name: string): string {
  const start = `- ${feature}; `;
  for (const line of lines.filter((one) => one.startsWith(start))) {
    const rest = line.slice(start.length);
    const colon = rest.indexOf(": ");
    if (rest.slice(0, colon).split(", ").includes(name)) return rest.slice(colon + 2);
  }
  return "";
}
