import { describeValue } from "../core/arguments.ts";

/**
 * The system's path of what a user gave: a path, or a `file:` URL.
 *
 * @throws TypeError, RangeError if it is neither.
 */
export function toPath(where: string, path: string | URL): string {
  if (typeof path !== "string") return checked(where, pathOfUrl(where, path));
  return checked(where, path);
}

/** The system ends paths at a NUL: the part behind it would be lost, and with it perhaps a check of the ending. */
function checked(where: string, path: string): string {
  if (!path.includes("\0")) return path;
  throw new RangeError(`${where}: got ${JSON.stringify(path)}, needs a path without NUL`);
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
