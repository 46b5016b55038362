import type { VirtualClock } from "../clock.ts";
import type { Chooser } from "../chooser.ts";
import { systemError } from "../system-errors.ts";
import { DirectoryWatches } from "./directory-watches.ts";
import { FileLocks } from "./file-locks.ts";
import type {
  DirectoryInode,
  Entry,
  FileInode,
  Inode,
  InodeFacts,
  LinkInode,
  SocketInode,
} from "./inode.ts";
import { Journal, type NameChange, type Step } from "./journal.ts";
import { PAGE_BYTES, SparseBytes } from "./sparse-bytes.ts";
import { Volume } from "./volume.ts";

/** Who owns files that nobody has given to others, and who all programs run as: an ordinary user, as on most machines. */
export const ORDINARY_USER = { user: 1000, group: 1000 } as const;

/** One in how many of the unsynced changes survives a crash, of four: in some crashes all, in some none. */
const SURVIVING = 5;

/** Inodes, and the names that lead to them. Knows what has reached the disk. Who may do what is not asked here. */
export class Disk {
  readonly clock: VirtualClock;
  readonly root: DirectoryInode;
  readonly journal: Journal = new Journal();
  #inodes = 0;

  constructor(clock: VirtualClock) {
    this.clock = clock;
    this.root = this.createDirectory(new Volume(1), 0o755);
    this.root.nameCount = 1;
  }

  // Inodes ---------------------------------------------------------------------------------------------------------------

  createFile(volume: Volume, mode: number): FileInode {
    const kind = "file";
    return {
      kind,
      ...this.#newBase(volume, mode),
      bytes: new SparseBytes(volume),
      locks: new FileLocks(),
      openCount: 0,
    };
  }

  createDirectory(volume: Volume, mode: number): DirectoryInode {
    const inode: Omit<DirectoryInode, "entry"> = {
      kind: "directory",
      ...this.#newBase(volume, mode),
      entries: new Map(),
      watches: new DirectoryWatches(),
    };
    return withOwnEntry(inode);
  }

