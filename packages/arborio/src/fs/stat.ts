import { requireCapability } from "../platform/capabilities.ts";
import type { FileStat } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { toPath } from "./system-path.ts";

/**
 * What is known about a file; links are followed. Cancelled, it had no effect.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @returns size, kind, time of the last change and so on.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there.
 * @throws TypeError, RangeError if `path` is no path.
 *
 * Counterpart: `anyio.Path.stat`, `os.stat`.
 *
 * @example Is it a folder?
 * ```ts
 * import { run } from "arborio";
 * import { stat } from "arborio/fs";
 *
 * await run(async () => {
 *   console.assert((await stat("/")).kind === "directory");
 * });
 * ```
 */
export function stat(path: string | URL): Promise<FileStat> {
  return hostOperation<FileStat>({
    name: "stat",
    resource: path,
    begin: (backend, completion) =>
      requireCapability(backend, "files", "stat").stat(toPath("stat", path), true, completion),
  });
}
