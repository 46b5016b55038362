import type {
  DirectoryEntry,
  FileHandle,
  Files,
  FileStat,
  OpenTarget,
  PathChange,
  WatchHandle,
  WatchListener,
} from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";
import { systemError } from "../system-errors.ts";
import type { FileNode, FileTree } from "./file-tree.ts";

/** Least and greatest microseconds that an operation of the disk takes: those of today's solid state disks. */
const LATENCY_MIN_US = 20;
const LATENCY_MAX_US = 500;
/** How many latencies there are to choose from; always the same, so that a choice means the same in every run. */
const LATENCIES = 1024;

/** How much of what it could a read gives, one of these: mostly all. At least one byte. */
const SHARES: readonly number[] = [1, 1, 1, 1, 1, 1, 0.5, 0];

/** Number of the one device of a simulated host. */
const DEVICE = 1;

/** The files contract of one simulated host. How long things take, and how much a read gives, is the seed's. */
export class HostFiles implements Files {
  readonly #clock: VirtualClock;
  readonly #chooser: Chooser;
  readonly #tree: FileTree;
  readonly temporaryDirectory = "/tmp";
  /** How many are open. */
  openCount = 0;

  constructor(clock: VirtualClock, chooser: Chooser, tree: FileTree) {
    this.#clock = clock;
    this.#chooser = chooser;
    this.#tree = tree;
  }

  open({ path }: OpenTarget, completion: Completion<FileHandle>): Withdraw {
    return this.after(() => {
      const node = this.#tree.find(path);
      const code =
        typeof node === "string"
          ? node
          : node.kind === "directory"
            ? "EISDIR"
            : node.kind === "socket"
              ? "ENXIO"
              : (node.mode & 0o444) === 0
                ? "EACCES"
                : null;
      if (code !== null) completion.fail(systemError(`open ${path}`, code));
      else completion.succeed(new OpenFile(this, node as FileNode));
    });
  }

  stat(path: string, _followLinks: boolean, completion: Completion<FileStat>): Withdraw {
    return this.after(() => {
      const node = this.#tree.find(path);
      if (typeof node === "string") completion.fail(systemError(`stat ${path}`, node));
      else completion.succeed(statOf(node));
    });
  }

  realPath(path: string, completion: Completion<string>): Withdraw {
    return this.after(() => {
      const node = this.#tree.find(path);
      if (typeof node === "string")
        completion.fail(systemError(`find the real path of ${path}`, node));
      else completion.succeed(this.#tree.realPath(path));
    });
  }

  readDirectory(path: string, completion: Completion<readonly DirectoryEntry[]>): Withdraw {
    return this.after(() => {
      const entries = this.#tree.list(path);
      if (typeof entries === "string")
        completion.fail(systemError(`read the directory ${path}`, entries));
      else completion.succeed(entries);
    });
  }

  readLink(path: string, completion: Completion<string>): Withdraw {
    return this.after(() => completion.fail(systemError(`read the link ${path}`, "EINVAL")));
  }

  change(change: PathChange, completion: Completion<void>): Withdraw {
    const attempt = `${change.kind} ${change.path}`;
    return this.after(() => completion.fail(systemError(attempt, "EACCES")));
  }

  watch(path: string, _told: WatchListener, completion: Completion<WatchHandle>): Withdraw {
    return this.after(() => completion.fail(systemError(`watch ${path}`, "EACCES")));
  }

  /** Where something that is open is. */
  pathOf(node: FileNode): string {
    return this.#tree.pathOf(node);
  }

  /** Calls `done` when the disk has done something. */
  after(done: () => void): Withdraw {
    const range = LATENCY_MAX_US - LATENCY_MIN_US;
    const latency = this.#chooser.pick("latency", LATENCIES);
    const delayUs = LATENCY_MIN_US + Math.round((range * latency) / (LATENCIES - 1));
    const timer = this.#clock.after(delayUs, done);
    return () => timer.clear();
  }

  /** How many of so many bytes a read gives. */
  shareOf(bytes: number): number {
    const share = SHARES[this.#chooser.pick("chunk", SHARES.length)] as number;
    return Math.max(Math.floor(bytes * share), Math.min(bytes, 1));
  }
}

class OpenFile implements FileHandle {
  readonly #files: HostFiles;
  readonly #node: FileNode;
  #closed = false;

  constructor(files: HostFiles, node: FileNode) {
    this.#files = files;
    this.#node = node;
    files.openCount += 1;
  }

  /** A read that is withdrawn writes into the view all the same: it was the system's already, as on a host. */
  read(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    let isWanted = true;
    this.#files.after(() => {
      const { bytes } = this.#node;
      const there = Math.max(Math.min(bytes.length - position, view.length), 0);
      const count = this.#files.shareOf(there);
      view.set(bytes.subarray(position, position + count));
      if (isWanted) completion.succeed(count);
    });
    return () => {
      isWanted = false;
    };
  }

  write(_view: Uint8Array, _position: number, completion: Completion<number>): Withdraw {
    return this.#files.after(() => completion.fail(systemError("write", "EBADF")));
  }

  setSize(_bytes: number, completion: Completion<void>): Withdraw {
    return this.#files.after(() => completion.fail(systemError("set the size", "EBADF")));
  }

  sync(_dataOnly: boolean, completion: Completion<void>): Withdraw {
    return this.#files.after(() => completion.succeed());
  }

  realPath(completion: Completion<string>): Withdraw {
    return this.#files.after(() => completion.succeed(this.#files.pathOf(this.#node)));
  }

  stat(completion: Completion<FileStat>): Withdraw {
    return this.#files.after(() => completion.succeed(statOf(this.#node)));
  }

  close(closed: (error: Error | null) => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#files.openCount -= 1;
    closed(null);
  }
}

function statOf({ kind, bytes, modifiedMs, mode, inode }: FileNode): FileStat {
  return {
    kind,
    size: bytes.length,
    modifiedMs,
    accessedMs: modifiedMs,
    mode,
    user: 0,
    group: 0,
    names: 1,
    inode,
    device: DEVICE,
  };
}
