/** A quick run of the suites `http-client` and `websocket` has figures for each subject. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Row } from "../harness/aggregate.ts";
import { whyNoLoad } from "../net/measure.ts";

const run = promisify(execFile);

const reason = await whyNoLoad();
if (reason !== undefined) console.log(`# skip quick runs of http-client and websocket: ${reason}`);

const runs = [
  { suite: "http-client", bench: "client-get", peer: "undici-request" },
  { suite: "websocket", bench: "ws-echo-64", peer: "ws" },
];

for (const { suite, bench, peer } of runs) {
  test(`a quick run of ${suite} has figures`, { skip: reason }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "arborio-bench-"));
    try {
      const file = join(folder, "rows.json");
      const entry = fileURLToPath(new URL("../run.ts", import.meta.url));
      const argv = ["--conditions=@arborio/source", entry, suite, "--quick", "--runtime", "node"];
      const subjects = ["arborio", peer];
      for (const subject of subjects) argv.push("--subject", subject);
      await run(process.execPath, [...argv, "--bench", bench, "--json", file]);
      const rows = JSON.parse(await readFile(file, "utf8")) as Row[];
      assert.deepEqual(
        rows.map((row) => [row.bench, row.subject]),
        [bench, `${bench}-cpu`].flatMap((name) => subjects.map((subject) => [name, subject])),
      );
      for (const { median, oursToTheirs } of rows) {
        assert.ok(median > 0);
        assert.ok((oursToTheirs?.median ?? 0) > 0);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}
