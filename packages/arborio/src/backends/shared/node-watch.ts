/**
 * Watches of directories by `node:fs`, which asks the system to tell (inotify on Linux). What Node 22 to 26 and Bun 1.3 do alike:
 *
 * - The directory's own fate is told with its own name, which a file in it may have as well. Then its path is watched anew: that
 *   fails if it has gone.
 * - The system's queue is limited, and what comes while it is full is lost; neither runtime tells. But each of those that filled it
 *   is told afterwards: so now and then everybody looks at everything.
 */
import type { FSWatcher } from "node:fs";
import type { WatchHandle, WatchListener } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { toWatchError } from "./watch-error.ts";

const fs = lazily("node:fs");

/** A quarter of what fits into the system's queue (`fs.inotify.max_queued_events`), so that after a loss one of these comes for certain. */
const HINTS_BETWEEN_LOOKS = 4096;

const watches: Set<NodeWatch> = new Set();
let hints = 0;

function countHint(): void {
  hints += 1;
  if (hints % HINTS_BETWEEN_LOOKS !== 0) return;
  for (const watch of watches) watch.told.changed(null);
}

/** Watches a directory. */
export function watchDirectory(
  path: string,
  told: WatchListener,
  completion: Completion<WatchHandle>,
): Withdraw {
  const watch = new NodeWatch(path, told);
  let isWithdrawn = false;
  try {
    watch.open();
    queueMicrotask(() => {
      if (!isWithdrawn) completion.succeed(watch);
    });
  } catch (error) {
    queueMicrotask(() => {
      if (!isWithdrawn) completion.fail(toWatchError(path, error));
    });
  }
  return () => {
    isWithdrawn = true;
    watch.close();
  };
}

class NodeWatch implements WatchHandle {
  readonly told: WatchListener;
  readonly #path: string;
  readonly #name: string;
  #watcher: FSWatcher | null = null;
  /** Which directory it is: another one may come to its path. */
  #identity = "";

  constructor(path: string, told: WatchListener) {
    this.#path = path;
    this.#name = path.replace(/\/+$/, "").replace(/^.*\//s, "");
    this.told = told;
  }

  open(): void {
    const watcher = outsideContext(() =>
      fs().watch(this.#path, { persistent: false }, (_event, name) => {
        if (watcher === this.#watcher) this.#changed(name);
      }),
    );
    this.#watcher = watcher;
    watches.add(this);
    watcher.on("error", (error) => {
      if (watcher === this.#watcher) this.#failed(error);
    });
    try {
      this.#identity = identityOf(this.#path);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    watches.delete(this);
    this.#watcher?.close();
    this.#watcher = null;
  }

  #changed(name: string | null): void {
    if (name === this.#name) this.#watchAnew();
    else this.told.changed(name);
    countHint();
  }

  #watchAnew(): void {
    const identity = this.#identity;
    this.close();
    try {
      this.open();
      if (this.#identity !== identity)
        throw Object.assign(new Error("another"), { code: "ENOENT" });
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.told.changed(null);
  }

  #failed(error: unknown): void {
    this.close();
    this.told.failed(toWatchError(this.#path, error));
  }
}

function identityOf(path: string): string {
  const { dev, ino } = fs().statSync(path);
  return `${dev} ${ino}`;
}
