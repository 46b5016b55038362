/** Follows many files: `node main.ts -n 10 FILE …`. See README.md beside it. */
import process from "node:process";
import { parseArgs } from "node:util";
import { createChannel, run } from "arborio";
import { standardOutput } from "arborio/process";
import { type Chunk, followFiles } from "./follow-files.ts";
import { printChunks } from "./print-chunks.ts";

/** So many chunks of at most 64 KiB, or one line, may wait to be printed. */
const WAITING_MAX = 16;

const { values, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: { lines: { type: "string", short: "n", default: "10" } },
});

if (paths.length === 0 || !/^\d+$/.test(values.lines)) {
  console.error("Usage: main.ts [--lines N] FILE …");
  process.exitCode = 2;
} else {
  await run(async (group) => {
    const [sender, receiver] = createChannel<Chunk>(WAITING_MAX);
    const note = (path: string, text: string): void => console.error(`tail: ${path}: ${text}`);
    const lastLines = Number(values.lines);
    group.startSoon(() => followFiles(paths, { lastLines, sender, note }), { daemon: true });
    await printChunks(receiver, standardOutput(), paths.length > 1);
  });
}
