/**
 * Removing a directory with all that is in it: the names of one directory after the other, the deepest first, with a list of the directories
 * on the way down instead of calls within calls.
 *
 * Each directory is opened, not through a link, and what is in it is named by that: so nobody can have anything removed elsewhere who puts
 * a link in the place of a directory meanwhile; `rm -r` and Python's `shutil.rmtree` see to it in the same way. Only the nearest are kept
 * open. One that was closed is found again as `..` of the one below, and must be the same.
 *
 * Where the system has no way to open directories so (`Files.openDirectory`), all is named by paths. Then such a link does its harm, and a
 * path may become too long for the system: the directory that has been reached is moved up, to where its path is short.
 */
import { SystemError } from "../core/errors.ts";
import type { DirectoryEntry, DirectoryHandle, FileStat } from "../platform/files.ts";
import { changePath } from "./change-path.ts";
import { isSame } from "./copy-file.ts";
import { eachOf } from "./each-of.ts";
import { openDirectory } from "./open-directory.ts";
import type { Path } from "./path.ts";
import { randomName } from "./random-name.ts";
import { readDirectory } from "./read-directory.ts";
import { stat } from "./stat.ts";
import { hasSystemCode, isNothingThere } from "./system-code.ts";

const WHERE = "Path.removeTree";

/** So many directories of one tree are open at most: some systems give a process 256 descriptors for everything. */
const OPEN_MAX = 32;

/** So often a directory is gone through again that others put something into meanwhile. */
const ATTEMPTS_MAX = 5;

/** So many of the paths that cannot be removed are named in the error. */
const NAMED_MAX = 5;

/** Permission bits of a directory whose owner may do all that is needed to empty it. */
const OWNER_MAY_ALL = 0o700;

/** A directory on the way. */
interface Level {
  readonly name: string;
  /** As errors tell it. */
  path: Path;
  /** `null`: it is named by its path, or too far up to be kept open. */
  handle: DirectoryHandle | null;
  /** Which directory it is; known when it was closed. */
  identity: FileStat | null;
  /** Directories in it that are still to be removed. */
  readonly directories: string[];
  /** How often it was read. */
  attempts: number;
  /** Whether something in it is left, so that it is too. */
  isStuck: boolean;
  isMoved: boolean;
  isPermitted: boolean;
}

/** Something that could not be removed. */
interface Failure {
  readonly path: Path;
  readonly error: SystemError;
  /** Why, with paths in place of what the system calls open directories. */
  readonly message: string;
}

/** `Path.removeTree`. With `force`, permissions of directories are changed where they are in the way. */
export async function removeTree(path: Path, missingOk: boolean, force = false): Promise<void> {
  try {
    const { kind } = await stat(path, { followLinks: false });
    if (kind !== "directory") return await removeFile(path.text);
  } catch (error) {
    if (missingOk && isNothingThere(error)) return;
    throw error;
  }
  await new TreeRemoval(path, force).run();
}

class TreeRemoval {
  readonly #root: Path;
  readonly #force: boolean;
  readonly #levels: Level[] = [];
  /** Whether directories cannot be opened. */
  #isByPath = false;
  readonly #failures: Failure[] = [];
  #failureCount = 0;

  constructor(root: Path, force: boolean) {
    this.#root = root;
    this.#force = force;
  }

  async run(): Promise<void> {
    try {
      await this.#enter("", this.#root);
      for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
        const name = level.directories.pop();
        if (name === undefined) await this.#leave(level);
        else await this.#enter(name, level.path.join(name));
      }
    } finally {
      for (const { handle } of this.#levels) handle?.close();
    }
    if (this.#failureCount > 0) throw this.#error();
  }

  async #enter(name: string, path: Path): Promise<void> {
    const level: Level = {
      name,
      path,
      handle: null,
      identity: null,
      directories: [],
      attempts: 0,
      isStuck: false,
      isMoved: false,
      isPermitted: false,
    };
    await this.#start(level);
  }

