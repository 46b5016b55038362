import type { FileStat } from "../platform/files.ts";
import { changePath } from "./change-path.ts";
import { copyFile, type CopyOptions, isSame } from "./copy-file.ts";
import { copyTree, type CopyTreeOptions } from "./copy-tree.ts";
import type { FileData } from "./file-data.ts";
import type { File } from "./file.ts";
import { makeDirectory, type MakeDirectoryOptions } from "./make-directory.ts";
import { move } from "./move.ts";
import { openFile, type OpenFileOptions } from "./open-file.ts";
import { PurePath } from "./pure-path.ts";
import { readDirectory } from "./read-directory.ts";
import {
  readFile,
  type ReadFileOptions,
  readTextFile,
  type ReadTextFileOptions,
} from "./read-file.ts";
import { readLink } from "./read-link.ts";
import { realPath } from "./real-path.ts";
import { removeDirectory, removeFile, type RemoveOptions, removePath } from "./remove.ts";
import { replaceFile, type ReplaceFileOptions } from "./replace-file.ts";
import { type FileOwner, type FileTimes, setMode, setOwner, setTimes } from "./set-facts.ts";
import { stat, type StatOptions } from "./stat.ts";
import { syncDirectory } from "./sync-directory.ts";
import { hasSystemCode } from "./system-code.ts";
import { type PathLike, toPath } from "./system-path.ts";
import { touch, type TouchOptions } from "./touch.ts";
import type { PathEntry } from "./tree-walk.ts";
import { glob, type GlobOptions, type PathEntries, walk, type WalkOptions } from "./walk.ts";
import {
  appendFile,
  type AppendFileOptions,
  writeFile,
  type WriteFileOptions,
} from "./write-file.ts";

/**
 * A path, and what can be done with what is there. What a path says is told at once (see `PurePath`); what asks or changes the system is
 * awaited.
 *
 * Every method that is awaited is a checkpoint and throws a `SystemError` if the system refuses. What only asks had no effect if it is
 * cancelled. What changes something cannot be called back once it has begun: it is waited for although it is cancelled, and says what became
 * of it; the next checkpoint throws `Cancelled`. Methods of several steps stop between two of them.
 *
 * Links are followed, unless it is said otherwise; what removes or renames never follows one. A relative path is one below the working
 * directory.
 *
 * Counterpart: `anyio.Path`, `trio.Path`, `pathlib.Path`.
 *
 * @example The sizes of all pages below a folder
 * ```ts
 * import { run } from "arborio";
 * import { openTemporaryDirectory } from "arborio/fs";
 *
 * await run(async () => {
 *   await using temporary = await openTemporaryDirectory();
 *   const site = temporary.path.join("site");
 *   await site.join("blog").makeDirectory({ parents: true });
 *   await site.join("blog", "first.html").write("<p>Hello");
 *   for await (const { path } of site.glob("**\/*.html")) {
 *     console.assert(path.name === "first.html" && (await path.stat()).size === 8);
 *   }
 * });
 * ```
 */
export class Path extends PurePath {
  /** The working directory, as an absolute path without links. */
  static async workingDirectory(): Promise<Path> {
    return new Path(await realPath("."));
  }

  /** What is known about what is there. @throws SystemError, TypeError, RangeError as the function `stat`. */
  stat(options: StatOptions = {}): Promise<FileStat> {
    return stat(this, options);
  }

