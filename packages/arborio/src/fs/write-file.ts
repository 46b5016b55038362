import { requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import type { File } from "./file.ts";
import { type FileData, requireData, writeData } from "./file-data.ts";
import { openFile } from "./open-file.ts";
import type { OpenFlags } from "./open-flags.ts";
import type { PathLike } from "./system-path.ts";

/** Options of `appendFile`. */
export interface AppendFileOptions {
  /** Permission bits of a file that is made, from which the system takes those of the process's umask. Default `0o666`. */
  readonly mode?: number;
  /** Whether to wait until all is on the disk, so that it survives a loss of power. Default `false`. */
  readonly sync?: boolean;
}

/** Options of `writeFile`. */
export interface WriteFileOptions extends AppendFileOptions {
  /** Whether it is an error, `EEXIST`, if anything is there already. Default `false`: what is in the file is thrown away. */
  readonly exclusive?: boolean;
}

/**
 * Writes a file as a whole: one that is missing is made, what was in one that is there is thrown away first. Cancelled, or failed, it
 * leaves what was written until then; `replaceFile` is for what must never be seen half written.
 *
 * @param path relative to the working directory, or a `file:` URL; links are followed.
 * @param data text goes out in UTF-8. An iterable that was not read to its end is told so (`return`), and a foreign one is not waited
 *   for when this is cancelled.
 * @returns number of bytes written.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if the directory is missing, `"ENOSPC"` if the disk is full;
 *   a `PartialWriteError` if some of it was written then. Also if only closing tells that something is lost.
 * @throws TypeError, RangeError if `path` is no path, `data` nothing to write, or an option is none.
 * @throws whatever `data` throws, if it is an iterable.
 *
 * Counterpart: `anyio.Path.write_bytes`, `write_text`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { writeFile } from "arborio/fs";
 *
 * await run(async () => {
 *   console.assert((await writeFile("/dev/null", "grün\n")) === 6);
 * });
 * ```
 */
export async function writeFile(
  path: PathLike,
  data: FileData,
  options: WriteFileOptions = {},
): Promise<number> {
  requireOptions("writeFile(path, data, options)", options, "{ exclusive: true }");
  requireKnown("writeFile", options, { exclusive: true, mode: true, sync: true });
  const { exclusive = false } = options;
  requireFlag("writeFile({ exclusive })", exclusive);
  return await write("writeFile", path, data, options, exclusive ? "wx" : "w");
}

/**
 * Writes behind the end of a file; one that is missing is made. Several programs may append to one file: each piece of up to 1 MiB goes
 * to the end as a whole, unless the system takes only a part of it.
 *
 * @param path, data as of `writeFile`.
 * @returns number of bytes written.
 * @throws as `writeFile`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { appendFile } from "arborio/fs";
 *
 * await run(async () => {
 *   await appendFile("/dev/null", "one more line\n");
 * });
 * ```
 */
export async function appendFile(
  path: PathLike,
  data: FileData,
  options: AppendFileOptions = {},
): Promise<number> {
  requireOptions("appendFile(path, data, options)", options, "{ sync: true }");
  requireKnown("appendFile", options, { mode: true, sync: true });
  return await write("appendFile", path, data, options, "a");
}

async function write(
  where: string,
  path: PathLike,
  data: FileData,
  { mode = 0o666, sync = false }: AppendFileOptions,
  flags: OpenFlags,
): Promise<number> {
  requireData(`${where}(path, data)`, data);
  requireFlag(`${where}({ sync })`, sync);
  const file = await openFile(path, { flags, mode });
  return await fillFile(file, async () => {
    const written = await writeData(`${where}(path, data)`, file, data);
    if (sync) await file.sync();
    return written;
  });
}

/** Closes the file when `fill` has ended, however it does. */
export async function fillFile<T>(file: File, fill: () => Promise<T>): Promise<T> {
  let filled: T;
  try {
    filled = await fill();
  } catch (error) {
    file.close();
    throw error;
  }
  // Only now: an error of closing must not hide the first one.
  await file[Symbol.asyncDispose]();
  return filled;
}
