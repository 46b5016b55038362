/** That threads do not keep a program alive which has ended, and that one which waits for a thread has not. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CancelScope, run, sleep } from "../index.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import { moduleAt, runInThread, workerStatistics } from "../threads.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;
/** Which program this file is, when it is started as one. */
const PROGRAM = "ARBORIO_TEST_PROGRAM";
/** Well below the time for which idle threads are kept. */
const LEFT_MS_MAX = 8000;
/** What a thread writes: more than any buffer on the way holds. */
const LINE: string = "from the thread ".repeat(10);
const LINES = 5000;
const CONDITIONS = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
const work = moduleAt<typeof workKit>(workKit.url);

const programs: Readonly<Record<string, () => Promise<void>>> = {
  async idle() {
    await run(() => runInThread(work, "nothing"));
    sayWhenLeft();
  },
  async abandoned() {
    await run(abandon);
    sayWhenLeft();
  },
  async abandonedOutside() {
    await abandon();
    sayWhenLeft();
  },
  async outside() {
    console.log(await runInThread(work, "later", { args: ["waited for"] }));
    sayWhenLeft();
  },
  async floating() {
    await run(async (group) => {
      for (let i = 0; i < 3; i++) {
        const place = new Int32Array(new SharedArrayBuffer(4));
        const task = group.startSoon(() =>
          runInThread(work, "floatWhenCancelled", { args: [place] }),
        );
        while (Atomics.load(place, 0) !== 1) await sleep(1);
        task.cancel();
        await task.wait();
      }
      console.log(await runInThread(work, "later", { args: ["the thread lives"] }));
      console.log(workerStatistics("thread").crashed);
    });
    sayWhenLeft();
  },
  async output() {
    await run(() => runInThread(work, "say", { args: [LINE, LINES] }));
    sayWhenLeft();
  },
};

/** Leaves a thread in a loop that never ends. */
async function abandon(): Promise<void> {
  const place = new Int32Array(new SharedArrayBuffer(4));
  const scope = new CancelScope();
  const call = scope.run(() =>
    runInThread(work, "holdOut", { args: [place], abandonOnCancel: true }),
  );
  while (Atomics.load(place, 0) !== 1) await sleep(1);
  scope.cancel();
  await call;
}

function sayWhenLeft(): void {
  const ended = performance.now();
  process.on("exit", () => console.log(`left ${performance.now() - ended < LEFT_MS_MAX}`));
}

const program = process.env[PROGRAM];
if (program === undefined) {
  leaves("run: idle threads do not keep the program alive", "idle", "left true\n");
  leaves("run: an abandoned thread does not keep it alive", "abandoned", "left true\n");
  leaves("runInThread: nor does it outside of runs", "abandonedOutside", "left true\n");
  leaves(
    "runInThread: outside of runs, a call keeps it alive",
    "outside",
    "waited for\nleft true\n",
  );
  // In a program of its own: the test runner of Bun 1.4.5 takes rejections in threads for its own.
  leaves(
    "runInThread: cancelled promises that nobody awaits do no harm to the thread",
    "floating",
    "the thread lives\n0\nleft true\n",
  );
  const said = `${LINE}\n`.repeat(LINES);
  leaves("what a thread writes is not lost", "output", `${said}left true\n`, "and an error\n");
  const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;
  testIf(isNode, "only Node has a flag for the language of a program that is text")(
    "runInThread: works in a program that is text on the command line",
    async () => {
      const text = `await import(${JSON.stringify(import.meta.url)});`;
      const args = [...CONDITIONS, "--input-type=module", "--eval", text];
      const printed = await printedBy("outside", args);
      assert.deepEqual(printed, { stdout: "waited for\nleft true\n", stderr: "" });
    },
  );
} else await programs[program]?.();

function leaves(title: string, name: string, output: string, errors = ""): void {
  test(title, { timeout: TEST_MS_MAX }, async () => {
    const isDeno = process.versions["deno"] !== undefined;
    const start = isDeno ? ["run", "-A", "--no-check"] : [];
    const printed = await printedBy(name, [
      ...start,
      ...CONDITIONS,
      fileURLToPath(import.meta.url),
    ]);
    assert.deepEqual(printed, { stdout: output, stderr: errors });
  });
}

/** What one of the programs prints. */
function printedBy(
  name: string,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, [PROGRAM]: name, NODE_TEST_CONTEXT: undefined };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 10_000_000 }, (_error, stdout, stderr) => {
      resolve({ stdout, stderr });
    });
  });
}
