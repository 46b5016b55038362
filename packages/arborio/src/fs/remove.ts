import { requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import type { PathChange } from "../platform/files.ts";
import { changePath } from "./change-path.ts";
import type { Path } from "./path.ts";
import { removeTree } from "./remove-tree.ts";
import { isNothingThere } from "./system-code.ts";

/** Options of `Path.remove`, `Path.removeDirectory` and `Path.removeTree`. */
export interface RemoveOptions {
  /** Whether it is all right if nothing is there. Default `false`: an error, `ENOENT`. */
  readonly missingOk?: boolean;
}

/** `Path.remove`. */
export async function removeFile({ text }: Path, options: RemoveOptions): Promise<void> {
  await remove("Path.remove", { kind: "remove-file", path: text }, options);
}

/** `Path.removeDirectory`. */
export async function removeDirectory({ text }: Path, options: RemoveOptions): Promise<void> {
  await remove("Path.removeDirectory", { kind: "remove-directory", path: text }, options);
}

/** `Path.removeTree`. */
export async function removePath(path: Path, options: RemoveOptions): Promise<void> {
  const missingOk = readOptions("Path.removeTree", options);
  // The system refuses it too, but only when all that is in it is gone. An empty variable is mostly behind it.
  if (path.name === "" || path.name === "..")
    throw new RangeError(`Path.removeTree: got ${path.text}, needs a path that ends with a name`);
  await removeTree(path, missingOk);
}

async function remove(where: string, change: PathChange, options: RemoveOptions): Promise<void> {
  const missingOk = readOptions(where, options);
  try {
    await changePath(where, change);
  } catch (error) {
    if (!missingOk || !isNothingThere(error)) throw error;
  }
}

function readOptions(where: string, options: RemoveOptions): boolean {
  requireOptions(`${where}(options)`, options, "{ missingOk: true }");
  requireKnown(where, options, { missingOk: true });
  const { missingOk = false } = options;
  requireFlag(`${where}({ missingOk })`, missingOk);
  return missingOk;
}
