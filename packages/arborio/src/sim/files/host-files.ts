import type {
  DirectoryEntry,
  DirectoryHandle,
  FileHandle,
  Files,
  FileStat,
  OpenTarget,
  PathChange,
  WatchHandle,
  WatchListener,
} from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import type { DirectoryWatch } from "./directory-watches.ts";
import { ORDINARY_USER } from "./disk.ts";
import { DiskOperations, DONE } from "./disk-operations.ts";
import type { FileTree } from "./file-tree.ts";
import { type DirectoryInode, type Entry, type Outcome, pathOf, statOf } from "./inode.ts";
import { OpenDirectories } from "./open-directories.ts";
import { OpenFile } from "./open-file.ts";
import { openInode } from "./open-inode.ts";
import { changePath, type ChangeContext } from "./path-changes.ts";
import { find, isAllowed, READ } from "./path-walk.ts";

/** The files contract, for the programs of one simulated host, or for one process on it. */
export class HostFiles implements Files {
  readonly temporaryDirectory = "/tmp";
  readonly #operations: DiskOperations;
  readonly #context: ChangeContext;
  readonly #directory: string;
  readonly #onEnd: () => void;
  readonly #open: Set<OpenFile> = new Set();
  readonly #directories: OpenDirectories = new OpenDirectories();
  readonly #watches: Set<DirectoryWatch> = new Set();

  /**
   * @param directory where relative paths begin.
   * @param onEnd is told when its program has ended.
   */
  constructor({ disk, times }: FileTree, directory: string, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#operations = new DiskOperations(disk, times);
    this.#directory = directory;
    this.#context = {
      disk,
      root: disk.root,
      user: ORDINARY_USER,
      opened: this.#directories,
    };
  }

  /** How many files and directories are open. */
  get openCount(): number {
    return this.#open.size + this.#directories.count;
  }

  /** How many directories are watched. */
  get watchCount(): number {
    return this.#watches.size;
  }

  open(target: OpenTarget, completion: Completion<FileHandle>): Withdraw {
    const here = { ...target, path: this.#absolute(target.path) };
    let isWanted = true;
    this.#operations.begin<OpenFile>(
      `open ${target.path}`,
      {
        succeed(file) {
          if (isWanted) completion.succeed(file);
          else file.close(() => {});
        },
        fail: (error) => isWanted && completion.fail(error),
      },
      () => {
        const entry = openInode(this.#context, here);
        if (typeof entry === "string") return entry;
        const value = new OpenFile(this.#operations, entry, here, (file) =>
          this.#open.delete(file),
        );
        this.#open.add(value);
        return { value };
      },
    );
    return () => {
      isWanted = false;
    };
  }

  stat(path: string, followLinks: boolean, completion: Completion<FileStat>): Withdraw {
    return this.#operations.ask(`stat ${path}`, completion, () => {
      const entry = find(this.#context, this.#absolute(path), followLinks);
      return typeof entry === "string" ? entry : { value: statOf(entry.inode) };
    });
  }

  realPath(path: string, completion: Completion<string>): Withdraw {
    return this.#operations.ask(`find the real path of ${path}`, completion, () => {
      const entry = find(this.#context, this.#absolute(path), true);
      return typeof entry === "string" ? entry : { value: pathOf(entry) };
    });
  }

  readLink(path: string, completion: Completion<string>): Withdraw {
    return this.#operations.ask(`read the link ${path}`, completion, () => {
      const entry = find(this.#context, this.#absolute(path), false);
      if (typeof entry === "string") return entry;
      return entry.inode.kind === "link" ? { value: entry.inode.target } : "EINVAL";
    });
  }

  readDirectory(path: string, completion: Completion<readonly DirectoryEntry[]>): Withdraw {
    return this.#operations.ask(`read the directory ${path}`, completion, () => {
      const directory = this.#readableDirectory(path);
      if (typeof directory === "string") return directory;
      return { value: [...directory.entries.values()].map(toDirectoryEntry) };
    });
  }

  openDirectory(path: string, completion: Completion<DirectoryHandle>): Withdraw {
    return this.#operations.ask(`open ${path}`, completion, () => {
      const entry = find(this.#context, this.#absolute(path), false);
      if (typeof entry === "string") return entry;
      const { inode } = entry;
      return inode.kind === "directory" ? { value: this.#directories.open(inode) } : "ENOTDIR";
    });
  }

  change(change: PathChange, completion: Completion<void>): Withdraw {
    const what = `${change.kind.replaceAll("-", " ")} ${change.path}`;
    const attempt = "target" in change ? `${what} (${change.target})` : what;
    const here = this.#withAbsolutePaths(change);
    return this.#operations.begin<void>(
      attempt,
      completion,
      () => changePath(this.#context, here) ?? DONE,
    );
  }

  watch(path: string, told: WatchListener, completion: Completion<WatchHandle>): Withdraw {
    return this.#operations.ask(`watch ${path}`, completion, () => {
      const directory = this.#readableDirectory(path);
      if (typeof directory === "string") return directory;
      const onEnd = (ended: DirectoryWatch): void => void this.#watches.delete(ended);
      const value = directory.watches.add(told, this.#operations.times, onEnd);
      this.#watches.add(value);
      return { value };
    });
  }

  /** Its program has ended: what it has open is closed, and nothing begins any more. */
  end(): void {
    this.#operations.end();
    for (const file of this.#open) file.close(() => {});
    for (const watch of this.#watches) watch.close();
    this.#directories.closeAll();
    this.#onEnd();
  }

  /** The machine goes down: what has begun does not happen, and nothing begins any more. */
  crash(): void {
    this.#operations.crash();
    for (const file of this.#open) file.crash();
    for (const watch of this.#watches) watch.close();
    this.#open.clear();
    this.#directories.closeAll();
  }

  #readableDirectory(path: string): Outcome<DirectoryInode> {
    const entry = find(this.#context, this.#absolute(path), true);
    if (typeof entry === "string") return entry;
    const { inode } = entry;
    if (inode.kind !== "directory") return "ENOTDIR";
    if (!isAllowed(inode, this.#context.user, READ)) return "EACCES";
    return inode.isDamaged ? "EIO" : inode;
  }

  #absolute(path: string): string {
    return path === "" || path.startsWith("/") ? path : `${this.#directory}/${path}`;
  }

  /** Where a symbolic link leads is told from the link. */
  #withAbsolutePaths(change: PathChange): PathChange {
    const path = this.#absolute(change.path);
    if (change.kind === "symbolic-link" || !("target" in change)) return { ...change, path };
    return { ...change, path, target: this.#absolute(change.target) };
  }
}

function toDirectoryEntry({ name, inode }: Entry): DirectoryEntry {
  return { name, kind: inode.kind === "socket" ? "other" : inode.kind };
}
