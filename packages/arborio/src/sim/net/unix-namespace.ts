import { resolvePath } from "../paths.ts";
import type { UnixDatagramSocket } from "./unix-datagram.ts";
import type { UnixListener } from "./unix-listener.ts";
import type { SystemCode } from "../system-errors.ts";

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
  readonly inode: number;
  /** `null`: the file was left behind by a socket that is gone. */
  owner: UnixOwner | null;
}

/** The names of Unix sockets on one host: files, and the abstract space. */
export class UnixNamespace {
  readonly #names: Map<string, UnixName> = new Map();
  #inodes = 0;
  /** Whether a file of another kind is at this path; set by whoever has the files. */
  isTaken: (resolved: string) => boolean = () => false;

  /** Binds, in place of a file that was left behind, or says why not. */
  bind(path: string, mode: number | undefined, owner: UnixOwner): UnixName | SystemCode {
    const refusal = refusePath(path);
    if (refusal !== null) return refusal;
    const key = resolvePath(path);
    const there = this.#names.get(key);
    if ((there !== undefined && there.owner !== null) || this.isTaken(key)) return "EADDRINUSE";
    const inode = ++this.#inodes;
    const name: UnixName = { path, mode: mode ?? MODE_DEFAULT, inode, owner };
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
    const refusal = refusePath(path);
    if (refusal !== null) return refusal;
    const key = resolvePath(path);
    const name = this.#names.get(key);
    if (name !== undefined) return name;
    // Abstract names are no files: one that nobody has is refused, as a file is that is no socket.
    return key.startsWith("\0") || this.isTaken(key) ? "ECONNREFUSED" : "ENOENT";
  }

  /** The absolute paths of all that are files. */
  *paths(): Generator<string> {
    for (const key of this.#names.keys()) if (!key.startsWith("\0")) yield key;
  }

  /** Removes the file of a socket, as `unlink` does: a socket that is bound to it lives on, out of reach. */
  unlink(path: string): boolean {
    return this.#names.delete(resolvePath(path));
  }
}

function refusePath(path: string): SystemCode | null {
  if (path === "") return "EINVAL";
  return new TextEncoder().encode(path).length > PATH_BYTES_MAX ? "ENAMETOOLONG" : null;
}
