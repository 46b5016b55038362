import type { Backend } from "../platform/backend.ts";
import { currentBackend } from "../platform/capabilities.ts";
import { changePath } from "./change-path.ts";
import type { Path } from "./path.ts";
import { removeTree } from "./remove-tree.ts";
import { temporaryPath, type TemporaryDirectoryOptions } from "./temporary-options.ts";
import { unhindered } from "./unhindered.ts";

/** Only its owner may look into it. */
const MODE = 0o700;

/** A directory that is removed at the end, with all that is in it. Made by `openTemporaryDirectory`. */
export class TemporaryDirectory implements AsyncDisposable {
  /** Where it is; absolute, unless `parent` was not. */
  readonly path: Path;
  readonly #backend: Backend;
  #isKept = false;

  /** @internal */
  constructor(path: Path, backend: Backend) {
    this.path = path;
    this.#backend = backend;
  }

  /** Lets it stay: it is yours now. Synchronous. */
  keep(): void {
    this.#isKept = true;
  }

  /**
   * Removes it with all that is in it, though nothing that links lead to; directories that are read-only too. Works in any context, and is
   * no cancellation point. If it is gone already, or kept, there is nothing to do.
   *
   * @throws SystemError if something cannot be removed; the message says what is left.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isKept) return;
    await unhindered(this.#backend, () => removeTree(this.path, true, true));
  }
}

/**
 * Makes a directory for what is needed only for a while. Own it by `await using`: at the end of the block it is removed with all that is
 * in it, also if the block fails or is cancelled. Only this user may look into it, and nobody can guess its name. Cancelled before it was made,
 * there is none.
 *
 * If the process is killed, or ends by `process.exit` in the middle, it stays.
 *
 * @throws SystemError if the system refuses: `"ENOENT"` if the directory for it is missing, `"EACCES"` if nothing can be made there,
 *   `"ENOSPC"` if the disk is full.
 * @throws TypeError, RangeError for a wrong option.
 *
 * Counterpart: `anyio.TemporaryDirectory`, `tempfile.mkdtemp`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { openTemporaryDirectory } from "arborio/fs";
 *
 * await run(async () => {
 *   await using directory = await openTemporaryDirectory({ prefix: "app-" });
 *   await directory.path.join("notes").write("until later");
 * }); // it is gone
 * ```
 */
export async function openTemporaryDirectory(
  options: TemporaryDirectoryOptions = {},
): Promise<TemporaryDirectory> {
  const path = temporaryPath("openTemporaryDirectory", options);
  const backend = currentBackend();
  await changePath("openTemporaryDirectory", {
    kind: "make-directory",
    path: path.text,
    mode: MODE,
  });
  return new TemporaryDirectory(path, backend);
}
