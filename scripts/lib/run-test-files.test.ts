/** On every runtime, what did not pass does not count as passed. */

import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { roundsOf, runTestFiles, type TestFilesRun } from "./run-test-files.ts";
import { type Runtime, runtimes } from "./runtimes.ts";
import { root } from "./workspace.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "arborio-run-")));
after(() => rmSync(folder, { recursive: true, force: true }));

/** JavaScript, so that all of them can run it. */
const HEAD = 'import { test } from "node:test";\nimport process from "node:process";\n';
const FILES = {
  passes: 'test("passes", () => {});',
  fails: 'test("fails", () => { throw new Error("on purpose"); });',
  empty: "export {};",
  broken: 'throw new Error("cannot be loaded");',
  crashes: 'test("crashes", () => process.kill(process.pid, "SIGKILL"));',
  // Some tests have been told by then.
  leaves: `test("slow", () => new Promise((resolve) => setTimeout(resolve, 200)));
test("leaves", () => process.exit(0));
test("never", () => { throw new Error("not reached"); });`,
  hangs: 'test("hangs", () => new Promise((resolve) => setTimeout(resolve, 1e8)));',
} as const;

for (const [name, source] of Object.entries(FILES))
  writeFileSync(join(folder, `${name}.test.mjs`), HEAD + source);

function runOn(
  runtime: Runtime,
  names: readonly (keyof typeof FILES)[],
  limitMs = 60_000,
): Promise<TestFilesRun> {
  const files = names.map((name) => relative(root, join(folder, `${name}.test.mjs`)));
  const own = mkdtempSync(join(folder, "reports-"));
  return runTestFiles(runtime, files, { limitMs, folder: own });
}

/** What failed, tests and the rest. */
function failures({ tests, troubles }: TestFilesRun): string[] {
  const failed = tests.filter(({ outcome }) => outcome === "failed");
  return [...failed.map(({ name, detail }) => `${name}: ${detail}`), ...troubles];
}

for (const runtime of runtimes) {
  // Elsewhere such a process takes all others with it.
  const ends = runtime.sharesProcess ? [] : (["crashes", "leaves"] as const);

  test(`runTestFiles: on ${runtime.name} all that goes wrong in a file is told, and nothing else`, async () => {
    const run = await runOn(runtime, ["passes", "fails", "empty", "broken", ...ends]);
    const told = failures(run);
    assert.match(
      run.tests.map(({ name, outcome }) => `${name}: ${outcome}`).join(),
      /passes: passed/,
    );
    for (const failure of [/fails: .*on purpose/, /empty\.test\.mjs: no test of it ran/, ...ends])
      assert.equal(told.filter((text) => text.search(failure) >= 0).length, 1, told.join("\n"));
    assert.match(told.join("\n"), /cannot be loaded|broken\.test\.mjs: no test of it ran/);
    assert.equal(told.filter((text) => text.includes("passes")).length, 0, told.join("\n"));
  });

  test(`runTestFiles: on ${runtime.name} there is nothing to tell of what passes`, async () => {
    const run = await runOn(runtime, ["passes"]);
    assert.deepEqual(failures(run), []);
    assert.equal(run.tests.length, 1);
  });

  if (runtime.sharesProcess) {
    for (const name of ["crashes", "leaves"] as const) {
      test(`runTestFiles: on ${runtime.name} a process that ${name} is a failure, beside others`, async () => {
        const told = failures(await runOn(runtime, [name, "fails"]));
        const about = told.filter((text) => !/fails: .*on purpose/.test(text)).join("\n");
        assert.match(about, /crashes|leaves|left no report/);
      });
    }
  }

  test(`runTestFiles: on ${runtime.name} a run that takes too long is ended, and is a failure`, async () => {
    const run = await runOn(runtime, ["hangs"], 1_000);
    assert.match(failures(run).join("\n"), /hangs: ended after 1 s\. The last it printed/);
    assert.ok(run.elapsedMs < 30_000);
  });
}

const FILES_OF_ALL_KINDS = ["a", "b", "x/threads/c", "d", "examples/hashing/e", "f"];

test("roundsOf: two processes where all files share one, and those of threads behind them", () => {
  assert.deepEqual(roundsOf({ sharesProcess: true }, FILES_OF_ALL_KINDS), [
    [
      ["a", "d"],
      ["b", "f"],
    ],
    [["x/threads/c", "examples/hashing/e"]],
  ]);
  assert.deepEqual(roundsOf({ sharesProcess: true }, ["a"]), [[["a"]]]);
  assert.deepEqual(roundsOf({ sharesProcess: true }, ["x/threads/a"]), [[["x/threads/a"]]]);
  assert.deepEqual(roundsOf({ sharesProcess: true }, []), []);
});

test("roundsOf: one where each file has a process of its own", () => {
  assert.deepEqual(roundsOf({ sharesProcess: false }, FILES_OF_ALL_KINDS), [[FILES_OF_ALL_KINDS]]);
  assert.deepEqual(roundsOf({ sharesProcess: false }, []), []);
});

/** A runtime that runs a program of ours, told its files and where to leave its report. */
function runtimeOf(program: string): Runtime {
  return {
    ...(runtimes[0] as Runtime),
    name: "fake",
    program: process.execPath,
    sharesProcess: true,
    testArgs: (files, path) => ["-e", program, path, ...files],
    emptyFiles: () => [],
  };
}

const REPORTING = `
  const [path, ...files] = process.argv.slice(1);
  const tests = files.map((name) => ({ name, file: name, line: 0, outcome: "passed", detail: "" }));
  require("node:fs").writeFileSync(path, JSON.stringify(tests));
`;

test("runTestFiles: the tests of all rounds are told, and those of one round do not hide what befell another", async () => {
  const well = await runTestFiles(runtimeOf(REPORTING), FILES_OF_ALL_KINDS, {
    limitMs: 60_000,
    folder,
  });
  assert.deepEqual(well.tests.map(({ name }) => name).sort(), FILES_OF_ALL_KINDS.toSorted());
  assert.deepEqual(well.troubles, []);
  const program = `${REPORTING} console.log("ran " + files); if (files.includes("d")) process.exit(3)`;
  const run = await runTestFiles(runtimeOf(program), FILES_OF_ALL_KINDS, {
    limitMs: 60_000,
    folder,
  });
  assert.deepEqual(run.troubles, ["FAILED fake: exit code 3\n  ran a,d\n"]);
  assert.match(run.output, /ran x\/threads\/c/);
});

test("runTestFiles: all rounds have one limit, and after it no other begins", async () => {
  const program = `${REPORTING} console.log("ran " + files); if (files.includes("a")) setInterval(() => {}, 1000)`;
  const run = await runTestFiles(runtimeOf(program), FILES_OF_ALL_KINDS, {
    limitMs: 1_500,
    folder,
  });
  assert.match(run.troubles.join("\n"), /^FAILED fake hangs: ended after 1\.5 s.*\n  ran a,d/);
  assert.doesNotMatch(run.output, /threads/);
});
