/**
 * That a worker which wants more memory than there is fails its call alone. The program that calls it is in this file too: it starts itself
 * with a limit of memory, which its workers have as well.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { run } from "../index.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import { BrokenWorkerError, runInProcess, runInThread } from "../threads.ts";
import * as workKit from "./work.test.kit.ts";

/** Which program this file is, when it is started as one. */
const PROGRAM = "ARBORIO_TEST_PROGRAM";
const LIMIT = "--max-old-space-size=64";
const CONDITIONS = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];

const calls = { runInThread, runInProcess };

const program = process.env[PROGRAM];
if (program === undefined) {
  for (const [name, end] of [
    ["runInThread", "1, undefined, ERR_WORKER_OUT_OF_MEMORY"],
    ["runInProcess", "undefined, SIGABRT, undefined"],
  ] as const) {
    const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;
    testIf(isNode, "only Node has a limit of memory for threads, and gives it to processes")(
      `${name}: a worker that wants too much memory fails its call, and is replaced`,
      async () => assert.equal(await printedBy(name), `BrokenWorkerError, ${end}\n3\n`),
    );
  }
} else {
  const call = calls[program as keyof typeof calls];
  await run(async () => {
    const error: unknown = await call(workKit.url, "fillMemory").catch((thrown: unknown) => thrown);
    assert.ok(error instanceof BrokenWorkerError);
    const { name, exitCode, signal, cause } = error;
    console.log(
      [name, exitCode, signal, (cause as { code?: string } | undefined)?.code]
        .map(String)
        .join(", "),
    );
    console.log(await call(workKit.url, "add", { args: [1, 2] }));
  });
}

/** What the program prints; the runtime tells on standard error what it has died of. */
function printedBy(name: string): Promise<string> {
  const env = { ...process.env, [PROGRAM]: name, NODE_TEST_CONTEXT: undefined };
  const args = [LIMIT, ...CONDITIONS, fileURLToPath(import.meta.url)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 10_000_000 }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}
