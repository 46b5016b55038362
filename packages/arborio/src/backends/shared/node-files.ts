/**
 * Files through `node:fs`, whose operations run in the runtime's threads. None can be stopped there: one that is withdrawn ends by
 * itself, and nobody is told.
 */
import type { Dirent, Stats } from "node:fs";
import type { Completion, Withdraw } from "../../platform/network.ts";
import type {
  DirectoryEntry,
  DirectoryEntryKind,
  FileHandle,
  FileKind,
  Files,
  FileStat,
} from "../../platform/files.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { pathLinkOf } from "./descriptor-path.ts";
import { toSystemError } from "./system-error.ts";

const fs = lazily("node:fs");

export const nodeFiles: Files = {
  open({ path }, completion) {
    // Without O_NONBLOCK a FIFO would keep a thread until its other side is opened, and there are four.
    const flags = fs().constants.O_RDONLY | fs().constants.O_NONBLOCK;
    const attempt = `open ${path}`;
    return begin<number>(
      (done) => fs().open(path, flags, done),
      {
        succeed(descriptor) {
          try {
            // Of a file that has just been opened the system knows this by heart.
            if (fs().fstatSync(descriptor).isDirectory())
              throw Object.assign(new Error("directory"), { code: "EISDIR" });
          } catch (error) {
            fs().closeSync(descriptor);
            completion.fail(toSystemError(attempt, error));
            return;
          }
          completion.succeed(new NodeFile(descriptor, path));
        },
        fail: (error) => completion.fail(toSystemError(attempt, error)),
      },
      (descriptor) => fs().closeSync(descriptor),
    );
  },
  stat(path, completion) {
    return begin<Stats>((done) => fs().stat(path, done), {
      succeed: (stats) => completion.succeed(toFileStat(stats)),
      fail: (error) => completion.fail(toSystemError(`stat ${path}`, error)),
    });
  },
  realPath(path, completion) {
    const attempt = `find the real path of ${path}`;
    return begin<string>((done) => realPathOf(path, done), {
      succeed: (real) => completion.succeed(real),
      fail: (error) => completion.fail(toSystemError(attempt, error)),
    });
  },
  readDirectory(path, completion) {
    const attempt = `read the directory ${path}`;
    return begin<Dirent[]>((done) => fs().readdir(path, { withFileTypes: true }, done), {
      succeed: (entries) => completion.succeed(entries.map(toDirectoryEntry)),
      fail: (error) => completion.fail(toSystemError(attempt, error)),
    });
  },
};

class NodeFile implements FileHandle {
  readonly #descriptor: number;
  readonly #path: string;
  /** Operations that the system has, withdrawn ones too: until they end, the descriptor must not become another file's. */
  #running = 0;
  #closed = false;

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  read(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    const descriptor = this.#descriptor;
    return this.#begin<number>(
      (done) => fs().read(descriptor, view, 0, view.length, position, done),
      {
        succeed: (count) => completion.succeed(count),
        fail: (error) => completion.fail(toSystemError(`read ${this.#path}`, error)),
      },
    );
  }

  stat(completion: Completion<FileStat>): Withdraw {
    return this.#begin<Stats>((done) => fs().fstat(this.#descriptor, done), {
      succeed: (stats) => completion.succeed(toFileStat(stats)),
      fail: (error) => completion.fail(toSystemError(`stat ${this.#path}`, error)),
    });
  }

  realPath(completion: Completion<string>): Withdraw {
    const attempt = `find the real path of ${this.#path}`;
    const told = {
      succeed: (path: string) => completion.succeed(path),
      fail: (error: Error) => completion.fail(toSystemError(attempt, error)),
    };
    const link = pathLinkOf(this.#descriptor);
    return this.#begin<string>((done) => {
      if (link === undefined) realPathOf(this.#path, done);
      else fs().readlink(link, done);
    }, told);
  }

  close(): void {
    this.#closed = true;
    this.#giveBack();
  }

  #begin<T>(operation: Operation<T>, completion: Completion<T>): Withdraw {
    this.#running += 1;
    const ended = (): void => {
      this.#running -= 1;
      this.#giveBack();
    };
    return begin<T>((done) => {
      operation((error, value) => {
        ended();
        done(error, value);
      });
    }, completion);
  }

  #giveBack(): void {
    if (!this.#closed || this.#running > 0) return;
    try {
      fs().closeSync(this.#descriptor);
    } catch {
      // Of a file that was only read there is nothing to lose, and the descriptor is free all the same (close(2)).
    }
  }
}

/** The system's own, in one call: the other one of `node:fs` asks about each part of the path, one after the other. */
function realPathOf(path: string, done: Done<string>): void {
  fs().realpath.native(path, done);
}

type Done<T> = (error: Error | null, value: T) => void;
type Operation<T> = (done: Done<T>) => void;

/** Starts an operation that nobody can stop; a value that comes when nobody wants it any more goes to `late`. */
function begin<T>(
  operation: Operation<T>,
  completion: Completion<T>,
  late?: (value: T) => void,
): Withdraw {
  let wanted = true;
  // Else it would keep the caller's scope alive until it ends.
  outsideContext(() =>
    operation((error, value) => {
      if (error !== null && error !== undefined) {
        if (wanted) completion.fail(error);
      } else if (wanted) {
        completion.succeed(value);
      } else {
        late?.(value);
      }
    }),
  );
  return () => {
    wanted = false;
  };
}

function toFileStat(stats: Stats): FileStat {
  return {
    kind: kindOf(stats),
    size: stats.size,
    modifiedMs: Math.floor(stats.mtimeMs),
    mode: stats.mode & 0o7777,
    inode: stats.ino,
    device: stats.dev,
  };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isFIFO()) return "fifo";
  return stats.isSocket() ? "socket" : "device";
}

function toDirectoryEntry(entry: Dirent): DirectoryEntry {
  return { name: entry.name, kind: entryKindOf(entry) };
}

function entryKindOf(entry: Dirent): DirectoryEntryKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "link" : "other";
}
