import { describeValue } from "../../core/arguments.ts";
import type { FileKind } from "../../platform/files.ts";
import { EPOCH_MS, type VirtualClock } from "../clock.ts";
import type { UnixNamespace } from "../net/unix-namespace.ts";
import { resolvePath } from "../paths.ts";
import { type SystemCode, systemError } from "../system-errors.ts";

/** Options of `host.files.write`. */
export interface WriteFileOptions {
  /** Permission bits; without any to read, opening is `EACCES`. Default `0o644`. */
  readonly mode?: number;
  /** When the contents count as changed, in milliseconds since 1970. Default: now, in a world that began with the year 2000. */
  readonly modifiedMs?: number;
}

/** What a path leads to. */
export interface FileNode {
  readonly kind: Extract<FileKind, "file" | "directory" | "socket">;
  readonly inode: number;
  mode: number;
  modifiedMs: number;
  /** Replaced as a whole; empty for all but files. */
  bytes: Uint8Array;
}

/** Longest name and longest path in bytes, as on Linux. */
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4095;

const NOTHING: Uint8Array = new Uint8Array(0);

/** The files of a simulated host, as a test sees them. Made anew for each run. */
export class FileTree {
  readonly #clock: VirtualClock;
  readonly #sockets: UnixNamespace;
  readonly #nodes: Map<string, FileNode> = new Map();
  #inodes = 0;

  /** @internal */
  constructor(clock: VirtualClock, sockets: UnixNamespace) {
    this.#clock = clock;
    this.#sockets = sockets;
    sockets.isTaken = (resolved) => this.#nodes.has(resolved);
    this.makeDirectory("/");
    this.makeDirectory("/tmp");
  }

  /**
   * Puts a file there, or replaces the contents of the one that is there, which whoever has it open sees. Makes the directories above it.
   *
   * @param path absolute, or below `/`.
   * @throws SystemError if something in the way is not a directory, or the path leads to one.
   *
   * @example A program that reads its settings
   * ```ts
   * import { readTextFile } from "arborio/fs";
   * import { simulate } from "arborio/sim";
   *
   * await simulate({ seed: 1 }, async (world) => {
   *   world.localhost.files.write("/etc/app.conf", "port = 80");
   *   console.assert((await readTextFile("/etc/app.conf")) === "port = 80");
   * });
   * ```
   */
  write(path: string, contents: string | Uint8Array, options: WriteFileOptions = {}): void {
    if (typeof contents !== "string" && !(contents instanceof Uint8Array)) {
      throw new TypeError(
        `host.files.write: got ${describeValue(contents)}, needs a string or a Uint8Array`,
      );
    }
    const { mode = 0o644, modifiedMs = this.#clock.wallNow() } = options;
    const bytes =
      typeof contents === "string" ? new TextEncoder().encode(contents) : contents.slice();
    const node = this.#make(path, "file", mode);
    if (node.kind !== "file") throw systemError(`write ${path}`, "EISDIR");
    node.bytes = bytes;
    node.mode = mode;
    node.modifiedMs = Math.floor(modifiedMs);
  }

  /** Makes a directory and those above it, as far as they are not there. */
  makeDirectory(path: string): void {
    const node = this.#make(path, "directory", 0o755);
    if (node.kind !== "directory") throw systemError(`make the directory ${path}`, "ENOTDIR");
  }

  /** Removes a file, or a directory with the files in it; whether there was one. Whoever has a file open keeps it. */
  remove(path: string): boolean {
    const key = resolvePath(path);
    if (this.#sockets.unlink(key)) return true;
    for (const below of this.#nodes.keys())
      if (below.startsWith(`${key}/`)) this.#nodes.delete(below);
    return this.#nodes.delete(key);
  }

  /** @internal What is there, or why nothing is. */
  find(path: string): FileNode | SystemCode {
    const refusal = refusePath(path);
    if (refusal !== null) return refusal;
    const key = resolvePath(path);
    const node = this.#nodes.get(key) ?? this.#socketAt(key);
    if (node !== undefined)
      return node.kind !== "directory" && path.endsWith("/") ? "ENOTDIR" : node;
    for (const above of ancestorsOf(key)) {
      const kind = this.#nodes.get(above)?.kind;
      if (kind === "directory") break;
      if (kind !== undefined) return "ENOTDIR";
    }
    return "ENOENT";
  }

  #socketAt(key: string): FileNode | undefined {
    const name = this.#sockets.find(key);
    if (typeof name === "string") return undefined;
    return {
      kind: "socket",
      mode: name.mode,
      inode: -name.inode,
      modifiedMs: EPOCH_MS,
      bytes: NOTHING,
    };
  }

  #make(path: string, kind: FileNode["kind"], mode: number): FileNode {
    const refusal = refusePath(path);
    if (refusal !== null) throw systemError(`make ${path}`, refusal);
    const key = resolvePath(path);
    const there = this.#nodes.get(key);
    if (there !== undefined) return there;
    const [parent] = ancestorsOf(key);
    if (parent !== undefined && parent !== key) this.makeDirectory(parent);
    const node: FileNode = {
      kind,
      mode,
      inode: ++this.#inodes,
      modifiedMs: this.#clock.wallNow(),
      bytes: NOTHING,
    };
    this.#nodes.set(key, node);
    return node;
  }
}

/** The directories above an absolute path, the nearest first. */
function ancestorsOf(key: string): string[] {
  const parts = key.split("/").slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index).join("/")}`).reverse();
}

function refusePath(path: string): SystemCode | null {
  if (path === "") return "ENOENT";
  const length = (text: string): number => new TextEncoder().encode(text).length;
  if (length(path) > PATH_BYTES_MAX) return "ENAMETOOLONG";
  return path.split("/").some((name) => length(name) > NAME_BYTES_MAX) ? "ENAMETOOLONG" : null;
}
