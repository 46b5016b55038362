import type { Completion, Withdraw } from "./network.ts";

/**
 * The files of a backend. Paths are the system's own, relative ones below the working directory; URLs, positions and chunks are
 * the business of `fs/`. What fails, fails with a `SystemError`.
 *
 * What only asks (`stat`, `realPath`, `readLink`, `readDirectory`, reads) may be withdrawn at any time. What changes something
 * (`change`, writes, `setSize`, `sync`) is never withdrawn by `fs/`: whoever began it waits until it has ended.
 */
export interface Files {
  /** Where temporary files belong. */
  readonly temporaryDirectory: string;
  /**
   * Opens a file; links are followed. Fails with `EISDIR` if it is a directory. Does not wait for the other side of a FIFO.
   * Withdrawn, a file that was opened nevertheless is closed.
   */
  open(target: OpenTarget, completion: Completion<FileHandle>): Withdraw;
  /** What is known about a file; of a link itself only if `followLinks` is not set. */
  stat(path: string, followLinks: boolean, completion: Completion<FileStat>): Withdraw;
  /** The absolute path of what is there, without `.`, `..` and links. Fails as `stat` does. */
  realPath(path: string, completion: Completion<string>): Withdraw;
  /** Where a symbolic link leads, as it was written. Fails with `EINVAL` if it is none. */
  readLink(path: string, completion: Completion<string>): Withdraw;
  /** What is in a directory, in any order, without `.` and `..`. Fails with `ENOTDIR` if it is none. */
  readDirectory(path: string, completion: Completion<readonly DirectoryEntry[]>): Withdraw;
  /**
   * Opens a directory, so that what is in it can be named whatever becomes of its path. Needs no permission for the directory itself.
   * Fails with `ENOTDIR` if it is none, or a link. Withdrawn, one that was opened nevertheless is closed. Absent where the system has no
   * way.
   */
  readonly openDirectory?:
    | ((path: string, completion: Completion<DirectoryHandle>) => Withdraw)
    | undefined;
  /** Changes what paths lead to. */
  change(change: PathChange, completion: Completion<void>): Withdraw;
  /**
   * Watches a directory, not those below it; links are followed. Succeeds when every later change will be told. Withdrawn, a watch
   * that was begun nevertheless is ended.
   */
  watch(path: string, told: WatchListener, completion: Completion<WatchHandle>): Withdraw;
}

/** What to open, and what for. */
export interface OpenTarget {
  /** Path of the file. */
  readonly path: string;
  /** What it is opened for. */
  readonly access: "read" | "write" | "read-write";
  /** Whether it is made: not at all, if nothing is there, or in any case: then something there is `EEXIST`, a link too. */
  readonly create: "never" | "if-missing" | "new";
  /** What is in it is thrown away. */
  readonly truncate: boolean;
  /** Each write goes to the end, wherever that is by then. */
  readonly append: boolean;
  /** Permission bits of a file that is made, without those that the process masks out. */
  readonly mode: number;
}

/** A change of what paths lead to. Links at the end of a path are followed by `mode`, `times` and `owner` only. */
export type PathChange =
  /** Fails with `EEXIST` if anything is there. */
  | { readonly kind: "make-directory"; readonly path: string; readonly mode: number }
  /** Fails with `EISDIR` or `EPERM` if it is a directory. */
  | { readonly kind: "remove-file"; readonly path: string }
  /** Fails with `ENOTEMPTY` if something is in it. */
  | { readonly kind: "remove-directory"; readonly path: string }
  /** Replaces what is at `target` in one step; a directory only an empty directory. Fails with `EXDEV` across devices. */
  | { readonly kind: "rename"; readonly path: string; readonly target: string }
  /** A symbolic link at `path` that says `target`. */
  | { readonly kind: "symbolic-link"; readonly path: string; readonly target: string }
  /** Another name, `path`, of the file `target`. */
  | { readonly kind: "hard-link"; readonly path: string; readonly target: string }
  /** A file `target` with the bytes and the permissions of `path`. `replace`: one that is there loses its own. */
  | {
      readonly kind: "copy-file";
      readonly path: string;
      readonly target: string;
      readonly replace: boolean;
    }
  | { readonly kind: "mode"; readonly path: string; readonly mode: number }
  | {
      readonly kind: "times";
      readonly path: string;
      readonly accessedMs: number;
      readonly modifiedMs: number;
    }
  | {
      readonly kind: "owner";
      readonly path: string;
      readonly user: number;
      readonly group: number;
    }
  /** The names in a directory are on the disk when this has succeeded. */
  | { readonly kind: "sync-directory"; readonly path: string };

