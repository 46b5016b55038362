import { requireCapability } from "../platform/capabilities.ts";
import type { DirectoryEntry } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { type PathLike, toPath } from "./system-path.ts";

/**
 * What is in a directory, as a whole. Cancelled, it had no effect.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @returns names and kinds, ordered by name (by UTF-16 code unit), without `.` and `..`.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there, `"ENOTDIR"` if it is no directory,
 *   `"EACCES"` if this process may not read it.
 * @throws TypeError, RangeError if `path` is no path.
 *
 * Counterpart: `anyio.Path.iterdir`, `os.scandir`.
 *
 * @example The folders in a folder
 * ```ts
 * import { run } from "arborio";
 * import { readDirectory } from "arborio/fs";
 *
 * await run(async () => {
 *   const folders = (await readDirectory("/")).filter(({ kind }) => kind === "directory");
 *   console.assert(folders.some(({ name }) => name === "etc"));
 * });
 * ```
 */
export async function readDirectory(path: PathLike): Promise<DirectoryEntry[]> {
  const entries = await hostOperation<readonly DirectoryEntry[]>({
    name: "readDirectory",
    resource: path,
    begin: (backend, completion) =>
      requireCapability(backend, "files", "readDirectory").readDirectory(
        toPath("readDirectory", path),
        completion,
      ),
  });
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
}
