/**
 * `npm test`: the same test files on every supported runtime.
 *
 *     npm test                                   everything
 *     npm test -- --runtime node-26              one runtime (may be repeated)
 *     npm test -- packages/arborio/src/sync      only files whose path contains this
 *
 * Prints one line per runtime, failures in full, and skips with their reasons. Its last line is `N passed, N failed`.
 * With CI set, a test skipped because a tool is missing, or without a reason, counts as failed.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackages, compiledPath, compileTests } from "./lib/compile.ts";
import { ensureInstalled } from "./lib/install.ts";
import { indent, runTestFiles } from "./lib/run-test-files.ts";
import { runtimeLimitMs, runtimes, type Runtime } from "./lib/runtimes.ts";
import { isMissingTool, NO_REASON, SkipReasons } from "./lib/skips.ts";
import type { TestCase } from "./lib/test-case.ts";
import { matrixTestFiles, root, toolingTestFiles } from "./lib/workspace.ts";

interface Count {
  readonly runtime: string;
  passed: number;
  failed: number;
  skipped: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runtime: { type: "string", multiple: true } },
});
const reasons = new SkipReasons();
const chosen = chooseRuntimes(values.runtime ?? []);
const reports = mkdtempSync(join(tmpdir(), "arborio-test-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));

await installWhatIsNeeded();
if (chosen.some((runtime) => !runtime.fromSource)) {
  await buildPackages({ typeCheck: false });
  await compileTests();
}
const counts: Count[] = [];
for (const runtime of chosen) {
  const files = filesFor(runtime);
  if (files.length > 0 || positionals.length === 0) counts.push(await testOn(runtime, files));
}
report();

function chooseRuntimes(names: string[]): Runtime[] {
  const unknown = names.filter((name) => !runtimes.some((runtime) => runtime.name === name));
  if (unknown.length > 0) {
    const known = runtimes.map((runtime) => runtime.name).join(", ");
    console.error(`Unknown runtime: ${unknown.join(", ")}: use one of ${known}`);
    process.exit(1);
  }
  return runtimes.filter((runtime) => names.length === 0 || names.includes(runtime.name));
}

async function installWhatIsNeeded(): Promise<void> {
  // The tests of the tooling start the runtimes, those of the benchmarks the peers too.
  const hasTooling = chosen.some((runtime) => filesFor(runtime).some(isTooling));
  const hasBenchmarks = chosen.some((runtime) => filesFor(runtime).some(isBenchmark));
  const isElsewhere = chosen.some((runtime) => runtime.program.startsWith(join(root, "runtimes")));
  if (hasTooling || isElsewhere) await ensureInstalled("runtimes");
  if (hasBenchmarks) await ensureInstalled("benchmarks");
}

function isTooling(path: string): boolean {
  return path.startsWith("scripts/") || isBenchmark(path);
}

function isBenchmark(path: string): boolean {
  return path.startsWith("benchmarks/");
}

function filesFor(runtime: Runtime): string[] {
  // The tooling runs on one runtime only, so its tests do too.
  const all = [...matrixTestFiles(), ...(runtime.name === "node-26" ? toolingTestFiles() : [])];
  const wanted = positionals.map((path) => path.replace(/^\.\//, "").replace(/\/$/, ""));
  const files = all.filter(
    (file) => wanted.length === 0 || wanted.some((path) => file.includes(path)),
  );
  return runtime.fromSource ? files : files.map(compiledPath);
}

async function testOn(runtime: Runtime, files: string[]): Promise<Count> {
  const { tests, troubles, output, elapsedMs } = await runTestFiles(runtime, files, {
    limitMs: runtimeLimitMs,
    folder: reports,
  });
  const count = { runtime: runtime.name, passed: 0, failed: troubles.length, skipped: 0 };
  const details: string[] = [];
  for (const test of tests) {
    const line = describe(test, output);
    count[line.counts] += 1;
    if (line.text) details.push(line.text);
  }
  details.push(...troubles);
  if (count.passed + count.failed === 0) {
    count.failed += 1;
    details.push(`FAILED ${runtime.name} ran no test`);
  }
  console.log(`${summary(count)}  (${files.length} files, ${(elapsedMs / 1000).toFixed(1)} s)`);
  for (const detail of details) console.log(indent(detail));
  return count;
}

function describe(
  test: TestCase,
  output: string,
): { counts: "passed" | "failed" | "skipped"; text?: string } {
  if (test.outcome === "passed") return { counts: "passed" };
  const where = test.file.includes(".test.") ? `${test.name} (${shortPath(test.file)})` : test.name;
  if (test.outcome === "failed")
    return { counts: "failed", text: `FAILED ${where}\n${indent(test.detail)}` };
  const reason = reasons.find(test, output);
  if (process.env["CI"] && (isMissingTool(reason) || reason === NO_REASON))
    return { counts: "failed", text: `FAILED ${where}: skipped: ${reason}` };
  return { counts: "skipped", text: `skipped ${where}: ${reason}` };
}

function report(): void {
  console.log("");
  for (const count of counts) console.log(summary(count));
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  if (passed + failed === 0) console.error("No test file matches");
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

function summary(count: Count): string {
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
  return `${count.runtime.padEnd(8)} ${count.passed} passed, ${count.failed} failed${skipped}`;
}

function shortPath(path: string): string {
  return path.replace(`${root}/`, "").replace(/^\.\//, "");
}
