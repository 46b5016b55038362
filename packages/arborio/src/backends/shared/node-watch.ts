import type { FSWatcher } from "node:fs";
import type { WatchHandle, WatchListener } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { toSystemError } from "./system-error.ts";

const fs = lazily("node:fs");

/** Watches a directory by `node:fs`, which asks the system to tell (inotify on Linux). */
export function watchDirectory(
  path: string,
  told: WatchListener,
  completion: Completion<WatchHandle>,
): Withdraw {
  const attempt = `watch ${path}`;
  let watcher: FSWatcher;
  try {
    watcher = outsideContext(() =>
      fs().watch(path, { persistent: false }, (_event, name) => told.changed(name)),
    );
  } catch (error) {
    completion.fail(toSystemError(attempt, error));
    return () => {};
  }
  watcher.on("error", (error) => {
    watcher.close();
    told.failed(toSystemError(attempt, error));
  });
  completion.succeed({ close: () => watcher.close() });
  return () => watcher.close();
}
