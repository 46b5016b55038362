import { requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import { changePath } from "./change-path.ts";
import { requireMode } from "./mode.ts";
import type { Path } from "./path.ts";
import { stat } from "./stat.ts";
import { hasSystemCode } from "./system-code.ts";

/** Options of `Path.makeDirectory`. */
export interface MakeDirectoryOptions {
  /** Whether the directories above it are made, as far as they are missing. Default `false`. */
  readonly parents?: boolean;
  /** Whether it is all right if it is there already, also behind a link. Default `false`. */
  readonly existOk?: boolean;
  /** Permission bits, from which the system takes those of the process's umask. Default `0o777`, which those above it get in any case. */
  readonly mode?: number;
}

const WHERE = "Path.makeDirectory";

/** Permission bits of a directory unless told otherwise. */
const MODE = 0o777;

/** `Path.makeDirectory`. */
export async function makeDirectory(path: Path, options: MakeDirectoryOptions): Promise<void> {
  requireOptions(`${WHERE}(options)`, options, "{ parents: true }");
  requireKnown(WHERE, options, { parents: true, existOk: true, mode: true });
  const { parents = false, existOk = false, mode = MODE } = options;
  requireFlag(`${WHERE}({ parents })`, parents);
  requireFlag(`${WHERE}({ existOk })`, existOk);
  requireMode(`${WHERE}({ mode })`, mode);
  try {
    await make(path, mode, existOk);
  } catch (error) {
    if (!parents || !hasSystemCode(error, "ENOENT")) throw error;
    await makeParents(path, error);
    await make(path, mode, existOk);
  }
}

async function make(path: Path, mode: number, existOk: boolean): Promise<void> {
  try {
    await changePath(WHERE, { kind: "make-directory", path: path.text, mode });
  } catch (error) {
    // Some systems say first that nothing can be made there, or that it is a directory.
    if (!existOk || !hasSystemCode(error, "EEXIST", "EROFS", "EISDIR")) throw error;
    if (!(await isDirectory(path))) throw error;
  }
}

async function isDirectory(path: Path): Promise<boolean> {
  try {
    return (await stat(path)).kind === "directory";
  } catch (error) {
    if (hasSystemCode(error, "ENOENT", "EACCES")) return false;
    throw error;
  }
}

/** Makes the directories above, from the first that is missing on. */
async function makeParents(path: Path, refusal: unknown): Promise<void> {
  const missing: Path[] = [];
  for (const parent of path.parents) {
    try {
      await make(parent, MODE, true);
      break;
    } catch (error) {
      if (!hasSystemCode(error, "ENOENT")) throw error;
      missing.push(parent);
    }
  }
  // Not even the topmost can be made: the working directory is gone, or a link leads nowhere.
  if (missing.length === path.parents.length) throw refusal;
  for (const parent of missing.reverse()) await make(parent, MODE, true);
}
