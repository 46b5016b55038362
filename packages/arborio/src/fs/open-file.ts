import { requireCapability } from "../platform/capabilities.ts";
import type { FileHandle } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { File } from "./file.ts";
import { toPath } from "./system-path.ts";

/**
 * Opens a file for reading; links are followed. Cancelled, it opened none: one that the system opened too late is closed.
 *
 * It never waits for the other side of a FIFO. Special files can be opened, and `stat` tells their kind. Devices without a
 * position, terminals, FIFOs and sockets cannot be read as a `File` though, or not opened at all: the system says `ESPIPE` or
 * `ENXIO`. What serves files to others should refuse everything whose kind is not `"file"`.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @returns the open file; close it, best by `using`.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there, `"EISDIR"` if it is a directory,
 *   `"EACCES"` if this process may not.
 * @throws TypeError, RangeError if `path` is no path.
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
 */
export async function openFile(path: string | URL): Promise<File> {
  let systemPath = "";
  const handle = await hostOperation<FileHandle>({
    name: "openFile",
    resource: path,
    begin(backend, completion) {
      systemPath = toPath("openFile", path);
      return requireCapability(backend, "files", "openFile").open(
        {
          path: systemPath,
          access: "read",
          create: "never",
          truncate: false,
          append: false,
          mode: 0,
        },
        completion,
      );
    },
  });
  return new File(handle, systemPath);
}
