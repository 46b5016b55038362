import { describeValue } from "../core/arguments.ts";
import { isPathObject } from "../platform/path-text.ts";
import type { PurePath } from "./pure-path.ts";

/** What stands for a path: text as the system knows it, a `file:` URL, or a `Path`. */
export type PathLike = string | URL | PurePath;

/**
 * The system's path of what a user gave.
 *
 * @throws TypeError, RangeError if it is no path, nor a `file:` URL.
 */
export function toPath(where: string, path: PathLike): string {
  if (typeof path === "string") return checked(where, path);
  if (isPathObject(path)) return path.text;
  return checked(where, pathOfUrl(where, path));
}

function checked(where: string, path: string): string {
  // The system ends paths at a NUL: the part behind it would be lost, and with it perhaps a check of the ending.
  if (path.includes("\0"))
    throw new RangeError(`${where}: got ${JSON.stringify(path)}, needs a path without NUL`);
  // It would become U+FFFD on the way to the system, and reach another file.
  if (!path.isWellFormed()) {
    throw new RangeError(
      `${where}: got ${JSON.stringify(path)}, needs a path without half a surrogate pair`,
    );
  }
  return path;
}

function pathOfUrl(where: string, url: URL): string {
  if (!(url instanceof URL))
    throw new TypeError(`${where}: got ${describeValue(url)}, needs a path or a file: URL`);
  const needs = 'needs a URL of this machine, such as "file:///etc/hosts"';
  if (url.protocol !== "file:" || url.hostname !== "")
    throw new RangeError(`${where}: got ${url.href}, ${needs}`);
  // A slash that is no separator cannot be in a path; taking it for one would reach another file.
  if (/%2f/i.test(url.pathname))
    throw new RangeError(`${where}: got ${url.href}, which hides a "/" as %2F, ${needs}`);
  try {
    return decodeURIComponent(url.pathname);
  } catch (cause) {
    throw new RangeError(`${where}: got ${url.href}, whose path is no UTF-8`, { cause });
  }
}
