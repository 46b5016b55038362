/**
 * Removing a directory with all that is in it: the names of one directory after the other, the deepest first, with a list of the directories
 * on the way down instead of calls within calls. All is named by paths, since that is all that runtimes have. So
 *
 * - whoever may write to a directory in the tree, and replaces another one in it by a link at the right moment, makes this remove what the
 *   link leads to (`rm -r` of the system does not, since it goes by descriptors);
 * - a path may become too long for the system; then the directory that has been reached is moved up, to where its path is short.
 */
import { SystemError } from "../core/errors.ts";
import type { DirectoryEntry } from "../platform/files.ts";
import { changePath } from "./change-path.ts";
import { eachOf } from "./each-of.ts";
import type { Path } from "./path.ts";
import { randomName } from "./random-name.ts";
import { readDirectory } from "./read-directory.ts";
import { stat } from "./stat.ts";
import { hasSystemCode, isNothingThere } from "./system-code.ts";

const WHERE = "Path.removeTree";

/** So often a directory is gone through again that others put something into meanwhile. */
const ATTEMPTS_MAX = 5;

/** So many of the paths that cannot be removed are named in the error. */
const NAMED_MAX = 5;

/** Permission bits of a directory whose owner may do all that is needed to empty it. */
const OWNER_MAY_ALL = 0o700;

/** A directory on the way. */
interface Level {
  readonly name: string;
  path: Path;
  /** Directories in it that are still to be removed. */
  readonly directories: string[];
  /** How often it was read. */
  attempts: number;
  /** Whether something in it is left, so that it is too. */
  isStuck: boolean;
  isMoved: boolean;
  isOpened: boolean;
}

/** `Path.removeTree`. With `force`, permissions of directories are changed where they are in the way. */
export async function removeTree(path: Path, missingOk: boolean, force = false): Promise<void> {
  try {
    const { kind } = await stat(path, { followLinks: false });
    if (kind !== "directory") return await removeFile(path);
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
  readonly #failures: { readonly path: Path; readonly error: SystemError }[] = [];
  #failureCount = 0;

  constructor(root: Path, force: boolean) {
    this.#root = root;
    this.#force = force;
  }

  async run(): Promise<void> {
    await this.#enter("", this.#root);
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const name = level.directories.pop();
      if (name === undefined) await this.#leave(level);
      else await this.#enter(name, level.path.join(name));
    }
    if (this.#failureCount > 0) throw this.#error();
  }

  async #enter(name: string, path: Path): Promise<void> {
    const parent = this.#levels.at(-1);
    const level: Level = {
      name,
      path,
      directories: [],
      attempts: 0,
      isStuck: false,
      isMoved: false,
      isOpened: false,
    };
    this.#levels.push(level);
    if (!(await this.#empty(level, parent))) this.#levels.pop();
  }

  /** Reads a directory and removes the files in it; whether it is there and can be read. */
  async #empty(level: Level, parent: Level | undefined): Promise<boolean> {
    level.attempts += 1;
    const read = (): Promise<DirectoryEntry[]> => readDirectory(level.path);
    const entries = await this.#attempt(read, () => level.path, parent, level);
    if (entries === null) return false;
    const refused: string[] = [];
    const files = entries.filter(({ kind }) => kind !== "directory");
    for (const { name, kind } of entries) if (kind === "directory") level.directories.push(name);
    await eachOf(files, async ({ name }) => {
      try {
        await removeFile(level.path.join(name));
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (!isNothingThere(error)) refused.push(name);
      }
    });
    // One after the other, since what helps one of them concerns all.
    for (const name of refused) {
      const path = (): Path => level.path.join(name);
      await this.#attempt(() => removeFile(path()), path, level, null);
    }
    return true;
  }

  /** Removes a directory that has been emptied. */
  async #leave(level: Level): Promise<void> {
    this.#levels.pop();
    const parent = this.#levels.at(-1);
    if (level.isStuck) {
      if (parent !== undefined) parent.isStuck = true;
      return;
    }
    const remove = async (): Promise<boolean> => {
      try {
        await changePath(WHERE, { kind: "remove-directory", path: level.path.text });
        return true;
      } catch (error) {
        const isFilledAgain = hasSystemCode(error, "ENOTEMPTY", "EEXIST");
        if (isFilledAgain && level.attempts < ATTEMPTS_MAX) return false;
        throw error;
      }
    };
    if ((await this.#attempt(remove, () => level.path, parent, null)) !== false) return;
    this.#levels.push(level);
    if (!(await this.#empty(level, parent))) this.#levels.pop();
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
        this.#failureCount += 1;
        if (this.#failures.length < NAMED_MAX) this.#failures.push({ path: path(), error });
        return null;
      }
    }
  }

  /** Whether something was changed that may have been in the way. */
  async #help(error: SystemError, parent: Level | undefined, self: Level | null): Promise<boolean> {
    if (hasSystemCode(error, "ENAMETOOLONG")) {
      if (parent === undefined || !(await this.#shorten(parent))) return false;
      if (self !== null) self.path = parent.path.join(self.name);
      return true;
    }
    if (!this.#force || !hasSystemCode(error, "EACCES", "EPERM")) return false;
    const isParentOpened = parent !== undefined && (await this.#open(parent));
    const isSelfOpened = self !== null && (await this.#open(self));
    return isParentOpened || isSelfOpened;
  }

  /** Gives a directory a short path. */
  async #shorten(level: Level): Promise<boolean> {
    if (level.isMoved || level.path === this.#root) return false;
    level.isMoved = true;
    const target = this.#root.join(randomName(".removing-"));
    const rename = { kind: "rename", path: level.path.text, target: target.text } as const;
    if (!(await succeeds(() => changePath(WHERE, rename)))) return false;
    level.path = target;
    return true;
  }

  /** Lets the owner of a directory remove what is in it. */
  async #open(level: Level): Promise<boolean> {
    if (level.isOpened) return false;
    level.isOpened = true;
    const mode = { kind: "mode", path: level.path.text, mode: OWNER_MAY_ALL } as const;
    return await succeeds(() => changePath(WHERE, mode));
  }

  #error(): SystemError {
    const [first] = this.#failures.map(({ error }) => error);
    const named = this.#failures.map(({ path }) => path.text).join(", ");
    const more = this.#failureCount - this.#failures.length;
    return new SystemError(
      `${WHERE} ${this.#root.text}: not all could be removed: ${named}${more > 0 ? ` and ${more} more` : ""}; ${first?.message}`,
      first?.systemCode ?? "EUNKNOWN",
      { cause: first },
    );
  }
}

function removeFile({ text }: Path): Promise<void> {
  return changePath(WHERE, { kind: "remove-file", path: text });
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
