import { describeValue } from "../../core/arguments.ts";
import type { DirectoryEntry, FileKind } from "../../platform/files.ts";
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

/** So many links lead on, as on Linux; then they are taken for a circle. */
const LINKS_MAX = 40;

const NOTHING: Uint8Array = new Uint8Array(0);

/** The files of a simulated host, as a test sees them. Made anew for each run. */
export class FileTree {
  readonly #clock: VirtualClock;
  readonly #sockets: UnixNamespace;
  readonly #nodes: Map<string, FileNode> = new Map();
  /** Symbolic links: where each leads, as it was written. */
  readonly #links: Map<string, string> = new Map();
  #inodes = 0;

  /** @internal */
  constructor(clock: VirtualClock, sockets: UnixNamespace) {
    this.#clock = clock;
    this.#sockets = sockets;
    sockets.isTaken = (resolved) => this.#nodes.has(resolved) || this.#links.has(resolved);
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

  /**
   * Makes a symbolic link, and the directories above it.
   *
   * @param path where it is to be.
   * @param target where it leads: absolute, or seen from the directory it is in. Nothing need be there.
   * @throws SystemError if something is at `path`, or in its way.
   */
  link(path: string, target: string): void {
    const refusal = refusePath(path) ?? refusePath(target);
    if (refusal !== null) throw systemError(`make the link ${path}`, refusal);
    const key = resolvePath(path);
    if (this.#sockets.isTaken(key) || this.#socketAt(key) !== undefined)
      throw systemError(`make the link ${path}`, "EEXIST");
    this.makeDirectory(ancestorsOf(key)[0] as string);
    this.#links.set(key, target);
  }

  /** Removes a file, a link, or a directory with what is in it; whether there was one. Whoever has a file open keeps it. */
  remove(path: string): boolean {
    const key = resolvePath(path);
    if (this.#sockets.unlink(key)) return true;
    for (const map of [this.#nodes, this.#links])
      for (const below of map.keys()) if (below.startsWith(`${key}/`)) map.delete(below);
    return this.#links.delete(key) || this.#nodes.delete(key);
  }

  /** @internal What is there, or why nothing is. Links are followed. */
  find(path: string): FileNode | SystemCode {
    const found = this.#resolve(path);
    if (found.startsWith("/")) return this.#nodes.get(found) as FileNode;
    // Sockets have paths without directories above them.
    const socket = found === "ENOENT" ? this.#socketAt(resolvePath(path)) : undefined;
    if (socket === undefined) return found as SystemCode;
    return path.endsWith("/") ? "ENOTDIR" : socket;
  }

  /** @internal The path without links of what `find` finds. */
  realPath(path: string): string {
    const found = this.#resolve(path);
    return found.startsWith("/") ? found : resolvePath(path);
  }

  /** @internal Where it is; of what was removed no path of anything, as Linux tells it. */
  pathOf(node: FileNode): string {
    for (const [key, there] of this.#nodes) if (there === node) return key;
    return "/ (deleted)";
  }

  /** @internal What is in a directory, or why nothing is. */
  list(path: string): DirectoryEntry[] | SystemCode {
    const node = this.find(path);
    if (typeof node === "string") return node;
    if (node.kind !== "directory") return "ENOTDIR";
    const directory = this.realPath(path);
    const entries: DirectoryEntry[] = [];
    const add = (key: string, kind: DirectoryEntry["kind"]): void => {
      if (key !== "/" && ancestorsOf(key)[0] === directory)
        entries.push({ name: key.slice(key.lastIndexOf("/") + 1), kind });
    };
    for (const [key, { kind }] of this.#nodes) add(key, kind === "directory" ? kind : "file");
    for (const key of this.#links.keys()) add(key, "link");
    for (const key of this.#sockets.paths()) add(key, "other");
    return entries;
  }

  /** The path of a file or directory without links, or why there is none. Part by part, as a system does it. */
  #resolve(path: string): string {
    const refusal = refusePath(path);
    if (refusal !== null) return refusal;
    const parts = path.split("/").reverse();
    let key = "/";
    let links = 0;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part === "" || part === ".") continue;
      const next = part === ".." ? (ancestorsOf(key)[0] as string) : join(key, part);
      const target = this.#links.get(next);
      if (target !== undefined) {
        links += 1;
        if (links > LINKS_MAX) return "ELOOP";
        parts.push(...target.split("/").reverse());
        if (target.startsWith("/")) key = "/";
        continue;
      }
      const kind = this.#nodes.get(next)?.kind;
      if (kind === undefined) return "ENOENT";
      if (kind !== "directory" && parts.length > 0) return "ENOTDIR";
      key = next;
    }
    return key;
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
    const resolved = this.#resolve(path);
    const key = resolved.startsWith("/") ? resolved : resolvePath(path);
    const there = this.#nodes.get(key);
    if (there !== undefined) return there;
    if (this.#links.has(key)) throw systemError(`make ${path}`, "ENOENT");
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

function join(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

function refusePath(path: string): SystemCode | null {
  if (path === "") return "ENOENT";
  const length = (text: string): number => new TextEncoder().encode(text).length;
  if (length(path) > PATH_BYTES_MAX) return "ENAMETOOLONG";
  return path.split("/").some((name) => length(name) > NAME_BYTES_MAX) ? "ENAMETOOLONG" : null;
}