  /**
   * Whether anything is there. A link that leads nowhere is only something with `followLinks: false`.
   *
   * @throws SystemError if nobody can tell, for example with `"EACCES"` if this process may not look into a directory on the way.
   */
  async exists(options: StatOptions = {}): Promise<boolean> {
    return (await this.#look(options)) !== null;
  }

  /** Whether a file is there; `false` too if nothing is. @throws SystemError as `exists`. */
  async isFile(): Promise<boolean> {
    return (await this.#look())?.kind === "file";
  }

  /** Whether a directory is there; `false` too if nothing is. @throws SystemError as `exists`. */
  async isDirectory(): Promise<boolean> {
    return (await this.#look())?.kind === "directory";
  }

  /** Whether a symbolic link is there, wherever it leads; `false` too if nothing is. @throws SystemError as `exists`. */
  async isLink(): Promise<boolean> {
    return (await this.#look({ followLinks: false }))?.kind === "link";
  }

  /** Whether `other` leads to the same file or directory, by another name or a link. @throws SystemError if nothing is at one of them. */
  async isSameFile(other: PathLike): Promise<boolean> {
    return isSame(await stat(this), await stat(other));
  }

  /** The absolute path of what is there, without `.`, `..` and links. @throws SystemError as the function `realPath`. */
  async realPath(): Promise<this> {
    return this.join(await realPath(this));
  }

  /** Where the symbolic link here leads, as it was written. @throws SystemError `"EINVAL"` if there is something else. */
  async readLink(): Promise<Path> {
    return new Path(await readLink("Path.readLink", this.text));
  }

  /** Opens the file. @throws SystemError, TypeError, RangeError as the function `openFile`. */
  open(options: OpenFileOptions = {}): Promise<File> {
    return openFile(this, options);
  }

  /** Reads the file as a whole. @throws SystemError, TypeError, RangeError as the function `readFile`. */
  read(options: ReadFileOptions = {}): Promise<Uint8Array> {
    return readFile(this, options);
  }

  /** Reads the text file as a whole. @throws TextDecodingError, SystemError, TypeError, RangeError as the function `readTextFile`. */
  readText(options: ReadTextFileOptions = {}): Promise<string> {
    return readTextFile(this, options);
  }

  /** Writes the file as a whole, made if it is missing. @throws SystemError, TypeError, RangeError as the function `writeFile`. */
  write(data: FileData, options: WriteFileOptions = {}): Promise<number> {
    return writeFile(this, data, options);
  }

  /** Writes behind the end of the file, made if it is missing. @throws SystemError, TypeError, RangeError as the function `appendFile`. */
  append(data: FileData, options: AppendFileOptions = {}): Promise<number> {
    return appendFile(this, data, options);
  }

  /** Replaces what is in the file in one step. @throws SystemError, TypeError, RangeError as the function `replaceFile`. */
  replace(data: FileData, options: ReplaceFileOptions = {}): Promise<number> {
    return replaceFile(this, data, options);
  }

  /**
   * What is in the directory, as a whole, ordered by name.
   *
   * @throws SystemError `"ENOTDIR"` if it is no directory; as the function `readDirectory`.
   */
  async entries(): Promise<PathEntry[]> {
    const entries = await readDirectory(this);
    return entries.map(({ name, kind }) => ({ path: this.join(name), kind }));
  }

  /**
   * All that is below the directory, in the order of `Path.compare`: what is in a directory comes behind it. Each directory is read when the loop comes
   * to it, and what is held is the rest of each directory on the way down. What is removed meanwhile is left out. A wait for the next entry
   * that was cancelled can be repeated, and after an error the walk goes on behind it.
   *
   * @returns entries, one by one, of one task. Leave the loop when you have enough.
   * @throws SystemError from the loop if a directory cannot be read, unless there is `onError`.
   * @throws TypeError, RangeError at once for a wrong option.
   *
   * Counterpart: `pathlib.Path.walk`, `rglob("*")`.
   */
  walk(options: WalkOptions = {}): PathEntries {
    return walk(this, options);
  }

  /**
   * All below the directory whose path, seen from here, matches a pattern, in the order of `walk`. Only directories below which something can match
   * are read. See `matches` for what a pattern is; names that begin with a dot are like others.
   *
   * @param pattern relative: `"*.txt"`, `"**\/*.{js,ts}"`.
   * @throws RangeError at once if `pattern` is none; SystemError, TypeError as `walk`.
   *
   * Counterpart: `pathlib.Path.glob`.
   */
  glob(pattern: string, options: GlobOptions = {}): PathEntries {
    return glob(this, pattern, options);
  }

  /**
   * Makes the directory. Cancelled in the middle, some of its parents may have been made.
   *
   * @throws SystemError `"EEXIST"` if anything is there, or, with `existOk`, anything but a directory; `"ENOENT"` if the directory above is
   *   missing, unless `parents` are made.
   */
  makeDirectory(options: MakeDirectoryOptions = {}): Promise<void> {
    return makeDirectory(this, options);
  }

  /** Makes an empty file, or sets the times of what is there to now. @throws SystemError `"EEXIST"` if something is there that may not be. */
  touch(options: TouchOptions = {}): Promise<void> {
    return touch(this, options);
  }

  /** Makes a symbolic link here that says `target`: absolute, or seen from where the link is. @throws SystemError `"EEXIST"` if anything is there. */
  async makeLink(target: PathLike): Promise<void> {
    const says = toPath("Path.makeLink", target);
    await changePath("Path.makeLink", { kind: "symbolic-link", path: this.text, target: says });
  }

  /** Makes this another name of the file `target`. @throws SystemError `"EEXIST"` if anything is here, `"EXDEV"` if it is on another device. */
  async makeHardLink(target: PathLike): Promise<void> {
    const file = toPath("Path.makeHardLink", target);
    await changePath("Path.makeHardLink", { kind: "hard-link", path: this.text, target: file });
  }

  /**
   * Gives what is here another path, in one step. A file that is there is replaced, a directory only by a directory, and only if it is empty.
   *
   * @param target the new path, relative to the working directory as every path.
   * @throws SystemError `"EXDEV"` if it is on another device (`move` can do that), `"ENOTEMPTY"` if a directory that is not empty is in the way.
   */
  async rename(target: PathLike): Promise<void> {
    const to = toPath("Path.rename", target);
    await changePath("Path.rename", { kind: "rename", path: this.text, target: to });
  }

  /**
   * `rename`, also to another device: then all is copied, with permissions and times, beside the target (`.moving-…`), which is replaced in
   * one step; then all here is removed. Cancelled or failed before that step, all is as it was; after it, the end is waited for. Owners are
   * not kept then, nor that one file has several names.
   *
   * @throws SystemError as `rename` and `copyTree`; as `removeTree` if the target is there, and the original cannot be removed.
   */
  async move(target: PathLike): Promise<void> {
    await move(this, new Path(target));
  }

  /**
   * Copies the file, with its permissions. A copy that has begun is waited for, however large it is. On most file systems, holes of a sparse file are zeros in the
   * copy, which take room.
   *
   * @throws SystemError `"EISDIR"` if one of both is a directory, `"EINVAL"` if it is neither that nor a file, or if both are the same.
   */
  copy(target: PathLike, options: CopyOptions = {}): Promise<void> {
    return copyFile(this.text, target, options);
  }

  /**
   * Copies the directory with all that is in it, with permissions; links are copied as links. Cancelled or failed, it leaves what was copied until
   * then: remove it by `removeTree`.
   *
   * @throws SystemError `"EEXIST"` if something is there, unless `existOk`; `"EINVAL"` if the target is inside the directory itself, or at a
   *   FIFO, a socket or a device; `"ENOTDIR"` if here is no directory.
   */
  async copyTree(target: PathLike, options: CopyTreeOptions = {}): Promise<void> {
    await copyTree(this, new Path(target), options);
  }

  /** Removes the file, or the link. @throws SystemError `"ENOENT"` if nothing is there, unless `missingOk`; `"EISDIR"` if it is a directory. */
  remove(options: RemoveOptions = {}): Promise<void> {
    return removeFile(this, options);
  }

  /** Removes the directory, which must be empty. @throws SystemError `"ENOTEMPTY"` if it is not; `"ENOENT"` as `remove`. */
  removeDirectory(options: RemoveOptions = {}): Promise<void> {
    return removeDirectory(this, options);
  }

  /**
   * Removes what is here: a file, a link, never what it leads to, or a directory with all that is in it, however deep. Others may do so at the same time. What cannot be
   * removed does not keep it from removing the rest. Cancelled, it stops between two files.
   *
   * On Linux nobody can turn it elsewhere by putting a link in the place of a directory meanwhile; on Deno this needs `--allow-all`. Where
   * it is not so, do not use it in a directory in which somebody may write whom you do not trust. The names above this path are followed as
   * ever.
   *
   * @throws SystemError with the code of the first failure; the message says what is left. `"ENOENT"` as `remove`.
   * @throws RangeError if the path is `/`, `.`, or ends with `..`: that nobody means.
   */
  removeTree(options: RemoveOptions = {}): Promise<void> {
    return removePath(this, options);
  }

  /**
   * Waits until the names in the directory are on the disk: after a loss of power, what was made, renamed or removed in it before is so. What is
   * in files is on the disk by `File.sync`.
   *
   * @throws SystemError `"ENOTDIR"` if it is no directory.
   */
  syncDirectory(): Promise<void> {
    return syncDirectory("Path.syncDirectory", this.text);
  }

  /** Sets the permission bits: `0o644`. @throws SystemError `"EPERM"` if it belongs to somebody else. */
  setMode(mode: number): Promise<void> {
    return setMode(this, mode);
  }

  /** Sets when it counts as read and changed last. @throws SystemError `"EPERM"` if it belongs to somebody else. */
  setTimes(times: FileTimes): Promise<void> {
    return setTimes(this, times);
  }

  /** Gives it to another user or group. @throws SystemError `"EPERM"` if this process may not. */
  setOwner(owner: FileOwner): Promise<void> {
    return setOwner(this, owner);
  }

  /** What is there; `null` if nothing is. */
  async #look(options: StatOptions = {}): Promise<FileStat | null> {
    try {
      return await stat(this, options);
    } catch (error) {
      if (hasSystemCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return null;
      throw error;
    }
  }
}
