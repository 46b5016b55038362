import type { FileKind, FileStat } from "../../platform/files.ts";
import type { SystemCode } from "../system-errors.ts";
import type { FileLocks } from "./file-locks.ts";
import type { SparseBytes } from "./sparse-bytes.ts";
import type { Volume } from "./volume.ts";
import type { DirectoryWatches } from "./directory-watches.ts";

/** What `stat` says is the size of a directory: a block, as on ext4. */
const DIRECTORY_BYTES = 4096;

/** What is known about anything that has an inode. */
interface InodeBase {
  readonly volume: Volume;
  /** Its number, unique on its host; never used again. */
  readonly number: number;
  /** What a sync puts on the disk together with the contents. */
  facts: InodeFacts;
  /** The facts that the disk certainly has, if they were changed since. */
  syncedFacts: InodeFacts | null;
  /** In how many directories it is, or how often in one. Of a directory: whether it is anywhere. */
  nameCount: number;
  /** Whether the disk fails where it is. */
  isDamaged: boolean;
}

/** What can be changed about everything. Replaced as a whole. */
export interface InodeFacts {
  readonly mode: number;
  readonly user: number;
  readonly group: number;
  readonly modifiedMs: number;
  readonly accessedMs: number;
}

/** A regular file. */
export interface FileInode extends InodeBase {
  readonly kind: "file";
  readonly bytes: SparseBytes;
  readonly locks: FileLocks;
  /** How many descriptors lead to it. */
  openCount: number;
}

/** A directory. */
export interface DirectoryInode extends InodeBase {
  readonly kind: "directory";
  readonly entries: Map<string, Entry>;
  readonly watches: DirectoryWatches;
  /** Where it is: a directory has one name. That of the root, and of one that was removed, leads to itself. */
  entry: Entry;
}

/** A symbolic link. */
export interface LinkInode extends InodeBase {
  readonly kind: "link";
  readonly target: string;
}

/** The file of a Unix socket. */
export interface SocketInode extends InodeBase {
  readonly kind: "socket";
}

export type Inode = FileInode | DirectoryInode | LinkInode | SocketInode;

/** A name in a directory. Renamed, it stays the same object, so that an open file knows where it is. */
export interface Entry {
  directory: DirectoryInode;
  name: string;
  readonly inode: Inode;
  isRemoved: boolean;
}

/** Whether a directory is where another disk begins. */
export function isMountPoint({ directory, inode }: Entry): boolean {
  return directory.volume !== inode.volume;
}

/** What a system says of what could not be done, or what came of it. */
export type Outcome<T> = T | SystemCode;

/** The absolute path of an entry; of one that was removed as Linux tells it. */
export function pathOf(entry: Entry): string {
  const parts: string[] = [];
  let at = entry;
  while (at.directory.entry !== at) {
    parts.push(at.name);
    at = at.directory.entry;
  }
  return `/${parts.reverse().join("/")}${entry.isRemoved ? " (deleted)" : ""}`;
}

/** Whether a directory is another one, or below it. */
export function isWithin(directory: DirectoryInode, other: DirectoryInode): boolean {
  for (let at = directory; ; at = at.entry.directory) {
    if (at === other) return true;
    if (at.entry.directory === at) return false;
  }
}

export function statOf(inode: Inode): FileStat {
  const { mode, user, group, modifiedMs, accessedMs } = inode.facts;
  return {
    kind: inode.kind satisfies FileKind,
    size: sizeOf(inode),
    modifiedMs,
    accessedMs,
    mode,
    user,
    group,
    names: inode.kind === "directory" ? namesOfDirectory(inode) : inode.nameCount,
    inode: inode.number,
    device: inode.volume.device,
  };
}

function sizeOf(inode: Inode): number {
  if (inode.kind === "file") return inode.bytes.size;
  if (inode.kind === "directory") return DIRECTORY_BYTES;
  return inode.kind === "link" ? new TextEncoder().encode(inode.target).length : 0;
}

/** Its own, `.`, and the `..` of each directory in it. */
function namesOfDirectory({ entries, nameCount }: DirectoryInode): number {
  if (nameCount === 0) return 0;
  let count = 2;
  for (const { inode } of entries.values()) if (inode.kind === "directory") count += 1;
  return count;
}
