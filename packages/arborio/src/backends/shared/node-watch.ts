/**
 * Watches of directories by `node:fs`, which asks the system to tell (inotify on Linux). What Node 22 to 26 and Bun 1.3 do alike:
 *
 * - The directory's own fate is told with its own name, which a file in it may have as well. Then its path is watched anew: that
 *   fails if it has gone.
 * - Lost hints are not told (see `countHints`).
 */
import type { FSWatcher } from "node:fs";
import type { WatchHandle, WatchListener } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { countHints } from "./lost-hints.ts";
import { toWatchError } from "./watch-error.ts";

const fs = lazily("node:fs");

const watches: Set<NodeWatch> = new Set();
const isLookDue: () => boolean = countHints();

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
    if (isLookDue()) for (const watch of watches) watch.told.changed(null);
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
