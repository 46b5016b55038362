/**
 * Watches of directories by `node:fs`, which asks the system to tell (inotify on Linux). What Node 22 to 26 and Bun 1.4 do alike:
 *
 * - The directory's own fate is told with its own name, which a file in it may have as well. Then its path is watched anew: that
 *   fails if it has gone.
 * - Bun has one watch for a path, however often it is asked, until the last has closed; also when its directory has gone, and another
 *   one has come. So there is one of each path here too, which is opened anew for all who share it.
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

/** By path. */
const running: Map<string, NodeWatch> = new Map();
const isLookDue: () => boolean = countHints();

/** Watches a directory. */
export function watchDirectory(
  path: string,
  told: WatchListener,
  completion: Completion<WatchHandle>,
): Withdraw {
  let handle: WatchHandle | null = null;
  let isWithdrawn = false;
  queueMicrotask(() => {
    if (isWithdrawn) return;
    try {
      handle = listen(path, told);
    } catch (error) {
      completion.fail(toWatchError(path, error));
      return;
    }
    completion.succeed(handle);
  });
  return () => {
    isWithdrawn = true;
    handle?.close();
  };
}

function listen(path: string, told: WatchListener): WatchHandle {
  running.get(path)?.failIfReplaced();
  const watch = running.get(path) ?? new NodeWatch(path);
  // Its own, since somebody may watch a directory twice with one listener.
  const own: WatchListener = {
    changed: (name) => told.changed(name),
    failed: (error) => told.failed(error),
  };
  watch.listeners.add(own);
  return {
    close() {
      if (watch.listeners.delete(own) && watch.listeners.size === 0) watch.close();
    },
  };
}

class NodeWatch {
  readonly listeners: Set<WatchListener> = new Set();
  readonly #path: string;
  readonly #name: string;
  #watcher: FSWatcher | null = null;
  /** Which directory it is: another one may come to its path. */
  #identity = "";

  /** Throws what the runtime does if it cannot be watched. */
  constructor(path: string) {
    this.#path = path;
    this.#name = path.replace(/\/+$/, "").replace(/^.*\//s, "");
    this.#open();
  }

  #open(): void {
    const watcher = outsideContext(() =>
      fs().watch(this.#path, { persistent: false }, (_event, name) => {
        if (watcher === this.#watcher) this.#happened(name);
      }),
    );
    this.#watcher = watcher;
    running.set(this.#path, this);
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
    if (running.get(this.#path) === this) running.delete(this.#path);
    this.#watcher?.close();
    this.#watcher = null;
  }

  #happened(name: string | null): void {
    if (name === this.#name) this.#watchAnew();
    else this.#changed(name);
    if (isLookDue()) for (const watch of running.values()) watch.#changed(null);
  }

  #changed(name: string | null): void {
    for (const listener of this.listeners) listener.changed(name);
  }

  #watchAnew(): void {
    const identity = this.#identity;
    this.close();
    try {
      this.#open();
      if (this.#identity !== identity) throw missing();
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#changed(null);
  }

  /** Ends it if another directory has come to its path, which the system has not told yet. */
  failIfReplaced(): void {
    try {
      if (identityOf(this.#path) !== this.#identity) throw missing();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const listeners = [...this.listeners];
    this.listeners.clear();
    this.close();
    for (const listener of listeners) listener.failed(toWatchError(this.#path, error));
  }
}

function missing(): Error {
  return Object.assign(new Error("the directory has gone"), { code: "ENOENT" });
}

function identityOf(path: string): string {
  const { dev, ino } = fs().statSync(path);
  return `${dev} ${ino}`;
}
