import type { WatchHandle, WatchListener } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { outsideContext } from "../shared/ambient.ts";
import { watchDirectory as watchByNode } from "../shared/node-watch.ts";

/**
 * Bun 1.3 and 1.4 do not tell of a change that follows another one of the same name within a millisecond, although that one was told
 * already and somebody may have looked in between. So each hint is given once more, after one to two times this many milliseconds.
 */
const AGAIN_MS = 2;

/** Watches a directory by `node:fs`, and gives each hint twice. */
export function watchDirectory(
  path: string,
  told: WatchListener,
  completion: Completion<WatchHandle>,
): Withdraw {
  const hints = new RepeatedHints(told);
  const withdraw = watchByNode(path, hints, {
    succeed: (handle) =>
      completion.succeed({
        close() {
          hints.end();
          handle.close();
        },
      }),
    fail: (error) => completion.fail(error),
  });
  return () => {
    hints.end();
    withdraw();
  };
}

class RepeatedHints implements WatchListener {
  readonly #told: WatchListener;
  /** One of each name: what came since the timer was set, and before. */
  #recent: Set<string | null> = new Set();
  #earlier: Set<string | null> = new Set();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isOver = false;

  constructor(told: WatchListener) {
    this.#told = told;
  }

  changed(name: string | null): void {
    this.#recent.add(name);
    this.#timer ??= this.#startTimer();
    this.#told.changed(name);
  }

  failed(error: Error): void {
    this.end();
    this.#told.failed(error);
  }

  end(): void {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #startTimer(): ReturnType<typeof setTimeout> {
    const timer = outsideContext(() => setTimeout(() => this.#tellAgain(), AGAIN_MS));
    timer.unref();
    return timer;
  }

  #tellAgain(): void {
    const due = this.#earlier;
    this.#earlier = this.#recent;
    this.#recent = new Set();
    this.#timer = this.#earlier.size > 0 ? this.#startTimer() : null;
    for (const name of due) if (!this.#isOver) this.#told.changed(name);
  }
}
