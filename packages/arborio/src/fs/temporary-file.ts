import type { Backend } from "../platform/backend.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { File } from "./file.ts";
import { openFile } from "./open-file.ts";
import type { Path } from "./path.ts";
import { removeTree } from "./remove-tree.ts";
import { temporaryPath, type TemporaryFileOptions } from "./temporary-options.ts";
import { unhindered } from "./unhindered.ts";

/** Only its owner may read or write it. */
const MODE = 0o600;

/** A file that is closed and removed at the end. Made by `openTemporaryFile`. */
export class TemporaryFile implements AsyncDisposable {
  /** Where it is; absolute, unless `parent` was not. */
  readonly path: Path;
  /** It is open to read and write. */
  readonly file: File;
  readonly #backend: Backend;
  #isKept = false;

  /** @internal Owns the file. */
  constructor(path: Path, file: File, backend: Backend) {
    this.path = path;
    this.file = file;
    this.#backend = backend;
  }

  /** Lets it stay: it is yours now, though it is still closed at the end. Synchronous. */
  keep(): void {
    this.#isKept = true;
  }

  /**
   * Closes the file, and removes it. Works in any context, and is no cancellation point. If it is gone already, or kept, there is nothing
   * to remove.
   *
   * @throws SystemError if it cannot be removed, or if closing it told that something written is lost.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.file[Symbol.asyncDispose]();
    } finally {
      if (!this.#isKept) await unhindered(this.#backend, () => removeTree(this.path, true));
    }
  }
}

/**
 * Makes a file for what is needed only for a while, open to read and write. Own it by `await using`: at the end of the block it is closed and
 * removed, also if the block fails or is cancelled. Only this user may open it, nobody can guess its name, and what is there already is
 * never taken for it. Cancelled before it was made, there is none.
 *
 * If the process is killed, or ends by `process.exit` in the middle, it stays.
 *
 * @throws SystemError if the system refuses: `"ENOENT"` if the directory for it is missing, `"EACCES"` if nothing can be made there,
 *   `"ENOSPC"` if the disk is full.
 * @throws TypeError, RangeError for a wrong option.
 *
 * Counterpart: `anyio.NamedTemporaryFile`, `tempfile.mkstemp`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { openTemporaryFile } from "arborio/fs";
 *
 * await run(async () => {
 *   await using temporary = await openTemporaryFile({ suffix: ".json" });
 *   await temporary.file.write("{}");
 *   console.assert((await temporary.path.readText()) === "{}");
 * }); // it is gone
 * ```
 */
export async function openTemporaryFile(
  options: TemporaryFileOptions = {},
): Promise<TemporaryFile> {
  const path = temporaryPath("openTemporaryFile", options);
  const backend = currentBackend();
  const file = await openFile(path, { flags: "wx+", mode: MODE });
  return new TemporaryFile(path, file, backend);
}
