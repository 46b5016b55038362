/** What a path of a URL means below a folder, decided purely; or that it means nothing. */

/** Longest name of a file, and longest path below a folder, in bytes: as on Linux. Longer ones cannot be there. */
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4000;

/** What the path of a URL leads to, below a folder. */
export interface SafePath {
  /** Names of directories and at last of a file or directory; none for the folder itself. Never `""`, `"."` or `".."`. */
  readonly names: readonly string[];
  /** Whether it ended in `/`: it means a directory. */
  readonly isDirectory: boolean;
}

/**
 * Decodes the path of a URL, once, name by name. `null` if it is not plainly a path below: a name that is empty, `.` or `..`, or that
 * holds a slash, a backslash or NUL, encoded or not; escapes that are no UTF-8; names too long for a file. So nothing that is
 * joined of these names can lead out of the folder, but by a link.
 *
 * @param pathname as `URL.pathname` or the target of a request have it: beginning with `/`.
 */
export function safePathOf(pathname: string): SafePath | null {
  if (!pathname.startsWith("/") || pathname.length > 3 * PATH_BYTES_MAX) return null;
  const parts = pathname.slice(1).split("/");
  const isDirectory = parts.at(-1) === "";
  if (isDirectory) parts.pop();
  const names: string[] = [];
  let bytes = 0;
  for (const part of parts) {
    const name = decoded(part);
    if (name === null || !isName(name)) return null;
    const length = new TextEncoder().encode(name).length;
    bytes += length + 1;
    if (length > NAME_BYTES_MAX || bytes > PATH_BYTES_MAX) return null;
    names.push(name);
  }
  return { names, isDirectory };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function isName(name: string): boolean {
  // Half a character could not be told from another half once it is bytes.
  return !/^\.{0,2}$|[/\\\0]/.test(name) && name.isWellFormed();
}

/** Whether a path without links is inside a folder, or the folder; both as `realPath` gives them. */
export function isInside(real: string, folder: string): boolean {
  return real === folder || real.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** The path of names below a folder. */
export function joinPath(folder: string, names: readonly string[]): string {
  return [folder.endsWith("/") ? folder.slice(0, -1) : folder, ...names].join("/") || "/";
}
