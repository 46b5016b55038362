/** What is printed when the board is over: for people, and for machines. */

import type { Board, Ending } from "./board.ts";
import type { Entry, State } from "./entry.ts";
import { formatMs, formatPrice, formatTable } from "./format.ts";

/** Gives text a style, or returns it as it is. */
export type Paint = (style: "bold" | "dim" | "green" | "yellow" | "red", text: string) => string;

const HOW_IT_ENDED: Record<Ending, string> = {
  complete: "all sources were asked",
  deadline: "the board's deadline ended it",
  fatal: "a fatal refusal ended it",
  interrupted: "interrupted",
};

/** Whose fault it is: red the source's, yellow time's. */
const STYLES: Partial<Record<State, "yellow" | "dim">> = {
  "timed out": "yellow",
  "cut short": "yellow",
  "not asked": "dim",
};

/** More sources that were not asked are not listed one by one. */
const LISTED_MAX = 3;

/** The prices, what has none and why, and the task tree at its busiest. */
export function renderText(board: Board, paint: Paint): string {
  const priced = board.entries.filter((entry) => entry.price !== undefined);
  const others = board.entries.filter((entry) => entry.price === undefined);
  const asked = others.filter((entry) => entry.state !== "not asked");
  const notAsked = others.filter((entry) => entry.state === "not asked");
  const { tasks, atMs, tree } = board.busiest;
  const sections = [
    [
      paint("bold", `Prices: ${priced.length} of ${board.entries.length} sources`) +
        paint(
          "dim",
          ` in ${formatMs(board.elapsedMs)}; ${HOW_IT_ENDED[board.ending ?? "complete"]}`,
        ),
      ...paintRows(priced.map(pricedRow), (row) => paint("green", row)),
    ],
    [
      paint("bold", `No price: ${others.length}`),
      ...paintRows([...asked.map(otherRow), ...notAskedRows(notAsked)], (row, at) =>
        paint(STYLES[asked[at]?.state ?? "not asked"] ?? "red", row),
      ),
    ],
    [
      paint("bold", "The task tree at its busiest") +
        paint("dim", ` (${tasks} tasks, after ${formatMs(atMs)})`),
      ...tree.split("\n").map((line) => `  ${line}`),
    ],
  ];
  return sections
    .filter(([, ...rows]) => rows.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

function paintRows(
  rows: readonly (readonly string[])[],
  paint: (row: string, at: number) => string,
): string[] {
  return formatTable(rows).map((row, at) => paint(`  ${row}`, at));
}

function pricedRow(entry: Entry): string[] {
  const price = entry.price === undefined ? "" : formatPrice(entry.price);
  return [
    entry.source.name,
    price,
    formatMs(took(entry)),
    entry.tries > 1 ? `try ${entry.tries}` : "",
  ];
}

function otherRow(entry: Entry): string[] {
  const tries = entry.tries > 1 ? ` (${entry.tries} tries, ${formatMs(took(entry))})` : "";
  return [entry.source.name, entry.state, entry.why + tries];
}

/** One row for all, if they are many: when the board ended early, they have the same reason. */
function notAskedRows(entries: readonly Entry[]): string[][] {
  const [first] = entries;
  if (first === undefined || entries.length <= LISTED_MAX) return entries.map(otherRow);
  return [[`${entries.length} others`, first.state, first.why]];
}

function took(entry: Entry): number {
  return entry.tries === 0 ? 0 : entry.endedMs - entry.beganMs;
}

/** The same as one JSON document. */
export function renderJson(board: Board): string {
  const { busiest, ending, elapsedMs } = board;
  const document = {
    ending,
    elapsedMs: Math.round(elapsedMs),
    prices: board.count("price"),
    sources: board.entries.map((entry) => ({
      name: entry.source.name,
      url: entry.source.url,
      state: entry.state,
      ...(entry.price === undefined ? { why: entry.why } : { price: entry.price.amount }),
      ...(entry.price === undefined || entry.price.currency === ""
        ? {}
        : { currency: entry.price.currency }),
      tries: entry.tries,
      elapsedMs: Math.round(took(entry)),
    })),
    busiest: {
      tasks: busiest.tasks,
      atMs: Math.round(busiest.atMs),
      tree: busiest.tree.split("\n"),
    },
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
