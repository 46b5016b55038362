import { requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import { SystemError } from "../core/errors.ts";
import type { FileStat } from "../platform/files.ts";
import { shielded } from "../sync/shield.ts";
import { changePath } from "./change-path.ts";
import { type FileData, requireData, writeData } from "./file-data.ts";
import type { File } from "./file.ts";
import { requireMode } from "./mode.ts";
import { openFile } from "./open-file.ts";
import { randomName } from "./random-name.ts";
import { realPath } from "./real-path.ts";
import { stat } from "./stat.ts";
import { syncDirectory } from "./sync-directory.ts";
import { hasSystemCode } from "./system-code.ts";
import { type PathLike, toPath } from "./system-path.ts";
import { fillFile } from "./write-file.ts";

/** Options of `replaceFile`. */
export interface ReplaceFileOptions {
  /** Permission bits. Default: those of the file that is replaced; `0o666` without those of the umask, if there is none. */
  readonly mode?: number;
  /** Whether to wait until all is on the disk, so that it survives a loss of power. Default `true`. */
  readonly sync?: boolean;
}

/** Bits by which a program runs with the rights of its owner or group. */
const OWNER_RIGHTS = 0o6000;

/**
 * Replaces what is in a file in one step: whoever reads it finds all of the old or all of the new, also after a loss of power, never
 * a part. Cancelled or failed at any point, the old file is whole. The new one is written beside it, under a name that nobody else has
 * (`.replacing-…`), and that is removed if it does not come to its place; only if this process is killed may it stay there.
 *
 * Permission bits are kept, and owner and group as far as the system allows it. Links are followed: the file that they lead to is
 * replaced; a link that leads nowhere is replaced itself. It is another file by the same path: who has the old one open keeps the old one, and other names (hard links) too.
 *
 * @param path relative to the working directory, or a `file:` URL. The directory must be one where files can be made.
 * @param data as of `writeFile`.
 * @returns number of bytes written.
 * @throws SystemError if the system refuses: `"ENOENT"` if the directory is missing, `"ENOSPC"` if the disk is full, `"EINVAL"` if
 *   something is there that is no file. If only the directory cannot be synced, the new file is in its place already.
 * @throws TypeError, RangeError if `path` is no path, `data` nothing to write, or an option is none.
 * @throws whatever `data` throws, if it is an iterable.
 *
 * @example Settings that are never half written
 * ```ts
 * import { run } from "arborio";
 * import { openTemporaryDirectory, readTextFile, replaceFile } from "arborio/fs";
 *
 * await run(async () => {
 *   await using temporary = await openTemporaryDirectory();
 *   const settings = temporary.path.join("settings.json");
 *   await replaceFile(settings, JSON.stringify({ port: 80 }));
 *   console.assert((await readTextFile(settings)) === '{"port":80}');
 * });
 * ```
 */
export async function replaceFile(
  path: PathLike,
  data: FileData,
  options: ReplaceFileOptions = {},
): Promise<number> {
  const where = "replaceFile";
  requireOptions(`${where}(path, data, options)`, options, "{ mode: 0o600 }");
  requireKnown(where, options, { mode: true, sync: true });
  const { sync = true, mode } = options;
  if (mode !== undefined) requireMode(`${where}({ mode })`, mode);
  requireFlag(`${where}({ sync })`, sync);
  requireData(`${where}(path, data)`, data);
  const { target, old } = await find(toPath(where, path));
  const directory = directoryOf(target);
  const written = await writeBeside(directory, target, data, { sync, mode, old });
  // It has happened: what is still to do ends too.
  if (sync) await shielded(() => syncDirectory(where, directory));
  return written;
}

/** The file to replace, if there is one. */
async function find(path: string): Promise<{ target: string; old: FileStat | null }> {
  let old: FileStat;
  try {
    old = await stat(path);
  } catch (error) {
    if (hasSystemCode(error, "ENOENT")) return { target: path, old: null };
    throw error;
  }
  if (old.kind !== "file") {
    const code = old.kind === "directory" ? "EISDIR" : "EINVAL";
    throw new SystemError(
      `replaceFile ${path}: got a ${old.kind}, needs a file, or nothing (${code})`,
      code,
    );
  }
  return { target: await realPath(path), old };
}

interface Replacement {
  readonly sync: boolean;
  readonly mode: number | undefined;
  readonly old: FileStat | null;
}

/** Writes the new file under another name, and gives it its own. */
async function writeBeside(
  directory: string,
  target: string,
  data: FileData,
  { sync, mode, old }: Replacement,
): Promise<number> {
  const beside = `${directory}/${randomName(".replacing-")}`;
  const wanted = mode ?? old?.mode;
  // Never wider than it will be. The bits of the umask are taken away from a new file, as from any.
  const file = await openFile(beside, { flags: "wx", mode: (wanted ?? 0o666) & 0o777 });
  try {
    const written = await fillFile(file, async () => {
      const bytes = await writeData("replaceFile(path, data)", file, data);
      // After writing, which takes some of them away.
      await giveRights(file, beside, old, mode);
      if (sync) await file.sync();
      return bytes;
    });
    await changePath("replaceFile", { kind: "rename", path: beside, target });
    return written;
  } catch (error) {
    await shielded(() => remove(beside));
    throw error;
  }
}

/** Owner and group first: changing them takes bits away. */
async function giveRights(
  file: File,
  path: string,
  old: FileStat | null,
  mode: number | undefined,
): Promise<void> {
  let rights = mode;
  if (old !== null) {
    const isKept = await keepOwner(path, old, await file.stat());
    // The rights of the old owner are not for the new one to give.
    rights ??= isKept ? old.mode : old.mode & ~OWNER_RIGHTS;
  }
  if (rights !== undefined) await changePath("replaceFile", { kind: "mode", path, mode: rights });
}

/** Gives a file the owner and the group of another one, or only the group, if it may; whether it has both. */
async function keepOwner(path: string, old: FileStat, made: FileStat): Promise<boolean> {
  const { group } = old;
  if (made.user === old.user && made.group === group) return true;
  if (await changeOwner(path, old.user, group)) return true;
  if (made.group !== group) await changeOwner(path, made.user, group);
  return false;
}

async function changeOwner(path: string, user: number, group: number): Promise<boolean> {
  try {
    await changePath("replaceFile", { kind: "owner", path, user, group });
    return true;
  } catch (error) {
    if (hasSystemCode(error, "EPERM")) return false;
    throw error;
  }
}

/** Why it is removed is the error to see; that it cannot be is none beside it. */
async function remove(path: string): Promise<void> {
  try {
    await changePath("replaceFile", { kind: "remove-file", path });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

function directoryOf(path: string): string {
  const end = path.lastIndexOf("/");
  if (end < 0) return ".";
  return end === 0 ? "/" : path.slice(0, end);
}
