/** From sources to what is printed: runs the board under Ctrl-C, with a client of its own. */

import process from "node:process";
import { styleText } from "node:util";
import { InterruptedError, run } from "arborio";
import { openHttpClient } from "@arborio/http";
import { Board } from "./board.ts";
import { fillBoard } from "./fill-board.ts";
import type { Options } from "./options.ts";
import { LiveProgress, PlainProgress, type Progress } from "./progress.ts";
import { type Paint, renderJson, renderText } from "./report.ts";
import { FirstSignal } from "./signals.ts";
import type { Source } from "./source-list.ts";
import { LoopbackSources } from "./sources.ts";

/** How long requests in flight may go on after the first Ctrl-C. */
const GRACE_MS = 3000;

const STOPPING = `Stopping: requests in flight have ${GRACE_MS / 1000} s to end; Ctrl-C once more stops at once`;

/** Fills a board from the demo's own sources, prints it, and returns the exit code. */
export async function showDemo(options: Options): Promise<number> {
  // Opened before the run and closed after it: the sources stand for programs that are not ours.
  await using sources = await LoopbackSources.open();
  return await showBoard(options, sources.list);
}

/** Fills a board, prints it, and returns the exit code. */
export async function showBoard(options: Options, sources: readonly Source[]): Promise<number> {
  const board = new Board(sources);
  const progress = createProgress(options);
  using signal = new FirstSignal(() => progress.notice(STOPPING));
  try {
    // The first signal asks the run to end, and cancels it when the grace is over; a second one cancels it at once.
    await run(() => ask(board, options, progress), { name: "price board", graceMs: GRACE_MS });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    board.end("interrupted", "interrupted");
  } finally {
    progress.end();
  }
  process.stdout.write(options.json ? renderJson(board) : renderText(board, paint));
  return signal.exitCode ?? (board.ending === "fatal" || board.count("price") === 0 ? 1 : 0);
}

async function ask(board: Board, options: Options, progress: Progress): Promise<void> {
  const { concurrency } = options;
  await using client = openHttpClient({
    limits: { connectionsMax: concurrency, originConnectionsMax: concurrency },
    // There is one for each request, `--timeout`.
    timeouts: { connectMs: Infinity, headMs: Infinity, bodyMs: Infinity },
  });
  await fillBoard(board, { ...options, client, progress });
}

function createProgress(options: Options): Progress {
  const { stdout, stderr } = process;
  if (stdout.isTTY && !options.json && process.env["TERM"] !== "dumb")
    return new LiveProgress(stdout, options.deadlineMs);
  return new PlainProgress(
    (line) => (options.json ? undefined : stdout.write(`${line}\n`)),
    (notice) => stderr.write(`${notice}\n`),
  );
}

/** Styles only if stdout is a terminal, and never under NO_COLOR. */
function paint(...[style, text]: Parameters<Paint>): string {
  return styleText(style, text, { stream: process.stdout });
}
