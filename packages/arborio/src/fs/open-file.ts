import { requireKnown, requireOptions } from "../core/arguments.ts";
import { requireCapability } from "../platform/capabilities.ts";
import type { FileHandle } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { File } from "./file.ts";
import { requireMode } from "./mode.ts";
import { type OpenFlags, type OpenRequest, requestOf } from "./open-flags.ts";
import { type PathLike, toPath } from "./system-path.ts";

/** Options of `openFile`. */
export interface OpenFileOptions {
  /** What for. Default `"r"`: to read. */
  readonly flags?: OpenFlags;
  /** Permission bits of a file that is made, from which the system takes those of the process's umask. Default `0o666`. */
  readonly mode?: number;
}

/**
 * Opens a file, to read unless `flags` say otherwise; links are followed. Cancelled, it opened none: one that the system opened too
 * late is closed. With flags that make or empty a file it is not cancelled once it has begun.
 *
 * It never waits for the other side of a FIFO. Special files can be opened, and `stat` tells their kind. Devices without a
 * position, terminals, FIFOs and sockets cannot be read as a `File` though, or not opened at all: the system says `ESPIPE` or
 * `ENXIO`. What serves files to others should refuse everything whose kind is not `"file"`.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @returns the open file; close it, best by `using`.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there, `"EISDIR"` if it is a directory,
 *   `"EACCES"` if this process may not, `"EEXIST"` if something is there and the flags have an `x`.
 * @throws TypeError, RangeError if `path` is no path, or an option is none.
 *
 * Counterpart: `anyio.open_file`, `trio.open_file`.
 *
 * @example Read a part of a file
 * ```ts
 * import { run } from "arborio";
 * import { openFile } from "arborio/fs";
 *
 * await run(async () => {
 *   using file = await openFile("/etc/passwd");
 *   const { size } = await file.stat();
 *   const last = await file.readRange(size - 10, size);
 *   console.assert(last.length === 10);
 * });
 * ```
 *
 * @example Add a line to a log
 * ```ts
 * import { run } from "arborio";
 * import { openFile, openTemporaryDirectory } from "arborio/fs";
 *
 * await run(async () => {
 *   await using temporary = await openTemporaryDirectory();
 *   await using file = await openFile(temporary.path.join("log"), { flags: "a" });
 *   await file.write("started\n");
 *   await file.sync();
 * });
 * ```
 */
export async function openFile(path: PathLike, options: OpenFileOptions = {}): Promise<File> {
  const { request, mode } = readOptions(options);
  const target = { path: toPath("openFile", path), mode, ...request };
  const handle = await hostOperation<FileHandle>({
    name: "openFile",
    resource: path,
    // What makes or empties a file has done so although it is cancelled.
    mustEnd: request.create !== "never" || request.truncate,
    begin: (backend, completion) =>
      requireCapability(backend, "files", "openFile").open(target, completion),
  });
  return new File(handle, target);
}

function readOptions(options: OpenFileOptions): { request: OpenRequest; mode: number } {
  requireOptions("openFile(path, options)", options, '{ flags: "w" }');
  requireKnown("openFile", options, { flags: true, mode: true });
  const { flags = "r", mode = 0o666 } = options;
  requireMode("openFile({ mode })", mode);
  return { request: requestOf("openFile({ flags })", flags), mode };
}
