/**
 * The files of Unix sockets. They outlive the sockets that are bound to them, and come into being with whatever permissions the
 * umask leaves.
 */
import type { Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { lazily } from "./builtin.ts";
import { codeOf } from "./system-error.ts";

const fs = lazily("node:fs");
const net = lazily("node:net");

/** As on Linux: 108 with the NUL at the end. Other systems have room for fewer, and refuse by themselves. */
const PATH_BYTES_MAX = 107;

/** Whether a path is that of a file: not a name in the abstract space, nor a pipe of Windows. */
export function isFilePath(path: string): boolean {
  return !path.startsWith("\0") && !path.startsWith("\\\\");
}

/**
 * Removes a socket's file that nobody listens on. `done` gets `null` if the path is free now, else what is in the way; it is not
 * called before this returned.
 */
export function removeStale(path: string, done: (obstacle: string | null) => void): void {
  if (statOf(path)?.isSocket() === false) {
    queueMicrotask(() => done("there is a file that is no socket"));
    return;
  }
  const socket = net().connect({ path });
  socket.once("connect", () => {
    socket.destroy();
    done("somebody listens there");
  });
  socket.once("error", (error) => {
    const code = codeOf(error);
    if (code === "ENOENT") done(null);
    else if (code !== "ECONNREFUSED" || isListed(path)) done("somebody uses it");
    else done(unlink(path));
  });
}

function unlink(path: string): string | null {
  try {
    fs().unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") return "what an earlier listener left there cannot be removed";
  }
  return null;
}

/**
 * Whether the system lists a socket under this name. Bun 1.4.5 says `ECONNREFUSED` also of a listener whose queue is full and of
 * datagram sockets; to remove those would be worse than not to listen.
 */
export function isListed(path: string): boolean {
  let list: string;
  try {
    list = fs().readFileSync("/proc/net/unix", "utf8");
  } catch {
    return false;
  }
  const wanted = resolve(path);
  const name = basename(path);
  for (const line of list.split("\n")) {
    const [, listed] = /^\S+: (?:\S+ +){6}(.+)$/.exec(line) ?? [];
    if (listed === undefined || basename(listed) !== name) continue;
    // A relative one counts from the folder of whoever bound it.
    if (!listed.startsWith("/") || resolve(listed) === wanted) return true;
  }
  return false;
}

/** Why a folder cannot hold a socket: `"ENOENT"` or `"ENOTDIR"`; `null` if it is there. */
export function codeOfFolder(path: string): string | null {
  try {
    return fs().statSync(dirname(path)).isDirectory() ? null : "ENOTDIR";
  } catch (error) {
    return codeOf(error);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return fs().lstatSync(path);
  } catch {
    return undefined;
  }
}

/**
 * A folder that only this user can enter. A socket is bound in there, gets its permissions, and is linked to its place, which
 * fails if something is there already, as binding does. The umask would do, but it belongs to all threads of the process.
 */
export class PrivateFolder {
  readonly socketPath: string;
  readonly #target: string;
  readonly #folder: string;
  #moved: Stats | undefined;

  private constructor(target: string) {
    this.#target = target;
    this.#folder = fs().mkdtempSync(`${target}.`);
    this.socketPath = join(this.#folder, "s");
  }

  /** Makes one beside `target`; `null` if a socket's path would be too long in there. */
  static beside(target: string): PrivateFolder | null {
    const longest = `${target}.XXXXXX/s`;
    if (Buffer.byteLength(longest) > PATH_BYTES_MAX) return null;
    return new PrivateFolder(target);
  }

  /** Whether an error of `moveOut` means that the file system has no links to sockets. */
  static isUnsupported(code: string): boolean {
    return ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EMLINK"].includes(code);
  }

  /** Moves the socket to its place. Throws `EEXIST` if there is something. */
  moveOut(mode: number): void {
    fs().chmodSync(this.socketPath, mode);
    fs().linkSync(this.socketPath, this.#target);
    this.#moved = statOf(this.#target);
    this.remove();
  }

  /** Removes the socket from its place, if it is still the same. */
  removeMoved(): void {
    const { dev, ino } = this.#moved ?? {};
    const there = statOf(this.#target);
    if (there === undefined || there.ino !== ino || there.dev !== dev) return;
    unlink(this.#target);
  }

  remove(): void {
    unlink(this.socketPath);
    try {
      fs().rmdirSync(this.#folder);
    } catch {
      // Somebody has put something in; it is theirs.
    }
  }
}
