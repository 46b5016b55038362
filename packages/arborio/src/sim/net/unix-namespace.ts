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
  /** `null`: the file was left behind by a socket that is gone. */
  owner: UnixOwner | null;
}

/** The files of the sockets that have paths; each is told apart by an object. */
export interface SocketFiles {
  /** Makes one, and the directories above it, or says why not. */
  add(path: string, mode: number): object | SystemCode;
  /** What is at a path, a socket or not, or why there is nothing. */
  find(path: string, followLinks: boolean): object | SystemCode;
  /** Removes one, if it is still at its path. */
  remove(path: string, file: object): void;
}

/** The names of Unix sockets on one host: files, and the abstract space. */
export class UnixNamespace {
  readonly #abstract: Map<string, UnixName> = new Map();
  readonly #byFile: WeakMap<object, UnixName> = new WeakMap();
  /** Set by whoever has the files, before anything is bound. */
  declare files: SocketFiles;
  /** Whether no program has the time to remove its socket's file. */
  keepsFiles = false;

  /** Binds, in place of a file that was left behind, or says why not. */
  bind(path: string, mode: number | undefined, owner: UnixOwner): UnixName | SystemCode {
    const refusal = refusePath(path);
    if (refusal !== null) return refusal;
    const name: UnixName = { path, owner };
    if (path.startsWith("\0")) {
      if (this.#abstract.has(path)) return "EADDRINUSE";
      this.#abstract.set(path, name);
      return name;
    }
    const there = this.files.find(path, false);
    if (typeof there !== "string") {
      if (this.#byFile.get(there)?.owner !== null) return "EADDRINUSE";
      this.files.remove(path, there);
    }
    const file = this.files.add(path, mode ?? MODE_DEFAULT);
    if (typeof file === "string") return file;
    this.#byFile.set(file, name);
    return name;
  }

  /** Takes the name away from its socket: an abstract one is gone, a file goes too if the program removes it. */
  unbind(name: UnixName, removeFile: boolean): void {
    const { path } = name;
    name.owner = null;
    if (this.#abstract.get(path) === name) this.#abstract.delete(path);
    if (path.startsWith("\0") || !removeFile || this.keepsFiles) return;
    const there = this.files.find(path, false);
    if (typeof there !== "string" && this.#byFile.get(there) === name)
      this.files.remove(path, there);
  }

  find(path: string): UnixName | SystemCode {
    const refusal = refusePath(path);
    if (refusal !== null) return refusal;
    // Abstract names are no files: one that nobody has is refused, as a file is that is no socket.
    if (path.startsWith("\0")) return this.#abstract.get(path) ?? "ECONNREFUSED";
    const there = this.files.find(path, true);
    return typeof there === "string" ? there : (this.#byFile.get(there) ?? "ECONNREFUSED");
  }
}

function refusePath(path: string): SystemCode | null {
  if (path === "") return "EINVAL";
  return new TextEncoder().encode(path).length > PATH_BYTES_MAX ? "ENAMETOOLONG" : null;
}
