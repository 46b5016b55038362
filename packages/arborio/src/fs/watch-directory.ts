import {
  describeValue,
  requireFlag,
  requireFunction,
  requireKnown,
  requireOptions,
} from "../core/arguments.ts";
import type { SystemError } from "../core/errors.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import { DirectoryWatch } from "./directory-watch.ts";
import { realPath } from "./real-path.ts";
import { type PathLike, toPath } from "./system-path.ts";

/** Options of `watchDirectory`. */
export interface WatchDirectoryOptions {
  /** Watches the directories below it too, also those that come later. Links are not followed. Default `false`. */
  readonly recursive?: boolean;
  /**
   * Milliseconds, from 0 on: changes are told when so long nothing has happened, so that what belongs together comes together, and
   * a file is whole. Where something happens all the time, they are told after 20 times as long nevertheless. Default 50. With 0 they
   * are told at once, and one change may be told twice.
   */
  readonly settleMs?: number;
  /** What is there already is told first, as created. Default `false`. */
  readonly tellExisting?: boolean;
  /**
   * Says of a path, as changes are told with, whether to leave it out: it is not told, and a directory is not watched. It should not
   * change its mind. Default: nothing is left out.
   */
  readonly ignore?: (path: string) => boolean;
  /**
   * Gets what the system refuses below the directory, such as to watch a directory that this process may not read; that path is left
   * out until something happens to it. Default: the watch fails with it.
   */
  readonly onError?: (error: SystemError, path: string) => void;
}

const NAMES = {
  recursive: true,
  settleMs: true,
  tellExisting: true,
  ignore: true,
  onError: true,
} as const satisfies Record<keyof WatchDirectoryOptions, true>;

/** See `settleMs`. */
const SETTLE_MS = 50;

/**
 * Watches what happens to the names in a directory, until it is closed. Every change from then on that lasts is told, on every
 * runtime in the same way: the system's hints only say where to look, and what is there is compared with what was told last.
 *
 * - What came and went between two looks is not told; several changes of one path are told once, also when the reader is slow.
 * - A renamed file was removed from one path and created at another. A file that another one has replaced has changed.
 * - A directory is told before what was created in it, and after what was removed from it.
 * - A change is noticed by size, time of the last change, permissions, owner and number of the file. One that leaves all these as they
 *   were is not, nor one through another name of the file, outside the directory, until something else happens to it.
 * - Names that are no UTF-8 are left out.
 *
 * If the directory itself is removed, moved or replaced, it fails with `BrokenResourceError`. If a directory above it is moved, nothing
 * tells so: it fails as soon as something else happens in it.
 *
 * On Linux the system allows so many watches for each user (`fs.inotify.max_user_watches`), and each directory needs one.
 *
 * @param path a directory; links on the way are followed once, now.
 * @returns the watch, an async iterable of changes; close it, best by `using`.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there, `"ENOTDIR"` if it is no directory,
 *   `"ENOSPC"` if there are too many watches.
 * @throws TypeError, RangeError if `path` is no path, or an option is not what it should be.
 * @throws NotSupportedError if the backend has no files.
 *
 * Counterpart: `watchfiles.awatch`; `fs.watch` of Node.
 *
 * @example Build again when a source has changed
 * ```ts
 * import { run } from "arborio";
 * import { watchDirectory } from "arborio/fs";
 *
 * const build = async () => console.log("building");
 *
 * await run((group) => {
 *   group.startSoon(async () => {
 *     using sources = await watchDirectory("/etc", { settleMs: 200 });
 *     for (;;) {
 *       const changes = await sources.receiveAll();
 *       if (changes.some(({ path }) => path.endsWith(".ts"))) await build();
 *     }
 *   }, { daemon: true });
 * });
 * ```
 */
export async function watchDirectory(
  path: PathLike,
  options: WatchDirectoryOptions = {},
): Promise<DirectoryWatch> {
  const where = "watchDirectory";
  requireOptions(where, options, "{ recursive: true }");
  requireKnown(where, options, NAMES);
  const { recursive = false, settleMs = SETTLE_MS, tellExisting = false } = options;
  const { ignore = () => false, onError } = options;
  requireFlag(`${where}({ recursive })`, recursive);
  requireFlag(`${where}({ tellExisting })`, tellExisting);
  requireSettleMs(settleMs);
  requireFunction(`${where}({ ignore })`, ignore);
  if (onError !== undefined) requireFunction(`${where}({ onError })`, onError);
  const givenPath = toPath(where, path);
  const files = requireCapability(currentBackend(), "files", where);
  const watch = new DirectoryWatch({
    files,
    givenPath,
    realPath: await realPath(path),
    recursive,
    settleMs,
    ignore,
    onError,
  });
  await watch.open(tellExisting);
  return watch;
}

function requireSettleMs(settleMs: unknown): void {
  const needs = "needs a number of milliseconds from 0 on";
  if (typeof settleMs !== "number")
    throw new TypeError(`watchDirectory({ settleMs }): got ${describeValue(settleMs)}, ${needs}`);
  if (!(settleMs >= 0 && settleMs < Infinity))
    throw new RangeError(`watchDirectory({ settleMs }): got ${settleMs}, ${needs}`);
}