  /** Opens a directory that is in the last one, and removes the files in it. */
  async #start(level: Level): Promise<void> {
    const parent = this.#levels.at(-1);
    const open = (): Promise<boolean> => this.#open(level, parent);
    if ((await this.#attempt(open, () => level.path, parent, null)) !== true) return;
    this.#levels.push(level);
    await this.#closeFarthest();
    if (!(await this.#empty(level, parent))) this.#pop();
  }

  /** Whether it is a directory: what has taken its place is removed. */
  async #open(level: Level, parent: Level | undefined): Promise<boolean> {
    const path = this.#nameIn(parent, level.name);
    try {
      level.handle = await openDirectory(WHERE, path);
    } catch (error) {
      if (!hasSystemCode(error, "ENOTDIR")) throw error;
      await removeFile(path);
      return false;
    }
    if (parent === undefined) this.#isByPath = level.handle === null;
    return true;
  }

  /** Keeps the nearest open, and the root. */
  async #closeFarthest(): Promise<void> {
    const index = this.#levels.length - OPEN_MAX;
    const level = index > 0 ? this.#levels[index] : undefined;
    if (level === undefined || level.handle === null) return;
    level.identity = await stat(level.handle.path);
    level.handle.close();
    level.handle = null;
  }

  /** Sees to it that the directory above is open; whether it is. If not, all that can still be done is in the root. */
  async #openAgain(parent: Level | undefined, below: Level): Promise<boolean> {
    if (this.#isByPath || parent === undefined || parent.handle !== null) return true;
    try {
      parent.handle = await openDirectory(WHERE, this.#nameIn(below, ".."));
      if (isSame(await stat(this.#at(parent)), parent.identity as FileStat)) return true;
      throw new SystemError(`${parent.path.text}: what was in it was moved (ESTALE)`, "ESTALE");
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#note(parent.path, error);
    }
    while (this.#levels.length > 1) this.#pop();
    for (const root of this.#levels) root.isStuck = true;
    return false;
  }

  #pop(): void {
    const level = this.#levels.pop() as Level;
    level.handle?.close();
    level.handle = null;
  }

  /** What the system is to call a directory. */
  #at(level: Level): string {
    return this.#isByPath ? level.path.text : (level.handle as DirectoryHandle).path;
  }

  #nameIn(parent: Level | undefined, name: string): string {
    return parent === undefined ? this.#root.text : `${this.#at(parent)}/${name}`;
  }

  /** Reads a directory and removes the files in it; whether it is there and can be read. */
  async #empty(level: Level, parent: Level | undefined): Promise<boolean> {
    level.attempts += 1;
    const read = (): Promise<DirectoryEntry[]> => readDirectory(this.#at(level));
    const entries = await this.#attempt(read, () => level.path, parent, level);
    if (entries === null) return false;
    const refused: string[] = [];
    const files = entries.filter(({ kind }) => kind !== "directory");
    for (const { name, kind } of entries) if (kind === "directory") level.directories.push(name);
    const remove = (name: string): Promise<void> => removeFile(this.#nameIn(level, name));
    await eachOf(files, async ({ name }) => {
      try {
        await remove(name);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (!isNothingThere(error)) refused.push(name);
      }
    });
    // One after the other, since what helps one of them concerns all.
    for (const name of refused) {
      await this.#attempt(
        () => remove(name),
        () => level.path.join(name),
        level,
        null,
      );
    }
    return true;
  }

  /** Removes a directory that has been emptied. */
  async #leave(level: Level): Promise<void> {
    const parent = this.#levels.at(-2);
    if (!(await this.#openAgain(parent, level))) return;
    this.#pop();
    if (level.isStuck) {
      if (parent !== undefined) parent.isStuck = true;
      return;
    }
    const remove = async (): Promise<boolean> => {
      const path = this.#nameIn(parent, level.name);
      try {
        await changePath(WHERE, { kind: "remove-directory", path });
      } catch (error) {
        const isFilledAgain = hasSystemCode(error, "ENOTEMPTY", "EEXIST");
        if (isFilledAgain && level.attempts < ATTEMPTS_MAX) return false;
        if (!hasSystemCode(error, "ENOTDIR")) throw error;
        await removeFile(path);
      }
      return true;
    };
    if ((await this.#attempt(remove, () => level.path, parent, null)) === false)
      await this.#start(level);
  }

  /**
   * Does something with what is at a path in `parent`. What can be helped is helped. `null` if nothing is there any more, or if it
   * cannot be done: then that is noted.
   */
  async #attempt<T>(
    act: () => Promise<T>,
    path: () => Path,
    parent: Level | undefined,
    self: Level | null,
  ): Promise<T | null> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (isNothingThere(error)) return null;
        if (await this.#help(error, parent, self)) continue;
        if (parent !== undefined) parent.isStuck = true;
        this.#note(path(), error);
        return null;
      }
    }
  }

  #note(path: Path, error: SystemError): void {
    this.#failureCount += 1;
    if (this.#failures.length >= NAMED_MAX) return;
    let { message } = error;
    for (const { handle, path: directory } of this.#levels) {
      if (handle === null) continue;
      for (const end of "/:")
        message = message.replaceAll(handle.path + end, () => directory.text + end);
    }
    this.#failures.push({ path, error, message });
  }

  /** Whether something was changed that may have been in the way. */
  async #help(error: SystemError, parent: Level | undefined, self: Level | null): Promise<boolean> {
    if (hasSystemCode(error, "ENAMETOOLONG")) {
      if (parent === undefined || !(await this.#shorten(parent))) return false;
      if (self !== null) self.path = parent.path.join(self.name);
      return true;
    }
    if (!this.#force || !hasSystemCode(error, "EACCES", "EPERM")) return false;
    const isParentPermitted = parent !== undefined && (await this.#permit(parent));
    const isSelfPermitted = self !== null && (await this.#permit(self));
    return isParentPermitted || isSelfPermitted;
  }

  /** Gives a directory a short path. */
  async #shorten(level: Level): Promise<boolean> {
    if (!this.#isByPath || level.isMoved || level.path === this.#root) return false;
    level.isMoved = true;
    const target = this.#root.join(randomName(".removing-"));
    const rename = { kind: "rename", path: level.path.text, target: target.text } as const;
    if (!(await succeeds(() => changePath(WHERE, rename)))) return false;
    level.path = target;
    return true;
  }

  /** Lets the owner of a directory remove what is in it. */
  async #permit(level: Level): Promise<boolean> {
    if (level.isPermitted) return false;
    level.isPermitted = true;
    const mode = { kind: "mode", path: this.#at(level), mode: OWNER_MAY_ALL } as const;
    return await succeeds(() => changePath(WHERE, mode));
  }

  #error(): SystemError {
    const [first] = this.#failures;
    const named = this.#failures.map(({ path }) => path.text).join(", ");
    const more = this.#failureCount - this.#failures.length;
    return new SystemError(
      `${WHERE} ${this.#root.text}: not all could be removed: ${named}${more > 0 ? ` and ${more} more` : ""}; ${first?.message}`,
      first?.error.systemCode ?? "EUNKNOWN",
      { cause: first?.error },
    );
  }
}

function removeFile(path: string): Promise<void> {
  return changePath(WHERE, { kind: "remove-file", path });
}

async function succeeds(act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}
