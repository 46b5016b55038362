/**
 * Files and directories: read, written, walked, replaced, locked and watched.
 *
 * @example Count the lines of a file without holding it
 * ```ts
 * import { run } from "arborio";
 * import { openFile } from "arborio/fs";
 *
 * await run(async () => {
 *   using file = await openFile("/etc/passwd");
 *   let lines = 0;
 *   for await (const chunk of file) for (const byte of chunk) if (byte === 10) lines += 1;
 *   console.assert(lines > 0);
 * });
 * ```
 * @module
 */
import "./platform/host.ts";

export { Path } from "./fs/path.ts";
export { PurePath, type RelativeToOptions } from "./fs/pure-path.ts";
export type { PathLike } from "./fs/system-path.ts";
export type { PathEntry } from "./fs/tree-walk.ts";
export type { GlobOptions, PathEntries, WalkOptions } from "./fs/walk.ts";
export type { MakeDirectoryOptions } from "./fs/make-directory.ts";
export type { TouchOptions } from "./fs/touch.ts";
export type { CopyOptions } from "./fs/copy-file.ts";
export type { CopyTreeOptions } from "./fs/copy-tree.ts";
export type { RemoveOptions } from "./fs/remove.ts";
export type { FileOwner, FileTimes } from "./fs/set-facts.ts";
export { openTemporaryDirectory, TemporaryDirectory } from "./fs/temporary-directory.ts";
export { openTemporaryFile, TemporaryFile } from "./fs/temporary-file.ts";
export type { TemporaryDirectoryOptions, TemporaryFileOptions } from "./fs/temporary-options.ts";
export { openFile, type OpenFileOptions } from "./fs/open-file.ts";
export type { OpenFlags } from "./fs/open-flags.ts";
export { File, type FileRangeOptions, type SyncOptions } from "./fs/file.ts";
export type { FileLinesOptions } from "./fs/file-lines.ts";
export type { FileLockOptions } from "./fs/file-lock.ts";
export { PartialWriteError } from "./fs/errors.ts";
export {
  readFile,
  type ReadFileOptions,
  readTextFile,
  type ReadTextFileOptions,
} from "./fs/read-file.ts";
export {
  appendFile,
  type AppendFileOptions,
  writeFile,
  type WriteFileOptions,
} from "./fs/write-file.ts";
export { replaceFile, type ReplaceFileOptions } from "./fs/replace-file.ts";
export type { FileData } from "./fs/file-data.ts";
export { stat, type StatOptions } from "./fs/stat.ts";
export { realPath } from "./fs/real-path.ts";
export { readDirectory } from "./fs/read-directory.ts";
export { watchDirectory, type WatchDirectoryOptions } from "./fs/watch-directory.ts";
export type { DirectoryWatch } from "./fs/directory-watch.ts";
export type { DirectoryChange } from "./fs/watch-tree.ts";
export type { DirectoryEntry, DirectoryEntryKind, FileKind, FileStat } from "./platform/files.ts";
