/** SHA-256 of files and trees of files: `node main.ts PATH …`. See README.md beside it. */
import process from "node:process";
import { parseArgs } from "node:util";
import {
  BrokenResourceError,
  createChannel,
  now,
  type ReceiveChannel,
  run,
  sleep,
  taskGroup,
} from "arborio";
import { standardOutput } from "arborio/process";
import { currentDefaultThreadLimiter } from "arborio/threads";
import { checksumLine } from "./checksum-line.ts";
import { hashFiles } from "./hash-files.ts";
import { Progress } from "./progress.ts";

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 200;
/** So many lines may wait to be written. */
const LINES_MAX = 64;
/** Erases the line of a terminal. */
const ERASE = "\r\u001B[K";

const { values, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: "string" }, progress: { type: "boolean" } },
});
const showsProgress = values.progress ?? (process.stderr.isTTY && !process.stdout.isTTY);

if (paths.length === 0 || !/^([1-9]\d{0,2})?$/.test(values.threads ?? "")) {
  console.error("Usage: main.ts [--threads N] [--progress] PATH …");
  process.exitCode = 2;
} else if (!(await run(main))) process.exitCode = 1;

/** Whether all could be read. */
async function main(): Promise<boolean> {
  const threads = Number(values.threads ?? currentDefaultThreadLimiter().totalTokens);
  const progress = new Progress();
  const [sender, receiver] = createChannel<string>(LINES_MAX);
  let isComplete = true;
  const hash = async (): Promise<void> => {
    using lines = sender;
    await hashFiles(paths, {
      threads,
      progress,
      emit: (path, digest) => lines.send(checksumLine(path, digest)),
      refused(path, reason) {
        isComplete = false;
        console.error(`${showsProgress ? ERASE : ""}hashing: ${path}: ${reason}`);
      },
    });
  };
  await taskGroup(async (group) => {
    // When all is printed, or nobody reads any more, there is nothing left to do.
    group.startSoon(hash, { daemon: true });
    if (showsProgress) group.startSoon(() => report(progress), { daemon: true });
    await print(receiver);
  });
  return isComplete;
}

async function print(lines: ReceiveChannel<string>): Promise<void> {
  const encoder = new TextEncoder();
  const output = standardOutput();
  try {
    for await (const line of lines) await output.send(encoder.encode(line));
  } catch (error) {
    if (!(error instanceof BrokenResourceError)) throw error;
  }
}

async function report(progress: Progress): Promise<void> {
  const began = now();
  const show = (): void => void process.stderr.write(`${ERASE}${progress.describe(now() - began)}`);
  try {
    for (;;) {
      show();
      await sleep(PROGRESS_MS);
    }
  } finally {
    show();
    process.stderr.write("\n");
  }
}
