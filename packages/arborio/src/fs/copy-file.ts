import { requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import { SystemError } from "../core/errors.ts";
import type { FileStat } from "../platform/files.ts";
import { changePath } from "./change-path.ts";
import { stat } from "./stat.ts";
import { isNothingThere } from "./system-code.ts";
import { type PathLike, toPath } from "./system-path.ts";

/** Options of `Path.copy`. */
export interface CopyOptions {
  /** Whether a file that is there is replaced. Default `true`; `false`: an error, `EEXIST`. */
  readonly replace?: boolean;
  /** Whether the copy has the times of the original. Default `false`: those of its making. */
  readonly keepTimes?: boolean;
}

/** `Path.copy`. */
export async function copyFile(
  path: string,
  target: PathLike,
  options: CopyOptions,
): Promise<void> {
  const where = "Path.copy";
  requireOptions(`${where}(target, options)`, options, "{ replace: false }");
  requireKnown(where, options, { replace: true, keepTimes: true });
  const { replace = true, keepTimes = false } = options;
  requireFlag(`${where}({ replace })`, replace);
  requireFlag(`${where}({ keepTimes })`, keepTimes);
  await copyBytes(where, path, toPath(`${where}(target)`, target), { replace, keepTimes });
}

/** Copies a file to where a file is, or nothing. Anything else the system might wait for, or read for ever. */
export async function copyBytes(
  where: string,
  path: string,
  target: string,
  { replace, keepTimes }: Required<CopyOptions>,
): Promise<void> {
  const original = await stat(path);
  requireFile(where, path, original);
  if (replace) {
    const old = await lookAt(target);
    if (old !== null) {
      requireFile(where, target, old);
      if (isSame(old, original))
        throw new SystemError(
          `${where} ${path} to ${target}: both are the same file (EINVAL)`,
          "EINVAL",
        );
    }
  }
  await changePath(where, { kind: "copy-file", path, target, replace });
  if (keepTimes) await giveTimes(where, target, original);
}

/** Gives a copy the times of what it was made of. */
export async function giveTimes(where: string, copy: string, original: FileStat): Promise<void> {
  const { accessedMs, modifiedMs } = original;
  await changePath(where, { kind: "times", path: copy, accessedMs, modifiedMs });
}

/** Whether both tell about the same file or directory. */
export function isSame(one: FileStat, other: FileStat): boolean {
  return one.inode === other.inode && one.device === other.device;
}

function requireFile(where: string, path: string, { kind }: FileStat): void {
  if (kind === "file") return;
  const code = kind === "directory" ? "EISDIR" : "EINVAL";
  throw new SystemError(`${where} ${path}: got a ${kind}, needs a file (${code})`, code);
}

/** What is at a path, links followed; `null` if nothing is. */
async function lookAt(path: string): Promise<FileStat | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isNothingThere(error)) return null;
    throw error;
  }
}
