/**
 * What is known of a watched tree, and what of it was told: each change is the difference of the two, found when it is taken. So
 * what happened several times to one path since the last change was taken is told once, what came and went in between not at all,
 * and memory is bounded by the number of names, however slow the reader.
 *
 * It neither looks nor waits: who looks says what is there, and is told which directories are to be watched.
 */
import type { FileKind, FileStat } from "../platform/files.ts";
import { WatchedEntry } from "./watch-entry.ts";

/** Something that changed in a watched directory. */
export interface DirectoryChange {
  /** `"changed"`: what is in the file, its permissions or its owner; or another file of its kind has its name now. */
  readonly kind: "created" | "changed" | "removed";
  /** The path that was watched, and behind it the names that lead there. */
  readonly path: string;
  /** What is there, or was until it was removed. */
  readonly fileKind: FileKind;
}

/**
 * Milliseconds within which two changes of a file can have the same time: systems keep it by a tick of at most 10 ms, and what
 * runtimes tell is in whole milliseconds.
 */
export const TICK_MS = 20;

/** See above. */
export class WatchedTree {
  readonly root: WatchedEntry;
  readonly #isRecursive: boolean;
  /** Entries that may be other than was told, in the order in which they are told: each where it last came or went. */
  readonly #pending: Set<WatchedEntry> = new Set();
  /** Changes of an entry that has two of them. */
  readonly #ready: DirectoryChange[] = [];

  constructor(path: string, isRecursive: boolean) {
    this.root = new WatchedEntry(null, "", path);
    this.#isRecursive = isRecursive;
  }

  /**
   * Somebody looked, at this time of day, and this is there; `null`: nothing. Watches of what has gone are ended.
   *
   * @returns whether it is a directory that is to be watched and is not.
   */
  put(entry: WatchedEntry, stat: FileStat | null, wallNowMs: number): boolean {
    const before = entry.present;
    if (stat === null) {
      this.#gone(entry);
      return false;
    }
    if (before !== null && before.kind !== stat.kind) this.#gone(entry);
    entry.touched ||= entry.isFresh && before !== null && !differs(before, stat);
    // Of a directory, the time does not count.
    entry.isFresh = stat.kind !== "directory" && stat.modifiedMs > wallNowMs - TICK_MS;
    this.#isThere(entry, stat);
    if (stat.kind !== "directory" || !this.#isRecursive) return false;
    if (entry.identity !== null && !isSame(entry.identity, stat)) entry.unwatch();
    return entry.watch === null;
  }

  #isThere(entry: WatchedEntry, stat: FileStat): void {
    const hasCome = entry.present === null;
    entry.present = stat;
    // It may have been forgotten as it went.
    if (hasCome) entry.parent?.children.set(entry.name, entry);
    // A directory is told before what is in it, whatever of it had been told before.
    if (hasCome) this.#pending.delete(entry);
    if (hasCome || changesOf(entry).length > 0) this.#pending.add(entry);
  }

  /** It has gone, with all that was in it, which is told first. */
  #gone(entry: WatchedEntry): void {
    for (const one of withAllBelow(entry).reverse()) {
      one.unwatch();
      one.isFresh = false;
      one.touched = false;
      if (one.present !== null) {
        one.present = null;
        this.#pending.delete(one);
        this.#pending.add(one);
      }
      this.#forget(one);
    }
  }

  /** The entries of which another change could hide behind the time of the last. */
  fresh(): WatchedEntry[] {
    return withAllBelow(this.root).filter(({ isFresh }) => isFresh);
  }

  /** All that is known counts as told. */
  tellAll(): void {
    for (const entry of this.#pending) tell(entry);
    this.#pending.clear();
  }

  /** The next change, which counts as told then. */
  take(): DirectoryChange | undefined {
    for (const entry of this.#pending) {
      if (this.#ready.length > 0) break;
      this.#pending.delete(entry);
      this.#ready.push(...changesOf(entry));
      tell(entry);
      this.#forget(entry);
    }
    return this.#ready.shift();
  }

  /** Keeps nothing of what is not there, and needs not be told any more. */
  #forget(entry: WatchedEntry): void {
    for (let one = entry; one.parent !== null; one = one.parent) {
      if (one.present !== null || one.told !== null || one.children.size > 0) return;
      one.parent.children.delete(one.name);
      this.#pending.delete(one);
    }
  }

  /** Ends all watches. */
  unwatch(): void {
    for (const entry of withAllBelow(this.root)) entry.unwatch();
  }
}

/** Directories before what is in them. Not by recursion: a tree may be deeper than the stack. */
function withAllBelow(entry: WatchedEntry): WatchedEntry[] {
  const all = [entry];
  for (const one of all) for (const child of one.children.values()) all.push(child);
  return all;
}

function tell(entry: WatchedEntry): void {
  entry.told = entry.present;
  entry.touched = false;
}

function changesOf({ path, told, present, touched }: WatchedEntry): DirectoryChange[] {
  const created = (now: FileStat) => ({ kind: "created", path, fileKind: now.kind }) as const;
  const removed = (was: FileStat) => ({ kind: "removed", path, fileKind: was.kind }) as const;
  if (told === null) return present === null ? [] : [created(present)];
  if (present === null) return [removed(told)];
  if (told.kind !== present.kind) return [removed(told), created(present)];
  if (!touched && !differs(told, present)) return [];
  return [{ kind: "changed", path, fileKind: present.kind }];
}

/** Whether somebody changed something; reading a file is none. */
function differs(one: FileStat, other: FileStat): boolean {
  if (!isSame(one, other) || one.mode !== other.mode) return true;
  if (one.user !== other.user || one.group !== other.group) return true;
  // Of a directory, what changes these is told by itself.
  if (one.kind === "directory") return false;
  return one.size !== other.size || one.modifiedMs !== other.modifiedMs;
}

/** Whether they are of one file. */
export function isSame(one: FileStat, other: FileStat): boolean {
  return one.inode === other.inode && one.device === other.device;
}
