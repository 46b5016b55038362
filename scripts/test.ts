/**
 * `npm test`: the same test files on every supported runtime.
 *
 *     npm test                                   everything
 *     npm test -- --runtime node-26              one runtime (may be repeated)
 *     npm test -- packages/arborio/src/sync      only files whose path contains this
 *
 * Prints one line per runtime, failures in full, and skips with their reasons. Its last line is `N passed, N failed`.
 * With CI set, a test skipped because a tool is missing counts as failed.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runCommand, type CommandResult } from "./lib/command.ts";
import { buildPackages, compiledPath, compileTests } from "./lib/compile.ts";
import { ensureInstalled } from "./lib/install.ts";
import { runtimes, type Runtime } from "./lib/runtimes.ts";
import { isMissingTool, SkipReasons } from "./lib/skips.ts";
import type { TestCase } from "./lib/test-case.ts";
import { matrixTestFiles, root, toolingTestFiles } from "./lib/workspace.ts";

/** For all tests of one runtime. On a quiet machine of two cores the slowest takes about three fifths of it. */
const runtimeLimitMs = 480_000;

/** Files of tests that start threads on the host. */
const threadFiles = /\/threads\/|\/hashing\/|\/gaps\.test\.|\/worker-?process/;

/** How much of a hanging runtime's output is shown. */
const tailLines = 30;

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
const reports = mkdtempSync(join(tmpdir(), "arborio-test-"));

const chosen = chooseRuntimes(values.runtime ?? []);
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
rmSync(reports, { recursive: true, force: true });
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
  // The benchmarks' own tests start the runtimes and the peers.
  const hasBenchmarks = chosen.some((runtime) => filesFor(runtime).some(isBenchmark));
  const isElsewhere = chosen.some((runtime) => runtime.program.startsWith(join(root, "runtimes")));
  if (hasBenchmarks || isElsewhere) await ensureInstalled("runtimes");
  if (hasBenchmarks) await ensureInstalled("benchmarks");
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
  const tests: TestCase[] = [];
  let result: CommandResult = { code: 0, output: "", timedOut: false, elapsedMs: 0 };
  for (const round of roundsOf(runtime, files)) {
    const limitMs = runtimeLimitMs - result.elapsedMs;
    const parts = await Promise.all(
      round.map((batch, index) => testBatch(runtime, batch, index, limitMs)),
    );
    tests.push(...parts.flatMap((part) => part.tests));
    result = parts.reduce((before, { result: part }) => merged(before, part), {
      ...result,
      elapsedMs: 0,
    });
    result = { ...result, elapsedMs: runtimeLimitMs - limitMs + result.elapsedMs };
    if (result.timedOut) break;
  }
  const count = { runtime: runtime.name, passed: 0, failed: 0, skipped: 0 };
  const details: string[] = [];
  for (const test of tests) {
    const line = describe(test, result.output);
    count[line.counts] += 1;
    if (line.text) details.push(line.text);
  }
  for (const stray of runtime.strayFailures(result.output)) {
    count.failed += 1;
    details.push(`FAILED outside a test\n${indent(stray)}`);
  }
  const trouble = explainTrouble(runtime, result, count);
  if (trouble) {
    count.failed += 1;
    details.push(trouble);
  }
  console.log(
    `${summary(count)}  (${files.length} files, ${(result.elapsedMs / 1000).toFixed(1)} s)`,
  );
  for (const detail of details) console.log(indent(detail));
  return count;
}

interface BatchResult {
  readonly tests: TestCase[];
  readonly result: CommandResult;
}

async function testBatch(
  runtime: Runtime,
  files: string[],
  index: number,
  limitMs: number,
): Promise<BatchResult> {
  const reportPath = join(reports, `${runtime.name}-${index}.xml`);
  // Each test file is a process of its own under Node: without a cache each would strip the types of every source again (0.4 s).
  const env = { NO_COLOR: "1", NODE_COMPILE_CACHE: join(reports, "compile-cache") };
  const args = runtime.testArgs(files, reportPath);
  const result = await runCommand(runtime.program, args, { limitMs, env });
  const tests = readReport(runtime, reportPath);
  rmSync(reportPath, { force: true });
  return { tests, result };
}

/** Of two that ran at the same time. */
function merged(one: CommandResult, other: CommandResult): CommandResult {
  return {
    code: one.code === 0 ? other.code : one.code,
    output: one.output + other.output,
    timedOut: one.timedOut || other.timedOut,
    elapsedMs: Math.max(one.elapsedMs, other.elapsedMs),
  };
}

/**
 * Which files run together in one process, and which processes run at the same time. Node sees to that itself. Where all files share a
 * process there are two of them, for the two cores of the machine that decides. Tests of threads come after the others, in a process of
 * their own: threads take memory, which other tests measure, and on Deno one that was terminated in an endless loop goes on with it as
 * long as the process lives.
 */
function roundsOf(runtime: Runtime, files: string[]): string[][][] {
  if (!runtime.sharesProcess) return [[files]];
  const others = files.filter((file) => !threadFiles.test(file));
  // Neighbours are alike, so this gives two halves that take the same time.
  const halves = [0, 1].map((half) => others.filter((_, index) => index % 2 === half));
  const rounds = [halves, [files.filter((file) => threadFiles.test(file))]];
  return rounds
    .map((round) => round.filter((batch) => batch.length > 0))
    .filter((round) => round.length > 0);
}

function readReport(runtime: Runtime, path: string): TestCase[] {
  try {
    return runtime.parseReport(readFileSync(path, "utf8"));
  } catch {
    return []; // The runtime died before it wrote one: explained by its exit code.
  }
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
  if (process.env["CI"] && isMissingTool(reason))
    return { counts: "failed", text: `FAILED ${where}: skipped: ${reason}` };
  return { counts: "skipped", text: `skipped ${where}: ${reason}` };
}

/** What went wrong with a run as a whole, if the tests' own results do not tell. */
function explainTrouble(runtime: Runtime, result: CommandResult, count: Count): string | undefined {
  const tail = result.output.trimEnd().split("\n").slice(-tailLines).join("\n");
  if (result.timedOut) {
    return `FAILED ${runtime.name} hangs: ended after ${runtimeLimitMs / 1000} s. The last it printed:\n${indent(tail)}`;
  }
  if (result.code !== 0 && count.failed === 0)
    return `FAILED ${runtime.name}: exit code ${result.code}\n${indent(result.output)}`;
  if (count.passed + count.failed === 0)
    return `FAILED ${runtime.name} ran no test\n${indent(tail)}`;
  return undefined;
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

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function shortPath(path: string): string {
  return path.replace(`${root}/`, "").replace(/^\.\//, "");
}
