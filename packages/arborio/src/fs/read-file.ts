import { requireCount, requireKnown, requireOptions } from "../core/arguments.ts";
import { TextDecodingError } from "../streams/errors.ts";
import { openFile } from "./open-file.ts";
import { readWhole, WHOLE_BYTES_MAX } from "./read-whole.ts";
import type { PathLike } from "./system-path.ts";

/** Options of `readFile`. */
export interface ReadFileOptions {
  /** A file with more bytes is an error. Default 2 GiB. */
  readonly maxBytes?: number;
}

/** Options of `readTextFile`. */
export interface ReadTextFileOptions extends ReadFileOptions {
  /** The encoding, by a label of the Encoding Standard. Default `"utf-8"`. */
  readonly encoding?: string;
}

/** What Node's functions of these names take. */
const INSTEAD = { encoding: "readTextFile", flag: "openFile", signal: "a cancel scope" };

/**
 * Reads a file as a whole. Cancelled, it leaves nothing open.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @throws SystemError if the system refuses: `systemCode` is `"ENOENT"` if nothing is there, `"EISDIR"` if it is a directory;
 *   `"EFBIG"` if there are more than `maxBytes` bytes.
 * @throws TypeError, RangeError if `path` is no path, `maxBytes` no number of bytes, or an option is none.
 *
 * Counterpart: `anyio.Path.read_bytes`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { readFile } from "arborio/fs";
 *
 * await run(async () => {
 *   const bytes = await readFile("/etc/passwd", { maxBytes: 1024 * 1024 });
 *   console.assert(bytes.length > 0);
 * });
 * ```
 */
export async function readFile(path: PathLike, options: ReadFileOptions = {}): Promise<Uint8Array> {
  requireOptions("readFile(path, options)", options, "{ maxBytes: 65_536 }");
  requireKnown("readFile", options, { maxBytes: true }, INSTEAD);
  const { maxBytes = WHOLE_BYTES_MAX } = options;
  requireCount("readFile({ maxBytes })", maxBytes, 0);
  return await readAll(path, maxBytes);
}

async function readAll(path: PathLike, maxBytes: number): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    return await readWhole(file.open, size, 0, Infinity, maxBytes);
  } finally {
    file.close();
  }
}

/**
 * Reads a text file as a whole, without its byte order mark if it has one. Cancelled, it leaves nothing open.
 *
 * @param path relative to the working directory, or a `file:` URL.
 * @throws TextDecodingError if the bytes are no text in this encoding.
 * @throws RangeError if the runtime does not know the encoding.
 * @throws SystemError, TypeError, RangeError as `readFile`.
 *
 * Counterpart: `anyio.Path.read_text`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { readTextFile } from "arborio/fs";
 *
 * await run(async () => {
 *   console.assert((await readTextFile("/etc/passwd")).includes("root"));
 * });
 * ```
 */
export async function readTextFile(
  path: PathLike,
  options: ReadTextFileOptions = {},
): Promise<string> {
  requireOptions("readTextFile(path, options)", options, '{ encoding: "utf-16le" }');
  requireKnown("readTextFile", options, { maxBytes: true, encoding: true }, INSTEAD);
  const { encoding = "utf-8", maxBytes = WHOLE_BYTES_MAX } = options;
  requireCount("readTextFile({ maxBytes })", maxBytes, 0);
  const decoder = new TextDecoder(encoding, { fatal: true });
  const bytes = await readAll(path, maxBytes);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TextDecodingError(
      `readTextFile: ${String(path)} is no text in ${decoder.encoding}`,
      decoder.encoding,
      { cause },
    );
  }
}
