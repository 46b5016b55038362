import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { type PathLike, toPath } from "./system-path.ts";

/**
 * The absolute path of what is there, without `.`, `..` and links: the only one by which to judge whether something is inside a
 * folder. What it leads to may be another file a moment later. Cancelled, it had no effect.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there, `"ELOOP"` if links lead in a circle,
 *   `"EACCES"` if this process may not look into a directory on the way.
 * @throws TypeError, RangeError if `path` is no path.
 *
 * Counterpart: `anyio.Path.resolve(strict=True)`, `os.path.realpath`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { realPath } from "arborio/fs";
 *
 * await run(async () => {
 *   console.assert((await realPath("/etc/../etc/passwd")) === "/etc/passwd");
 * });
 * ```
 */
export function realPath(path: PathLike): Promise<string> {
  return hostOperation<string>({
    name: "realPath",
    resource: path,
    begin: (backend, completion) =>
      requireCapability(backend, "files", "realPath").realPath(
        toPath("realPath", path),
        completion,
      ),
  });
}
