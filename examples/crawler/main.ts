/** A crawler: `node main.ts https://example.org/`. See README.md beside it. */
import process from "node:process";
import { run } from "arborio";
import { openHttpClient } from "@arborio/http";
import { exitWith, readArguments } from "../shared/read-arguments.ts";
import { crawl } from "./crawl.ts";
import { Frontier, type JournalEntry, type VisitedEntry } from "./frontier.ts";
import { openJournal } from "./journal-file.ts";
import { absolute } from "./links.ts";

const AGENT = "arborio-crawler";

/** How long visits may go on after the first Ctrl-C, in milliseconds. */
const GRACE_MS = 10_000;
/** Of one page. */
const PAGE_BYTES_MAX = 2_000_000;

const USAGE = "[--state FILE] [--depth N] [--pages N] [--per-site N] [--every MS] URL …";

const options = readArguments(USAGE, {
  state: "crawl.jsonl",
  depth: 3,
  pages: 1000,
  "per-site": 2,
  every: 500,
});
const perSite = options["per-site"];
if (perSite === 0) exitWith(USAGE, "--per-site: got 0, needs at least one request at once");
if (options.rest.length === 0) exitWith(USAGE, "there is no URL to begin with");
const seeds = options.rest.map(
  (url) => absolute(url) ?? exitWith(USAGE, `got "${url}", needs a URL of http or https`),
);

await run(main, { graceMs: GRACE_MS });

async function main(): Promise<void> {
  const { entries, journal } = openJournal(options.state);
  const tell = (entry: JournalEntry): void => {
    journal(entry);
    if ("visited" in entry) console.log(lineOf(entry));
  };
  const limits = { depthMax: options.depth, pagesMax: options.pages };
  const frontier = new Frontier(seeds, limits, tell, entries);
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
    everyMs: options.every,
    pageBytesMax: PAGE_BYTES_MAX,
  });
  const { visitedCount, left } = frontier;
  const rest = left.length === 0 ? "that is all" : `${left.length} left: the same command goes on`;
  console.log(`pages visited: ${visitedCount}, ${rest}`);
  if (left.length > 0) process.exitCode = 1;
}

function lineOf(entry: VisitedEntry): string {
  if ("failed" in entry) return `${entry.visited}: failed: ${entry.failed}`;
  if ("skipped" in entry) return `${entry.visited}: skipped: ${entry.skipped}`;
  return `${entry.visited}: ${entry.status}, ${entry.bytes} bytes, ${entry.links} links`;
}
