import { Buffer } from "node:buffer";
import type { Stats } from "node:fs";
import type { FileHandle, FileStat, LockRequest } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { lazily } from "./builtin.ts";
import { pathLinkOf } from "./descriptor-path.ts";
import type { WatchEnd } from "./left-processes.ts";
import { NodeFileLock } from "./node-file-lock.ts";
import { toFileStat } from "./node-file-stat.ts";
import { beginOperation, type Done, type Operation } from "./node-operation.ts";
import { toSystemError } from "./system-error.ts";

const fs = lazily("node:fs");

/** What is open, and how. */
export interface OpenDescriptor {
  readonly descriptor: number;
  readonly path: string;
  /** Those of open(2) by which what is open can be opened once more. */
  readonly flags: number;
}

/** An open file of `node:fs`. */
export class NodeFile implements FileHandle {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #lock: NodeFileLock;
  /** Operations that the system has, withdrawn ones too: until they end, the descriptor must not become another file's. */
  #running = 0;
  #closed: ((error: Error | null) => void) | null = null;

  constructor(open: OpenDescriptor, watchEnd: WatchEnd) {
    this.#descriptor = open.descriptor;
    this.#path = open.path;
    this.#lock = new NodeFileLock(open, watchEnd);
  }

  read(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    const descriptor = this.#descriptor;
    return this.#begin<number>(
      "read",
      (done) => fs().read(descriptor, view, 0, view.length, position, done),
      completion,
    );
  }

  allocate(bytes: number): Uint8Array {
    return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
  }

  write(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    const descriptor = this.#descriptor;
    return this.#begin<number>(
      "write",
      (done) => fs().write(descriptor, view, 0, view.length, position, done),
      completion,
    );
  }

  setSize(bytes: number, completion: Completion<void>): Withdraw {
    return this.#begin<void>(
      "set the size of",
      (done) => fs().ftruncate(this.#descriptor, bytes, done as (error: Error | null) => void),
      completion,
    );
  }

  sync(dataOnly: boolean, completion: Completion<void>): Withdraw {
    return this.#begin<void>(
      "sync",
      (done) => {
        const told = done as (error: Error | null) => void;
        if (dataOnly) fs().fdatasync(this.#descriptor, told);
        else fs().fsync(this.#descriptor, told);
      },
      completion,
    );
  }

  lock(request: LockRequest, completion: Completion<boolean>): Withdraw {
    return this.#lock.request(request, completion);
  }

  stat(completion: Completion<FileStat>): Withdraw {
    return this.#begin<Stats>("stat", (done) => fs().fstat(this.#descriptor, done), {
      succeed: (stats) => completion.succeed(toFileStat(stats)),
      fail: (error) => completion.fail(error),
    });
  }

  realPath(completion: Completion<string>): Withdraw {
    const link = pathLinkOf(this.#descriptor);
    return this.#begin<string>(
      "find the real path of",
      (done) => {
        if (link === undefined) realPathOf(this.#path, done);
        else fs().readlink(link, done);
      },
      completion,
    );
  }

  close(closed: (error: Error | null) => void): void {
    if (this.#closed !== null) return;
    this.#closed = closed;
    this.#lock.giveUp();
    this.#giveBack();
  }

  #begin<T>(attempt: string, operation: Operation<T>, completion: Completion<T>): Withdraw {
    this.#running += 1;
    return beginOperation<T>(
      (done) => {
        const ended: Done<T> = (error, value) => {
          this.#running -= 1;
          this.#giveBack();
          done(error, value);
        };
        try {
          operation(ended);
        } catch (error) {
          // It did not begin.
          ended(tooLarge(error as Error), undefined as T);
        }
      },
      {
        succeed: (value) => completion.succeed(value),
        fail: (error) => completion.fail(toSystemError(`${attempt} ${this.#path}`, error)),
      },
    );
  }

  #giveBack(): void {
    const closed = this.#closed;
    if (closed === null || this.#running > 0) return;
    let failure: Error | null = null;
    try {
      fs().closeSync(this.#descriptor);
    } catch (error) {
      // The descriptor is free all the same (close(2)).
      failure = toSystemError(`close ${this.#path}`, error);
    }
    closed(failure);
  }
}

/** Bun has a limit of its own for sizes, where the others ask the system. */
function tooLarge(error: Error & { code?: string }): Error {
  if (error.code !== "ERR_OUT_OF_RANGE") return error;
  return Object.assign(new Error(error.message, { cause: error }), { code: "EFBIG" });
}

/** The system's own, in one call: the other one of `node:fs` asks about each part of the path, one after the other. */
export function realPathOf(path: string, done: Done<string>): void {
  fs().realpath.native(path, done);
}
