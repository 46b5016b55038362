/**
 * Runs test files on one runtime, and says what came of all of them: of each test, and of what no test tells. A file that cannot be
 * loaded, a process that dies, or leaves in the middle as if nothing were wrong, a file without a test: none of them counts as passed.
 */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand, type CommandResult } from "./command.ts";
import type { Runtime } from "./runtimes.ts";
import type { TestCase } from "./test-case.ts";

/** How long, and where. */
export interface RunTestFilesOptions {
  /** For all files together, in milliseconds. */
  readonly limitMs: number;
  /** A folder for reports and caches. */
  readonly folder: string;
}

/** What came of it. */
export interface TestFilesRun {
  readonly tests: readonly TestCase[];
  /** What went wrong and is no test's failure, a text for each. */
  readonly troubles: readonly string[];
  /** What was printed. */
  readonly output: string;
  readonly elapsedMs: number;
}

/** Files of tests that start threads on the host. */
const threadFiles = /\/threads\/|\/hashing\/|\/gaps\.test\.|\/worker-?process/;

/** How much of a hanging runtime's output is shown. */
const tailLines = 30;

/** Runs them all, in rounds, until the time is over. */
export async function runTestFiles(
  runtime: Runtime,
  files: readonly string[],
  { limitMs, folder }: RunTestFilesOptions,
): Promise<TestFilesRun> {
  const tests: TestCase[] = [];
  const troubles: string[] = [];
  let output = "";
  let elapsedMs = 0;
  for (const round of roundsOf(runtime, files)) {
    const leftMs = limitMs - elapsedMs;
    const batches = await Promise.all(
      round.map((batch, index) => runBatch(runtime, batch, leftMs, join(folder, `${index}.xml`))),
    );
    for (const batch of batches) {
      tests.push(...batch.tests);
      troubles.push(...explainTroubles(runtime, batch, limitMs));
      output += batch.result.output;
    }
    elapsedMs += Math.max(...batches.map(({ result }) => result.elapsedMs));
    if (batches.some(({ result }) => result.timedOut)) break;
  }
  return { tests, troubles, output, elapsedMs };
}

/**
 * Which files run together in one process, and which processes run at the same time. Node sees to that itself. Where all files share a
 * process there are two of them, for the two cores of the machine that decides. Tests of threads come after the others, in a process of
 * their own: threads take memory, which other tests measure, and on Deno one that was terminated in an endless loop goes on with it as
 * long as the process lives.
 */
export function roundsOf(
  { sharesProcess }: Pick<Runtime, "sharesProcess">,
  files: readonly string[],
): string[][][] {
  if (!sharesProcess) return files.length > 0 ? [[[...files]]] : [];
  const others = files.filter((file) => !threadFiles.test(file));
  // Neighbours are alike, so this gives two halves that take the same time.
  const halves = [0, 1].map((half) => others.filter((_, index) => index % 2 === half));
  const rounds = [halves, [files.filter((file) => threadFiles.test(file))]];
  return rounds
    .map((round) => round.filter((batch) => batch.length > 0))
    .filter((round) => round.length > 0);
}

interface Batch {
  readonly files: readonly string[];
  readonly tests: readonly TestCase[];
  readonly hasReport: boolean;
  readonly result: CommandResult;
}

async function runBatch(
  runtime: Runtime,
  files: readonly string[],
  limitMs: number,
  reportPath: string,
): Promise<Batch> {
  const env = {
    NO_COLOR: "1",
    // Each test file is a process of its own under Node: without a cache each would strip the types of every source again (0.4 s).
    NODE_COMPILE_CACHE: join(reportPath, "../compile-cache"),
    // Inside of a test Node would run no files.
    NODE_TEST_CONTEXT: undefined,
  };
  const args = runtime.testArgs(files, reportPath);
  const result = await runCommand(runtime.program, args, { limitMs, env });
  const tests = readReport(runtime, reportPath);
  rmSync(reportPath, { force: true });
  return { files, tests: tests ?? [], hasReport: tests !== null, result };
}

/** `null`: there is none, or half of one. */
function readReport(runtime: Runtime, path: string): TestCase[] | null {
  try {
    return runtime.parseReport(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function explainTroubles(runtime: Runtime, batch: Batch, limitMs: number): string[] {
  const { files, tests, hasReport, result } = batch;
  const { output } = result;
  const strays = runtime
    .strayFailures(output)
    .map((stray) => `FAILED outside a test\n${indent(stray)}`);
  const tail = indent(output.trimEnd().split("\n").slice(-tailLines).join("\n"));
  if (result.timedOut) {
    const hangs = `hangs: ended after ${limitMs / 1000} s. The last it printed:`;
    return [...strays, `FAILED ${runtime.name} ${hangs}\n${tail}`];
  }
  if (!hasReport) {
    const left = `left no report, with exit code ${result.code}: a test ended its process?`;
    return [...strays, `FAILED ${runtime.name} ${left} The last it printed:\n${tail}`];
  }
  const empty = runtime
    .emptyFiles(files, tests, output)
    .map((file) => `FAILED ${file}: no test of it ran`);
  const isExplained =
    strays.length + empty.length > 0 || tests.some(({ outcome }) => outcome === "failed");
  if (result.code === 0 || isExplained) return [...strays, ...empty];
  return [`FAILED ${runtime.name}: exit code ${result.code}\n${indent(output)}`];
}

/** Two blanks before each line that has something. */
export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
