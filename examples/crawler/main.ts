/** A crawler: `node main.ts https://example.org/`. See README.md beside it. */
import process from "node:process";
import { parseArgs } from "node:util";
import { run } from "arborio";
import { openHttpClient } from "@arborio/http";
import { crawl } from "./crawl.ts";
import { Frontier, type JournalEntry, type VisitedEntry } from "./frontier.ts";
import { openJournal } from "./journal-file.ts";
import { absolute } from "./links.ts";

const AGENT = "arborio-crawler";

/** How long visits may go on after the first Ctrl-C, in milliseconds. */
const GRACE_MS = 10_000;
/** Of one page. */
const PAGE_BYTES_MAX = 2_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: "string", default: "crawl.jsonl" },
    depth: { type: "string", default: "3" },
    pages: { type: "string", default: "1000" },
    "per-site": { type: "string", default: "2" },
    every: { type: "string", default: "500" },
  },
});
const seeds = positionals.map((url) => absolute(url));

if (seeds.length === 0 || seeds.includes(undefined)) {
  console.error(
    "Usage: main.ts [--state FILE] [--depth N] [--pages N] [--per-site N] [--every MS] URL …",
  );
  process.exitCode = 2;
} else {
  await run(() => main(seeds as string[]), { graceMs: GRACE_MS });
}

async function main(urls: readonly string[]): Promise<void> {
  const { entries, journal } = openJournal(values.state);
  const tell = (entry: JournalEntry): void => {
    journal(entry);
    if ("visited" in entry) console.log(lineOf(entry));
  };
  const perSite = Number(values["per-site"]);
  const limits = { depthMax: Number(values.depth), pagesMax: Number(values.pages) };
  const frontier = new Frontier(urls, limits, tell, entries);
  await using client = openHttpClient({
    headers: { "user-agent": `${AGENT}/1.0` },
    limits: { originConnectionsMax: perSite, connectionsMax: 1000 },
    timeouts: { headMs: 20_000, bodyMs: 20_000 },
  });
  await crawl({
    client,
    frontier,
    agent: AGENT,
    perSite,
    everyMs: Number(values.every),
    pageBytesMax: PAGE_BYTES_MAX,
  });
  const { visitedCount, left } = frontier;
  const rest = left.length === 0 ? "that is all" : `${left.length} left: the same command goes on`;
  console.log(`${visitedCount} pages visited, ${rest}`);
}

function lineOf(entry: VisitedEntry): string {
  if ("failed" in entry) return `${entry.visited}: failed: ${entry.failed}`;
  if ("skipped" in entry) return `${entry.visited}: skipped: ${entry.skipped}`;
  return `${entry.visited}: ${entry.status}, ${entry.bytes} bytes, ${entry.links} links`;
}