  createLink(volume: Volume, target: string): LinkInode {
    return { kind: "link", ...this.#newBase(volume, 0o777), target };
  }

  createSocket(volume: Volume, mode: number): SocketInode {
    return { kind: "socket", ...this.#newBase(volume, mode) };
  }

  #newBase(volume: Volume, mode: number): Omit<SocketInode, "kind"> {
    const nowMs = this.clock.wallNow();
    return {
      volume,
      number: ++this.#inodes,
      facts: { mode, ...ORDINARY_USER, modifiedMs: nowMs, accessedMs: nowMs },
      syncedFacts: null,
      nameCount: 0,
      isDamaged: false,
    };
  }

  /** Changes what is known about an inode. */
  setFacts(inode: Inode, facts: Partial<InodeFacts>): void {
    inode.syncedFacts ??= inode.facts;
    inode.facts = { ...inode.facts, ...facts };
  }

  /** The facts of an inode, and its contents, though not the names in a directory, are on the disk now. */
  sync(inode: Inode): void {
    inode.syncedFacts = null;
    if (inode.kind === "file") inode.bytes.sync();
  }

  /** A descriptor leads to a file no more. */
  release(file: FileInode): void {
    file.openCount -= 1;
    if (file.nameCount === 0 && file.openCount === 0) file.bytes.release();
  }

  // Names ----------------------------------------------------------------------------------------------------------------

  /** Gives an inode a name that is free. */
  add(directory: DirectoryInode, name: string, inode: Inode): Entry {
    const entry = this.#enter(directory, name, inode);
    this.#happened([{ directory, name, before: null, after: inode }]);
    return entry;
  }

  /** Takes away a name. */
  remove(entry: Entry): void {
    const { directory, name, inode } = entry;
    this.#leave(entry);
    this.#happened([{ directory, name, before: inode, after: null }]);
  }

  /** Moves an entry, in place of one that may be there. */
  move(entry: Entry, directory: DirectoryInode, name: string): void {
    const { directory: from, name: oldName, inode } = entry;
    const replaced = directory.entries.get(name);
    if (replaced !== undefined) this.#leave(replaced);
    from.entries.delete(oldName);
    entry.directory = directory;
    entry.name = name;
    directory.entries.set(name, entry);
    if (inode.kind === "directory") loseWatches(inode, oldName);
    this.#happened([
      { directory: from, name: oldName, before: inode, after: null },
      { directory, name, before: replaced?.inode ?? null, after: inode },
    ]);
  }

  #enter(directory: DirectoryInode, name: string, inode: Inode): Entry {
    const entry: Entry = { directory, name, inode, isRemoved: false };
    directory.entries.set(name, entry);
    inode.nameCount += 1;
    if (inode.kind === "directory") inode.entry = entry;
    return entry;
  }

  #leave(entry: Entry): void {
    const { directory, inode } = entry;
    directory.entries.delete(entry.name);
    entry.isRemoved = true;
    inode.nameCount -= 1;
    if (inode.nameCount > 0) return;
    if (inode.kind === "file" && inode.openCount === 0) inode.bytes.release();
    if (inode.kind === "directory") loseWatches(inode, entry.name);
  }

  #happened(step: readonly NameChange[]): void {
    this.journal.record(step);
    const modifiedMs = this.clock.wallNow();
    for (const { directory, name } of step) {
      this.setFacts(directory, { modifiedMs });
      directory.watches.changed(name);
    }
  }

  // Crashes --------------------------------------------------------------------------------------------------------------

  /** Forgets what had not reached the disk, as the seed has it. No file may be open. */
  crash(chooser: Chooser): void {
    const before = namesBelow(this.root);
    // Lucky and unlucky crashes, from all to nothing; each unsynced change has its own luck in between.
    const luck = chooser.pick("fault", SURVIVING);
    const survives = (): boolean => chooser.pick("fault", SURVIVING - 1) < luck;
    const { steps, kept } = this.journal.crash(survives);
    for (const step of steps.toReversed()) this.#redo(step, "before");
    for (const step of steps) if (kept.has(step)) this.#redo(step, "after");
    const after = namesBelow(this.root);
    for (const inode of before.keys())
      if (!after.has(inode) && inode.kind === "file") inode.bytes.release();
    for (const [inode, nameCount] of after) {
      // Names in directories that are gone do not count.
      inode.nameCount = nameCount;
      crashInode(inode, survives, chooser);
    }
  }

  #redo(step: Step, which: "before" | "after"): void {
    for (const change of step) {
      const there = change.directory.entries.get(change.name);
      if (there !== undefined) {
        change.directory.entries.delete(change.name);
        there.inode.nameCount -= 1;
      }
      const inode = change[which];
      if (inode !== null) this.#enter(change.directory, change.name, inode);
    }
  }
}

/** A watch is of what is at a path: of a directory that goes elsewhere it ends. */
function loseWatches({ watches }: DirectoryInode, name: string): void {
  watches.failed(systemError(`watch ${name}`, "ENOENT"));
}

function crashInode(inode: Inode, survives: () => boolean, chooser: Chooser): void {
  if (inode.syncedFacts !== null && !survives()) inode.facts = inode.syncedFacts;
  inode.syncedFacts = null;
  if (inode.kind !== "file") return;
  inode.bytes.restore();
  inode.bytes.crash(survives, (synced, current) => {
    if (survives()) return current;
    // Or what some of the pages in between make.
    const pages = Math.floor(Math.abs(current - synced) / PAGE_BYTES);
    const chosen = chooser.pick("fault", 2) === 0 ? 0 : chooser.pick("fault", pages + 1);
    return synced + Math.sign(current - synced) * chosen * PAGE_BYTES;
  });
}

/** All that can be reached, and how many names each has. */
function namesBelow(root: DirectoryInode): Map<Inode, number> {
  const found = new Map<Inode, number>([[root, 1]]);
  for (const inode of found.keys()) {
    if (inode.kind !== "directory") continue;
    for (const entry of inode.entries.values())
      found.set(entry.inode, (found.get(entry.inode) ?? 0) + 1);
  }
  return found;
}

function withOwnEntry(inode: Omit<DirectoryInode, "entry">): DirectoryInode {
  const directory = inode as DirectoryInode;
  directory.entry = { directory, name: "", inode: directory, isRemoved: false };
  return directory;
}
