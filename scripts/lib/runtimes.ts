/** The runtimes of the test matrix: where each is installed, and how it runs a list of test files. */

import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseJunit } from "./junit.ts";
import type { TestCase } from "./test-case.ts";
import { root } from "./workspace.ts";

/** A runtime that runs the tests. */
export interface Runtime {
  readonly name: string;
  /** Path of its executable. */
  readonly program: string;
  /** Whether it runs TypeScript sources; otherwise it gets the tests compiled. */
  readonly fromSource: boolean;
  /** Whether all test files run in one process. */
  readonly sharesProcess: boolean;
  /** Arguments that run a script (its path follows), from source where it can. */
  readonly scriptArgs: readonly string[];
  /** Arguments that run test files and leave a report. */
  testArgs(files: readonly string[], reportPath: string): string[];
  /** Reads that report. */
  parseReport(text: string): TestCase[];
  /** Failures that are in no report, only in what the runtime printed. */
  strayFailures(output: string): string[];
  /** The files of which no test ran, not even one that was skipped, by what was reported and printed. */
  emptyFiles(files: readonly string[], tests: readonly TestCase[], output: string): string[];
}

/** Each test file is a process of its own under Node; the machine that decides has two cores. */
const concurrency = 2;

/** For all tests of one runtime, in milliseconds. On a quiet machine of two cores the slowest takes about three fifths of it. */
export const runtimeLimitMs = 480_000;

/** For one test; a hanging one is named. Real waits in tests are far below. */
const testLimitMs = 60_000;

const installed = join(root, "runtimes/node_modules");
const nodeReporter = pathToFileURL(join(import.meta.dirname, "node-reporter.ts")).href;
const sourceCondition = "--conditions=@arborio/source";

/** All runtimes, in the order they run. */
export const runtimes: readonly Runtime[] = [
  nodeRuntime("node-26", join(root, "node_modules/node/bin/node"), true),
  nodeRuntime("node-24", join(installed, "node-24/bin/node"), true),
  // Node 22 cannot parse `using`.
  nodeRuntime("node-22", join(installed, "node-22/bin/node"), false),
  {
    name: "bun",
    program: join(installed, ".bin/bun"),
    fromSource: true,
    sharesProcess: true,
    scriptArgs: [sourceCondition],
    testArgs: (files, reportPath) => [
      "test",
      sourceCondition,
      `--timeout=${testLimitMs}`,
      "--reporter=junit",
      `--reporter-outfile=${reportPath}`,
      ...files.map((file) => `./${file}`),
    ],
    parseReport: parseJunit,
    // A hook that throws, a file that cannot be loaded, an error after its test.
    strayFailures: (output) => {
      const blocks = output.matchAll(/^# Unhandled error between tests\n-+\n([^]*?)\n-{5,}$/gm);
      return [...blocks].map(([, block = ""]) => block);
    },
    emptyFiles(files, tests) {
      const seen = new Set(tests.map(({ file }) => resolve(root, file)));
      return files.filter((file) => !seen.has(resolve(root, file)));
    },
  },
  {
    name: "deno",
    program: join(installed, ".bin/deno"),
    fromSource: true,
    sharesProcess: true,
    scriptArgs: ["run", "-A", "--no-check", sourceCondition],
    testArgs: (files, reportPath) => [
      "test",
      "--allow-all",
      "--no-check", // tsc checks types, once
      "--no-lock",
      sourceCondition,
      `--junit-path=${reportPath}`,
      ...files,
    ],
    parseReport: parseJunit,
    strayFailures: () => [],
    // Its report tells where `test` was called: in a helper, perhaps.
    emptyFiles(files, _tests, output) {
      const lines = output.matchAll(/running [1-9]\d* tests? from (.*)$/gm);
      const seen = new Set([...lines].map(([, file = ""]) => resolve(root, file)));
      return files.filter((file) => !seen.has(resolve(root, file)));
    },
  },
];

function nodeRuntime(name: string, program: string, fromSource: boolean): Runtime {
  const conditions = fromSource ? [sourceCondition] : [];
  return {
    name,
    program,
    fromSource,
    sharesProcess: false,
    scriptArgs: conditions,
    testArgs: (files, reportPath) => [
      ...conditions,
      "--test",
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${testLimitMs}`,
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      `--test-reporter=${nodeReporter}`,
      `--test-reporter-destination=${reportPath}`,
      ...files,
    ],
    parseReport: (text) => JSON.parse(text) as TestCase[],
    strayFailures: () => [],
    // The reporter tells them as failed tests.
    emptyFiles: () => [],
  };
}
