import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Journal, JournalEntry } from "./frontier.ts";

/** Opens a journal in a file, a line of JSON for each entry, with what is in it already. A line that was cut, as by a power failure, counts for nothing. */
export function openJournal(path: string): {
  readonly entries: readonly JournalEntry[];
  readonly journal: Journal;
} {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  // So that what comes now has lines of its own.
  if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n");
  return {
    entries: text.split("\n").flatMap(entriesIn),
    // Lines are short, and each is written at once: no stop comes in between.
    journal: (entry) => appendFileSync(path, `${JSON.stringify(entry)}\n`),
  };
}

function entriesIn(line: string): JournalEntry[] {
  try {
    return [JSON.parse(line) as JournalEntry];
  } catch {
    return [];
  }
}
