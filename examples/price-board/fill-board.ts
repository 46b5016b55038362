/**
 * The heart of the demo: asks all sources at once, so many at a time, until all have answered or the board's time is over.
 *
 *     fillBoard                  the board's deadline
 *     └─ task group              one failure ends all of it
 *        ├─ body                 takes answers from the channel, as they come
 *        ├─ "ask all"            starts a task per source when a slot is free
 *        ├─ "alder", "aspen", …  each fetches one price and sends it into the channel
 *        └─ "watch" (daemon)     draws progress, keeps the task tree at its busiest
 */

import {
  createChannel,
  currentScope,
  type ExceptionGroup,
  matchErrors,
  moveOnAfter,
  Semaphore,
  type SendChannel,
  sleep,
  soft,
  type TaskGroup,
  taskGroup,
} from "arborio";
import type { Board } from "./board.ts";
import type { Entry } from "./entry.ts";
import { fetchPrice, type FetchSettings, NoPriceError } from "./fetch-price.ts";
import type { Progress } from "./progress.ts";

export interface BoardSettings extends FetchSettings {
  readonly concurrency: number;
  readonly deadlineMs: number;
  /** Whether a refusal ends the board. */
  readonly fatal: boolean;
  readonly progress: Progress;
}

/** A source refused us, and would refuse the others too. */
class FatalRefusalError extends Error {}

/** Often enough to look alive. */
const WATCH_EVERY_MS = 50;

/**
 * Fills `board`. Afterwards every entry has a price or a reason; only if this is cancelled from outside, some may still lack
 * both. Nothing that was started here is still running then, either way.
 */
export async function fillBoard(board: Board, settings: BoardSettings): Promise<void> {
  board.begin();
  const endFatally = (refusals: ExceptionGroup): void =>
    board.end("fatal", refusals.leaves().map(messageOf).join("; "));
  const inTime = await moveOnAfter(settings.deadlineMs, async () => {
    // What else goes wrong is a bug, and comes out of here.
    await matchErrors(
      () => taskGroup((group) => collect(group, board, settings)),
      [[FatalRefusalError, endFatally]],
    );
    return true;
  });
  if (inTime === undefined) board.end("deadline", `board deadline of ${settings.deadlineMs} ms`);
  if (currentScope().shuttingDown) board.end("interrupted", "interrupted");
  board.end("complete", "");
}

/** Body of the group: the consumer. Its loop ends when the last sender is closed. */
async function collect(group: TaskGroup, board: Board, settings: BoardSettings): Promise<void> {
  group.startSoon(() => watch(board, settings.progress), { name: "watch", daemon: true });
  // A rendezvous: an answer is handed over, never stored.
  const [send, receive] = createChannel<Entry>(0);
  group.startSoon(() => askAll(group, board, send, settings), { name: "ask all" });
  for await (const entry of receive) {
    settings.progress.settled(entry);
    if (settings.fatal && entry.state === "refused")
      throw new FatalRefusalError(`${entry.source.name} refused us`);
  }
}

/** The producer: a task per source, as soon as a slot is free. */
async function askAll(
  group: TaskGroup,
  board: Board,
  send: SendChannel<Entry>,
  settings: BoardSettings,
): Promise<void> {
  using _ours = send;
  // Not a `CapacityLimiter`: who takes a slot is not who gives it back.
  const slots = new Semaphore(settings.concurrency);
  // Soft: when Ctrl-C asks the run to end, no further request begins, and those in flight have the grace.
  await soft(async () => {
    for (const entry of board.entries) {
      const slot = await slots.acquire();
      const ownSend = send.clone();
      // From acquiring to here nothing waits, and a task always begins, so slot and sender find their owner.
      group.startSoon(
        async () => {
          using _slot = slot;
          using sender = ownSend;
          await ask(entry, board, settings);
          await sender.send(entry);
        },
        { name: entry.source.name },
      );
    }
  });
}

/** Fetches one price. A source without a price is a result like any other; only what nobody expects is an error. */
async function ask(entry: Entry, board: Board, settings: BoardSettings): Promise<void> {
  entry.state = "asking";
  entry.beganMs = board.clockMs;
  try {
    entry.price = await fetchPrice(entry, settings);
    entry.state = "price";
  } catch (error) {
    if (!(error instanceof NoPriceError)) throw error;
    entry.state = error.state;
    entry.why = error.message;
  }
  entry.endedMs = board.clockMs;
}

/** A daemon: it would go on for ever, and ends with its group. */
async function watch(board: Board, progress: Progress): Promise<never> {
  for (;;) {
    board.observe();
    progress.draw(board);
    await sleep(WATCH_EVERY_MS);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
