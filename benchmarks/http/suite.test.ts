/** What the suite promises: its targets, judged by paired ratios, and the form of its rows. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Row } from "../harness/aggregate.ts";
import { formatTables } from "../harness/report.ts";
import { whyNoHttpLoad } from "./measure.ts";
import { httpSuite } from "./suite.ts";

const run = promisify(execFile);

describe("a paired figure", () => {
  const bench = httpSuite.benches.filter(({ name }) => name === "http-get");
  const spread = (median: number) => ({ median, min: median - 0.1, max: median + 0.1 });
  const row = (subject: string, median: number, oursToTheirs: number, runtime = "node") =>
    ({
      bench: "http-get-cpu",
      subject,
      runtime,
      unit: "ns",
      min: 1,
      max: 1,
      median,
      ratioToOurs: median / 10_000,
      oursToTheirs: spread(oursToTheirs),
    }) as Row;

  test("shows the ratios of the rounds, and is judged by their median", () => {
    const text = formatTables(bench, [row("arborio", 10_000, 1), row("node-http", 10_000, 0.84)]);
    assert.match(text, /ours ÷ theirs +min +max\n/);
    assert.match(text, /node-http .* 0\.84x +0\.74x +0\.94x\n/);
    assert.match(text, /at most 0\.85x node-http: 0\.84x, met/);
    assert.match(text, /at most 0\.75x srvx: not measured/);
  });

  test("has the targets of its runtime", () => {
    const text = formatTables(bench, [
      row("arborio", 10_000, 1, "bun"),
      row("bun-serve", 10_000, 1.3, "bun"),
    ]);
    assert.match(text, /at most 1\.25x bun-serve: 1\.30x, NOT MET/);
    assert.doesNotMatch(text, /srvx|deno-serve/);
  });
});

test(
  "a quick run of http has figures for every subject of each kind",
  { skip: await whyNoHttpLoad() },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "arborio-bench-"));
    try {
      const file = join(folder, "rows.json");
      const only = ["--runtime", "node", "--bench", "http-post", "--bench", "http-idle"];
      const subjects = ["arborio", "arborio-hono", "node-http", "aiohttp-asyncio"];
      const chosen = subjects.flatMap((subject) => ["--subject", subject]);
      const entry = fileURLToPath(new URL("../run.ts", import.meta.url));
      const argv = ["--conditions=@arborio/source", entry, "http", "--quick", ...only, ...chosen];
      await run(process.execPath, [...argv, "--json", file]);
      const rows = JSON.parse(await readFile(file, "utf8")) as Row[];
      assert.deepEqual(
        rows.map(({ bench, subject }) => [bench, subject]),
        ["http-post", "http-post-cpu", "http-post-p50", "http-post-p99", "http-idle"].flatMap(
          (bench) => subjects.map((subject) => [bench, subject]),
        ),
      );
      for (const { bench, subject, median, oursToTheirs } of rows) {
        assert.ok(median > 0, `${bench} of ${subject}`);
        assert.ok((oursToTheirs?.median ?? 0) > 0, `${bench} of ${subject}`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
