import { describeValue, requireCount } from "../core/arguments.ts";

/** Bytes of a path that fit into Linux's address of a Unix socket, whose 108th is the NUL at its end; other systems have room for fewer. */
const PATH_BYTES_MAX = 107;

/** Named pipes of Windows, which have other limits. */
const WINDOWS_PIPE = /^\\\\[.?]\\pipe\\/i;

/** Throws unless `path` can be the path of a Unix socket, or a name in the abstract space. */
export function requireUnixPath(where: string, path: unknown): void {
  if (typeof path !== "string")
    throw new TypeError(`${where}: got ${describeValue(path)}, needs a path`);
  if (path === "" || path === "\0")
    throw new RangeError(`${where}: got ${describeValue(path)}, needs a path`);
  if (path.includes("\0", 1) && !path.startsWith("\0")) {
    throw new RangeError(
      `${where}: got ${describeValue(path)}, needs a path without NUL, or with one at its start`,
    );
  }
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > PATH_BYTES_MAX && !WINDOWS_PIPE.test(path)) {
    throw new RangeError(
      `${where}: got a path of ${bytes} bytes (${describeValue(path)}), needs at most ${PATH_BYTES_MAX}: ` +
        "the system's address of a Unix socket has no more room",
    );
  }
}

/** Permission bits of a file. */
const MODE_MAX = 0o777;

/** Throws unless `mode` can be the permission bits of a socket's file. */
export function requireMode(where: string, mode: unknown): void {
  requireCount(where, mode, 0, false);
  if ((mode as number) > MODE_MAX) {
    throw new RangeError(
      `${where}: got 0o${(mode as number).toString(8)}, needs at most 0o${MODE_MAX.toString(8)}`,
    );
  }
}
