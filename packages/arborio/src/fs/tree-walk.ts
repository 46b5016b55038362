/**
 * Goes through a tree of directories, one entry at a time, each directory in the order of its names.
 *
 * It is an iterator written by hand, since a generator is over with the first error: here a wait that was cancelled is begun again by the
 * next call, and after an unreadable directory the walk goes on behind it. What is held is the rest of each directory on the way down to
 * where it is.
 */
import { ambientScope } from "../core/ambient.ts";
import { BusyResourceError, SystemError } from "../core/errors.ts";
import type { DirectoryEntry, DirectoryEntryKind, FileStat } from "../platform/files.ts";
import type { Path } from "./path.ts";
import { readDirectory } from "./read-directory.ts";
import { stat } from "./stat.ts";

/** Something in a directory. */
export interface PathEntry {
  /** Where it is: the path that was asked, and the names below it. */
  readonly path: Path;
  /** What it is; of a link not what it leads to, unless links are followed. */
  readonly kind: DirectoryEntryKind;
}

/** What a walk does. `State` is what is known about a directory from the names above it. */
export interface WalkPlan<State> {
  readonly start: State;
  /** What to do with a name: whether it is given out, and the state of what is below it, or `null` if nothing there is wanted. */
  readonly step: (
    state: State,
    name: string,
  ) => { readonly isWanted: boolean; readonly below: State | null };
  readonly followLinks: boolean;
  readonly childrenFirst: boolean;
  readonly depthMax: number;
  readonly enter: (entry: PathEntry) => boolean;
  /** `null`: it is thrown. */
  readonly onError: ((error: SystemError, path: Path) => void) | null;
}

/** A directory on the way. */
interface Level<State> {
  readonly path: Path;
  readonly state: State;
  /** It itself, given out when all below it has been, if it is wanted. */
  readonly last: PathEntry | null;
  /** Which directory it is, if links are followed: else nobody needs to know. */
  identity: FileStat | null;
  /** What is still to come, the next at the end; `null` until it was read. */
  names: DirectoryEntry[] | null;
}

/** What a link leads to, asked for one entry. */
interface Followed {
  readonly entry: DirectoryEntry;
  readonly kind: DirectoryEntryKind;
  readonly identity: FileStat | null;
}

type Result = IteratorResult<PathEntry, undefined>;

const END: Result = { done: true, value: undefined };

export class TreeWalk<State> implements AsyncIterableIterator<PathEntry, undefined, undefined> {
  readonly #plan: WalkPlan<State>;
  readonly #levels: Level<State>[];
  #followed: Followed | null = null;
  #isBusy = false;

  constructor(root: Path, plan: WalkPlan<State>) {
    this.#plan = plan;
    this.#levels = [{ path: root, state: plan.start, last: null, identity: null, names: null }];
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#isBusy) {
      return scope.kernel.rejected(
        new BusyResourceError(
          "Path.walk: another task waits for the next entry at the moment; let one task walk, and give out what it finds",
        ),
      );
    }
    try {
      const result = this.#take();
      return result === null ? this.#wait() : scope.kernel.ready(result);
    } catch (error) {
      return scope.kernel.rejected(error);
    }
  }

  /** Lets go of what is held. */
  return(): Promise<Result> {
    this.#levels.length = 0;
    return Promise.resolve(END);
  }

  async #wait(): Promise<Result> {
    this.#isBusy = true;
    try {
      for (;;) {
        await this.#ask();
        const result = this.#take();
        if (result !== null) return result;
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** The next entry, as far as nothing has to be asked of the system first; else `null`. */
  #take(): Result | null {
    for (;;) {
      const level = this.#levels.at(-1);
      if (level === undefined) return END;
      if (level.names === null) return null;
      const entry = level.names.at(-1);
      if (entry === undefined) {
        this.#levels.pop();
        if (level.last !== null) return { done: false, value: level.last };
      } else {
        if (this.#mustFollow(entry)) return null;
        const found = this.#decide(level, entry);
        if (found !== null) return { done: false, value: found };
      }
    }
  }

  #mustFollow(entry: DirectoryEntry): boolean {
    return this.#plan.followLinks && entry.kind === "link" && this.#followed?.entry !== entry;
  }

  /** What becomes of an entry: whether it is entered, and whether it is given out, now or later. */
  #decide(level: Level<State>, entry: DirectoryEntry): PathEntry | null {
    const { step, depthMax, enter, childrenFirst } = this.#plan;
    const followed = this.#followed?.entry === entry ? this.#followed : null;
    const { isWanted, below } = step(level.state, entry.name);
    const kind = followed?.kind ?? entry.kind;
    const mayEnter = kind === "directory" && below !== null && this.#levels.length < depthMax;
    if (!isWanted && !mayEnter) {
      level.names?.pop();
      return null;
    }
    const found: PathEntry = { path: level.path.join(entry.name), kind };
    const enters = mayEnter && enter(found);
    // Only now: what was thrown until here comes again with the next call.
    level.names?.pop();
    this.#followed = null;
    if (enters) {
      const last = childrenFirst && isWanted ? found : null;
      const identity = followed?.identity ?? null;
      this.#levels.push({ path: found.path, state: below, last, identity, names: null });
      if (last !== null) return null;
    }
    return isWanted ? found : null;
  }

  /** Asks the system what has to be known to go on. */
  async #ask(): Promise<void> {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    if (level.names === null) await this.#read(level);
    else await this.#follow(level, level.names.at(-1) as DirectoryEntry);
  }

  async #read(level: Level<State>): Promise<void> {
    try {
      if (this.#plan.followLinks && level.identity === null)
        level.identity = await stat(level.path);
      level.names = (await readDirectory(level.path)).reverse();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#skip(level, error);
    }
  }

  /** Goes on behind a directory that cannot be read. */
  #skip(level: Level<State>, error: SystemError): void {
    const isRoot = this.#levels.length === 1;
    if (!isRoot && isGone(error)) {
      this.#levels.pop();
      return;
    }
    level.names = [];
    if (this.#plan.onError === null) throw error;
    this.#plan.onError(error, level.path);
  }

  async #follow(level: Level<State>, entry: DirectoryEntry): Promise<void> {
    const found = await this.#look(level.path.join(entry.name));
    const isLoop = this.#levels.some(({ identity }) => isSame(identity, found));
    this.#followed =
      found === null || isLoop
        ? { entry, kind: "link", identity: null }
        : { entry, kind: kindOf(found), identity: found };
  }

  /** What a link leads to; `null` if to nothing that can be known. */
  async #look(path: Path): Promise<FileStat | null> {
    try {
      return await stat(path);
    } catch (error) {
      if (error instanceof SystemError) return null;
      throw error;
    }
  }
}

/** Whether something was removed, or replaced by something that is no directory, since its name was read. */
function isGone({ systemCode }: SystemError): boolean {
  return systemCode === "ENOENT" || systemCode === "ENOTDIR";
}

function isSame(one: FileStat | null, other: FileStat | null): boolean {
  if (one === null || other === null) return false;
  return one.inode === other.inode && one.device === other.device;
}

function kindOf({ kind }: FileStat): DirectoryEntryKind {
  return kind === "file" || kind === "directory" || kind === "link" ? kind : "other";
}
