/**
 * Watches of directories by `Deno.watchFs`: one for each path, shared by all who watch it. What makes it more than a call (Deno 2.9.5):
 *
 * - When a directory goes, the system gives up its watch, but Deno keeps the path until the last who watched it has closed; whoever
 *   watches the new directory at that path before that is told nothing. So a watch whose directory has gone ends for all at once, and
 *   the next one waits until it has ended.
 * - Changes of links that lead out of the directory are not told: Deno looks where the link leads, and finds nobody who watches there.
 *   So now and then the directory's own time is looked at, which changes with the names in it.
 * - What happens in directories below it is told too, if anybody watches those.
 *
 * Its weak point: while a watch is open, the process does not end by itself.
 */
import type { Stats } from "node:fs";
import type { WatchHandle, WatchListener } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { outsideContext } from "../shared/ambient.ts";
import { lazily } from "../shared/builtin.ts";
import { countHints } from "../shared/lost-hints.ts";
import { toWatchError } from "../shared/watch-error.ts";

const fs = lazily("node:fs");

/** Milliseconds between two looks at the times of directories. A look at a thousand of them takes a few milliseconds. */
const LOOK_MS = 1000;

interface FsEvent {
  readonly kind: string;
  readonly paths: readonly string[];
  /** Events were lost. */
  readonly flag?: "rescan";
}

interface FsWatcher extends AsyncIterable<FsEvent> {
  close(): void;
}

interface DenoWatching {
  watchFs(path: string, options: { recursive: boolean }): FsWatcher;
}

/** What happens to a directory itself after which it is not what it was. */
const OWN_ENDS: ReadonlySet<string> = new Set(["create", "remove", "rename"]);

/** By real path: those that run, and those that are ending. */
const running: Map<string, DenoWatch> = new Map();
const ending: Map<string, Promise<void>> = new Map();

const isLookDue: () => boolean = countHints();
let looking: NodeJS.Timeout | null = null;

/** Watches a directory. */
export function watchDirectory(
  path: string,
  told: WatchListener,
  completion: Completion<WatchHandle>,
): Withdraw {
  let handle: WatchHandle | null = null;
  let isWithdrawn = false;
  const begin = (): void => {
    if (isWithdrawn) return;
    try {
      const real = fs().realpathSync(path);
      running.get(real)?.failIfReplaced();
      const before = ending.get(real);
      if (before !== undefined) {
        void before.then(begin);
        return;
      }
      handle = watchReal(real, told);
    } catch (error) {
      completion.fail(toWatchError(path, withCode(error)));
      return;
    }
    completion.succeed(handle);
  };
  queueMicrotask(begin);
  return () => {
    isWithdrawn = true;
    handle?.close();
  };
}

function watchReal(path: string, told: WatchListener): WatchHandle {
  const watch = running.get(path) ?? new DenoWatch(path);
  running.set(path, watch);
  looking ??= outsideContext(() => setInterval(lookAtAll, LOOK_MS));
  // Its own, since somebody may watch a directory twice with one listener.
  const own: WatchListener = {
    changed: (name) => told.changed(name),
    failed: (error) => told.failed(error),
  };
  watch.listeners.add(own);
  return {
    close() {
      if (watch.listeners.delete(own) && watch.listeners.size === 0) watch.end();
    },
  };
}

function lookAtAll(): void {
  for (const watch of running.values()) watch.look();
}

class DenoWatch {
  readonly listeners: Set<WatchListener> = new Set();
  readonly #path: string;
  readonly #watcher: FsWatcher;
  readonly #told: Promise<void>;
  #stats: Stats;

  constructor(path: string) {
    const { Deno } = globalThis as unknown as { Deno: DenoWatching };
    this.#path = path;
    this.#stats = fs().statSync(path);
    this.#watcher = outsideContext(() => Deno.watchFs(path, { recursive: false }));
    this.#told = outsideContext(() => this.#tell());
  }

  async #tell(): Promise<void> {
    try {
      for await (const event of this.#watcher) this.#happened(event);
    } catch (error) {
      this.#failed(error);
    }
  }

  #happened({ kind, paths, flag }: FsEvent): void {
    if (flag === "rescan") {
      this.#changed(null);
      return;
    }
    for (const path of paths) {
      if (path === this.#path && OWN_ENDS.has(kind)) this.#gone();
      const end = path.lastIndexOf("/");
      if (path.slice(0, Math.max(end, 1)) === this.#path) this.#changed(path.slice(end + 1));
    }
  }

  #changed(name: string | null): void {
    for (const listener of this.listeners) listener.changed(name);
    if (!isLookDue()) return;
    for (const watch of running.values())
      for (const listener of watch.listeners) listener.changed(null);
  }

  /** Asks for the time of the directory. */
  look(): void {
    fs().stat(this.#path, (error, stats) => {
      if (running.get(this.#path) !== this) return;
      const before = this.#stats;
      if (error !== null) this.#failed(error);
      else if (before.ino !== stats.ino || before.dev !== stats.dev) this.#gone();
      else if (before.mtimeMs !== stats.mtimeMs) this.#changed(null);
      this.#stats = stats ?? before;
    });
  }

  /** Ends it if another directory has come to its path, which Deno has not told yet. */
  failIfReplaced(): void {
    const { dev, ino } = fs().statSync(this.#path);
    if (dev !== this.#stats.dev || ino !== this.#stats.ino) this.#gone();
  }

  #gone(): void {
    this.#failed(Object.assign(new Error("the directory has gone"), { code: "ENOENT" }));
  }

  #failed(error: unknown): void {
    const listeners = [...this.listeners];
    this.listeners.clear();
    this.end();
    for (const listener of listeners) listener.failed(toWatchError(this.#path, withCode(error)));
  }

  end(): void {
    if (running.get(this.#path) !== this) return;
    running.delete(this.#path);
    if (running.size === 0 && looking !== null) {
      clearInterval(looking);
      looking = null;
    }
    this.#watcher.close();
    const ended = this.#told.then(() => void ending.delete(this.#path));
    ending.set(this.#path, ended);
  }
}

/** Deno's own errors have names instead of codes. */
const CODES: Readonly<Record<string, string>> = {
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  NotCapable: "EACCES",
};

function withCode(error: unknown): unknown {
  if (!(error instanceof Error) || "code" in error) return error;
  const code = /watch limit/i.test(error.message) ? "ENOSPC" : CODES[error.name];
  return code === undefined ? error : Object.assign(error, { code });
}
