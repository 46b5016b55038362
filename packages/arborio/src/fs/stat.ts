import { requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import { requireCapability } from "../platform/capabilities.ts";
import type { FileStat } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { type PathLike, toPath } from "./system-path.ts";

/** Options of `stat`. */
export interface StatOptions {
  /** Whether a link at the end of the path is followed. Default `true`; `false` tells about the link itself. */
  readonly followLinks?: boolean;
}

/**
 * What is known about a file; links are followed unless told otherwise. Cancelled, it had no effect.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @returns size, kind, time of the last change and so on.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there, `"ELOOP"` if links lead in a circle.
 * @throws TypeError, RangeError if `path` is no path, or an option is none.
 *
 * Counterpart: `anyio.Path.stat` and `lstat`, `os.stat`.
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
export function stat(path: PathLike, options: StatOptions = {}): Promise<FileStat> {
  return hostOperation<FileStat>({
    name: "stat",
    resource: path,
    begin(backend, completion) {
      requireOptions("stat(path, options)", options, "{ followLinks: false }");
      requireKnown("stat", options, { followLinks: true });
      const { followLinks = true } = options;
      requireFlag("stat({ followLinks })", followLinks);
      const files = requireCapability(backend, "files", "stat");
      return files.stat(toPath("stat", path), followLinks, completion);
    },
  });
}
