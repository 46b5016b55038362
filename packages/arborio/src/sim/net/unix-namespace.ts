import type { UnixDatagramSocket } from "./unix-datagram.ts";
import type { UnixListener } from "./unix-listener.ts";
import type { SystemCode } from "./system-errors.ts";

/** Longest path of a Unix socket in bytes, as on Linux: `sun_path` without its NUL. */
const PATH_BYTES_MAX = 107;

/** Permission bits of a socket's file if nobody asks for others: all, less a usual umask. */
const MODE_DEFAULT = 0o755;

/** What is bound to a path. */
export type UnixOwner = UnixListener | UnixDatagramSocket;

/** A name of a Unix socket on one host. */
export interface UnixName {
  readonly path: string;
  readonly mode: number;
  /** `null`: the file was left behind by a socket that is gone. */
  owner: UnixOwner | null;
}

/** The names of Unix sockets on one host: files, and the abstract space. */
export class UnixNamespace {
  readonly #names: Map<string, UnixName> = new Map();

  /** Binds, in place of a file that was left behind, or says why not. */
  bind(path: string, mode: number | undefined, owner: UnixOwner): UnixName | SystemCode {
    const refusal = refusePath(path);
    if (refusal !== null) return refusal;
    const key = resolvePath(path);
    const there = this.#names.get(key);
    if (there !== undefined && there.owner !== null) return "EADDRINUSE";
    const name: UnixName = { path, mode: mode ?? MODE_DEFAULT, owner };
    this.#names.set(key, name);
    return name;
  }

  /** Takes the name away from its socket: an abstract one is gone, a file goes too if the program removes it. */
  unbind(name: UnixName, removeFile: boolean): void {
    name.owner = null;
    const key = resolvePath(name.path);
    const isFile = !name.path.startsWith("\0");
    if ((!isFile || removeFile) && this.#names.get(key) === name) this.#names.delete(key);
  }

  find(path: string): UnixName | SystemCode {
    return refusePath(path) ?? this.#names.get(resolvePath(path)) ?? missing(path);
  }

  /** Removes the file of a socket, as `unlink` does: a socket that is bound to it lives on, out of reach. */
  unlink(path: string): boolean {
    return this.#names.delete(resolvePath(path));
  }
}

/** Abstract names are no files: one that nobody has is refused. */
function missing(path: string): SystemCode {
  return path.startsWith("\0") ? "ECONNREFUSED" : "ENOENT";
}

function refusePath(path: string): SystemCode | null {
  if (path === "") return "EINVAL";
  return new TextEncoder().encode(path).length > PATH_BYTES_MAX ? "ENAMETOOLONG" : null;
}

/** An absolute path without `.` and `..`; relative ones are below `/`. Abstract names stay as they are. */
export function resolvePath(path: string): string {
  if (path.startsWith("\0")) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