/** Is told what happens in a directory that is watched, until the watch is closed. */
export interface WatchListener {
  /**
   * Something of this name was made, removed, renamed, or changed, or `null`: nobody knows what. It may be told several times, or
   * once for several changes, and for no change; look yourself what is there.
   */
  changed(name: string | null): void;
  /** The watch has ended by itself, with `ENOENT` if the directory was removed or moved. Nothing is told after this. */
  failed(error: Error): void;
}

/** A watch that runs. */
export interface WatchHandle {
  /** Ends it: nothing is told after this. */
  close(): void;
}

/** An open directory. */
export interface DirectoryHandle {
  /** Leads to this very directory, and with names behind it to what is in it, until it is closed. */
  readonly path: string;
  /** What was begun with its path, and changes something, must have ended. */
  close(): void;
}

/** An open file. Several operations may run at once. */
export interface FileHandle {
  /**
   * Reads once from `position` on, at most as much as fits into `view`; succeeds with the number of bytes: 0 only at the end.
   * Until it has succeeded or failed, the system may write into `view`; withdrawn, for ever.
   */
  read(view: Uint8Array, position: number, completion: Completion<number>): Withdraw;
  /**
   * Memory to read into. What is in it means nothing: filling it with zeros costs as much as reading does. Where it is absent, any
   * array will do.
   */
  readonly allocate?: (bytes: number) => Uint8Array;
  /**
   * Writes once, at `position`, or at the end if the file was opened to append. Succeeds with the number of bytes that were written,
   * which may be fewer than all. Until then nobody may change `view`.
   */
  write(view: Uint8Array, position: number, completion: Completion<number>): Withdraw;
  /** Cuts the file off behind so many bytes, or fills it up with zeros. */
  setSize(bytes: number, completion: Completion<void>): Withdraw;
  /** Everything written is on the disk when this has succeeded; `dataOnly`: but perhaps not the times. */
  sync(dataOnly: boolean, completion: Completion<void>): Withdraw;
  /**
   * Takes, changes or gives up an advisory lock on the whole file, of this handle and no other of this process; with `wait` as soon
   * as no other is in the way, else it succeeds with `false` where one is. Withdrawn, it holds none. To give it up (`"none"`) has an effect at once; so has closing.
   * Absent where the runtime has no way.
   */
  readonly lock?: (request: LockRequest, completion: Completion<boolean>) => Withdraw;
  /** What is known about the file now. */
  stat(completion: Completion<FileStat>): Withdraw;
  /**
   * The absolute path, without links, of what is open: asked of the open file where the system can tell, so that nothing that
   * happens to the path meanwhile can deceive; else of the path that it was opened by.
   */
  realPath(completion: Completion<string>): Withdraw;
  /**
   * No operation begins after this. Those that run go on; with the last of them the descriptor is given back. `closed` is told what
   * the system said to that: `null`, or that something written is lost.
   */
  close(closed: (error: Error | null) => void): void;
}

/** What lock to take. */
export interface LockRequest {
  /** Any number of shared ones, or one exclusive. */
  readonly kind: "shared" | "exclusive" | "none";
  /** Whether to wait while somebody is in the way. */
  readonly wait: boolean;
}

/** What is known about a file. */
export interface FileStat {
  /** What it is. */
  readonly kind: FileKind;
  /** Bytes; what it means for anything but a file, the system decides. */
  readonly size: number;
  /** When the contents were last changed, in whole milliseconds since 1970: not every runtime tells fractions. */
  readonly modifiedMs: number;
  /** When it was last read, likewise. Many systems keep this lazily. */
  readonly accessedMs: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Number of its owner. */
  readonly user: number;
  /** Number of its group. */
  readonly group: number;
  /** How many names it has. */
  readonly names: number;
  /** Number of the file on its device. Beyond 2⁵³ the last digits are lost. */
  readonly inode: number;
  /** Number of the device that holds it. */
  readonly device: number;
}

/** What a path leads to; `"link"` only where links are not followed. */
export type FileKind = "file" | "directory" | "link" | "fifo" | "socket" | "device";

/** Something in a directory. */
export interface DirectoryEntry {
  /** Its name. A name that is no UTF-8 has U+FFFD in place of what is none, and cannot be opened by it. */
  readonly name: string;
  /** What it is; of a link not what it leads to. */
  readonly kind: DirectoryEntryKind;
}

/** `"other"` are FIFOs, sockets, devices: not every runtime tells them apart here. `stat` does. */
export type DirectoryEntryKind = "file" | "directory" | "link" | "other";
