import type { Dirent, Stats } from "node:fs";
import type {
  DirectoryEntry,
  DirectoryEntryKind,
  FileKind,
  FileStat,
} from "../../platform/files.ts";

export function toFileStat(stats: Stats): FileStat {
  return {
    kind: kindOf(stats),
    size: stats.size,
    modifiedMs: Math.floor(stats.mtimeMs),
    accessedMs: Math.floor(stats.atimeMs),
    mode: stats.mode & 0o7777,
    user: stats.uid,
    group: stats.gid,
    names: stats.nlink,
    inode: stats.ino,
    device: stats.dev,
  };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "link";
  if (stats.isFIFO()) return "fifo";
  return stats.isSocket() ? "socket" : "device";
}

export function toDirectoryEntry(entry: Dirent): DirectoryEntry {
  return { name: entry.name, kind: entryKindOf(entry) };
}

function entryKindOf(entry: Dirent): DirectoryEntryKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "link" : "other";
}
