import type { Completion, Withdraw } from "./network.ts";

/**
 * The files of a backend. Paths are the system's own, relative ones below the working directory; URLs, positions and chunks are
 * the business of `fs/`. What fails, fails with a `SystemError`.
 */
export interface Files {
  /**
   * Opens a file; links are followed. Fails with `EISDIR` if it is a directory. Does not wait for the other side of a FIFO.
   * Withdrawn, a file that was opened nevertheless is closed.
   */
  open(target: OpenTarget, completion: Completion<FileHandle>): Withdraw;
  /** What is known about a file; links are followed. */
  stat(path: string, completion: Completion<FileStat>): Withdraw;
  /** The absolute path of what is there, without `.`, `..` and links. Fails as `stat` does. */
  realPath(path: string, completion: Completion<string>): Withdraw;
  /** What is in a directory, in any order, without `.` and `..`. Fails with `ENOTDIR` if it is none. */
  readDirectory(path: string, completion: Completion<readonly DirectoryEntry[]>): Withdraw;
}

/** What to open, and what for. */
export interface OpenTarget {
  /** Path of the file. */
  readonly path: string;
  /** What it is opened for. */
  readonly access: "read";
}

/** An open file. Several operations may run at once. */
export interface FileHandle {
  /**
   * Reads once from `position` on, at most as much as fits into `view`; succeeds with the number of bytes: 0 only at the end.
   * Until it has succeeded or failed, the system may write into `view`; withdrawn, for ever.
   */
  read(view: Uint8Array, position: number, completion: Completion<number>): Withdraw;
  /** What is known about the file now. */
  stat(completion: Completion<FileStat>): Withdraw;
  /**
   * The absolute path, without links, of what is open: asked of the open file where the system can tell, so that nothing that
   * happens to the path meanwhile can deceive; else of the path that it was opened by.
   */
  realPath(completion: Completion<string>): Withdraw;
  /** No operation begins after this. Those that run go on; with the last of them the descriptor is given back. */
  close(): void;
}

/** What is known about a file. */
export interface FileStat {
  /** What it is. */
  readonly kind: FileKind;
  /** Bytes; what it means for anything but a file, the system decides. */
  readonly size: number;
  /** When the contents were last changed, in whole milliseconds since 1970: not every runtime tells fractions. */
  readonly modifiedMs: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Number of the file on its device. Beyond 2⁵³ the last digits are lost. */
  readonly inode: number;
  /** Number of the device that holds it. */
  readonly device: number;
}

/** What a path leads to. */
export type FileKind = "file" | "directory" | "fifo" | "socket" | "device";

/** Something in a directory. */
export interface DirectoryEntry {
  /** Its name. A name that is no UTF-8 has U+FFFD in place of what is none, and cannot be opened by it. */
  readonly name: string;
  /** What it is; of a link not what it leads to. */
  readonly kind: DirectoryEntryKind;
}

/** `"other"` are FIFOs, sockets, devices: not every runtime tells them apart here. `stat` does. */
export type DirectoryEntryKind = "file" | "directory" | "link" | "other";
