import { requireFlag, requireFunction, requireKnown, requireOptions } from "../core/arguments.ts";
import { SystemError } from "../core/errors.ts";
import type { DirectoryEntry, FileStat } from "../platform/files.ts";
import { changePath } from "./change-path.ts";
import { copyBytes, giveTimes, isSame } from "./copy-file.ts";
import { eachOf } from "./each-of.ts";
import type { Path } from "./path.ts";
import { readDirectory } from "./read-directory.ts";
import { readLink } from "./read-link.ts";
import { realPath } from "./real-path.ts";
import { stat } from "./stat.ts";
import { hasSystemCode } from "./system-code.ts";
import type { PathEntry } from "./tree-walk.ts";

/** Options of `Path.copyTree`. */
export interface CopyTreeOptions {
  /**
   * Whether the target, and directories in it, may be there already; files and links in the way are replaced. Default `false`: an error,
   * `EEXIST`.
   */
  readonly existOk?: boolean;
  /** Whether the copies have the times of the originals. Default `false`: those of their making. */
  readonly keepTimes?: boolean;
  /** Called with each entry of the tree: whether to copy it. Default: all. */
  readonly filter?: (entry: PathEntry) => boolean;
}

const WHERE = "Path.copyTree";

/** What the owner of a directory needs to fill it; beyond that it has no other bits than it will have. */
const OWNER_MAY_ALL = 0o700;
const EXACT_BITS = 0o777;

/** A directory that is being copied. */
interface Level {
  readonly source: Path;
  readonly target: Path;
  /** What is known about the source. */
  readonly stat: FileStat;
  readonly directories: string[];
}

/** `Path.copyTree`. */
export async function copyTree(
  source: Path,
  target: Path,
  options: CopyTreeOptions,
): Promise<void> {
  requireOptions(`${WHERE}(target, options)`, options, "{ existOk: true }");
  requireKnown(WHERE, options, { existOk: true, keepTimes: true, filter: true });
  const { existOk = false, keepTimes = false, filter = () => true } = options;
  requireFlag(`${WHERE}({ existOk })`, existOk);
  requireFlag(`${WHERE}({ keepTimes })`, keepTimes);
  requireFunction(`${WHERE}({ filter })`, filter);
  await refuseInside(source, target);
  await new TreeCopy({ existOk, keepTimes, filter }).run(source, target);
}

/** A copy in what is copied would be copied too, and its copy, and so on. */
async function refuseInside(source: Path, target: Path): Promise<void> {
  const above = target.join(await realPath(source));
  const below = target.join(await realPathOfMissing(target));
  if (below.isRelativeTo(above)) throw inside(source, target);
}

/** The real path of what is there, and behind it what is not. */
async function realPathOfMissing(path: Path): Promise<string> {
  const missing: string[] = [];
  for (let at = path; ; at = at.parent) {
    try {
      return path.join(await realPath(at), ...missing.reverse()).text;
    } catch (error) {
      if (!hasSystemCode(error, "ENOENT") || at.name === "") throw error;
      missing.push(at.name);
    }
  }
}

function inside(source: Path, target: Path): SystemError {
  return new SystemError(
    `${WHERE} ${source.text} to ${target.text}: a directory cannot be copied into itself (EINVAL)`,
    "EINVAL",
  );
}

class TreeCopy {
  readonly #options: Required<CopyTreeOptions>;
  readonly #levels: Level[] = [];
  /** The first directory that was made. It may be met again where one directory can be reached by two ways. */
  #made: FileStat | null = null;

  constructor(options: Required<CopyTreeOptions>) {
    this.#options = options;
  }

  async run(source: Path, target: Path): Promise<void> {
    await this.#enter(source, target);
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const name = level.directories.pop();
      if (name === undefined) await this.#leave(level);
      else await this.#enter(level.source.join(name), level.target.join(name));
    }
  }

  /** Makes a directory, and copies the files of the other one into it. */
  async #enter(source: Path, target: Path): Promise<void> {
    const original = await stat(source);
    if (this.#made !== null && isSame(this.#made, original)) throw inside(source, target);
    const entries = await readDirectory(source);
    await this.#make(target, (original.mode & EXACT_BITS) | OWNER_MAY_ALL);
    this.#made ??= await stat(target);
    const level: Level = { source, target, stat: original, directories: [] };
    this.#levels.push(level);
    const others: DirectoryEntry[] = [];
    for (const entry of entries) {
      if (!this.#options.filter({ path: source.join(entry.name), kind: entry.kind })) continue;
      if (entry.kind === "directory") level.directories.push(entry.name);
      else others.push(entry);
    }
    level.directories.reverse();
    await eachOf(others, ({ name, kind }) =>
      this.#copy(source.join(name), target.join(name), kind),
    );
  }

  async #make(target: Path, mode: number): Promise<void> {
    try {
      await changePath(WHERE, { kind: "make-directory", path: target.text, mode });
    } catch (error) {
      if (!this.#options.existOk || !hasSystemCode(error, "EEXIST")) throw error;
      if ((await stat(target)).kind !== "directory") throw error;
    }
  }

  async #copy(source: Path, target: Path, kind: DirectoryEntry["kind"]): Promise<void> {
    const { existOk, keepTimes } = this.#options;
    if (kind === "link") return await this.#copyLink(source, target);
    if (kind === "other") {
      throw new SystemError(
        `${WHERE} ${source.text}: got a FIFO, a socket or a device, needs a filter that leaves it out (EINVAL)`,
        "EINVAL",
      );
    }
    await copyBytes(WHERE, source.text, target.text, { replace: existOk, keepTimes });
  }

  async #copyLink(source: Path, target: Path): Promise<void> {
    const says = await readLink(WHERE, source.text);
    const make = (): Promise<void> =>
      changePath(WHERE, { kind: "symbolic-link", path: target.text, target: says });
    try {
      await make();
    } catch (error) {
      if (!this.#options.existOk || !hasSystemCode(error, "EEXIST")) throw error;
      await changePath(WHERE, { kind: "remove-file", path: target.text });
      await make();
    }
  }

  /** Only now: a directory that cannot be written could not have been filled, and filling changes its times. */
  async #leave({ target, stat: original }: Level): Promise<void> {
    this.#levels.pop();
    await changePath(WHERE, { kind: "mode", path: target.text, mode: original.mode });
    if (this.#options.keepTimes) await giveTimes(WHERE, target.text, original);
  }
}
