import type { FileHandle, FileStat, LockRequest, OpenTarget } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { systemError } from "../system-errors.ts";
import { type DiskOperations, DONE, type Result } from "./disk-operations.ts";
import { type Entry, type FileInode, pathOf, statOf } from "./inode.ts";
import { LockAttempt } from "./lock-attempt.ts";
import { FILE_BYTES_MAX } from "./sparse-bytes.ts";

/** A file that a simulated program has open. */
export class OpenFile implements FileHandle {
  readonly #operations: DiskOperations;
  readonly #onClose: (file: OpenFile) => void;
  readonly #entry: Entry;
  readonly #file: FileInode;
  readonly #target: OpenTarget;
  readonly #lockAttempts: Set<LockAttempt> = new Set();
  /** Operations that the disk has, withdrawn ones too: until they end the descriptor is not given back. */
  #running = 0;
  #closed: ((error: Error | null) => void) | null = null;
  #isGivenBack = false;
  /** Whether something was written that was not synced. */
  #isDirty = false;

  /** @param onClose is told when it is closed, though operations may still run. */
  constructor(
    operations: DiskOperations,
    entry: Entry,
    target: OpenTarget,
    onClose: (file: OpenFile) => void,
  ) {
    this.#operations = operations;
    this.#onClose = onClose;
    this.#entry = entry;
    this.#file = entry.inode as FileInode;
    this.#target = target;
    this.#file.openCount += 1;
  }

  /** A read that is withdrawn writes into the view all the same: it was the system's already, as on a host. */
  read(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    return this.#begin("read", completion, () => {
      const { bytes, isDamaged } = this.#file;
      if (this.#target.access === "write") return "EBADF";
      if (isDamaged) return "EIO";
      const there = Math.max(Math.min(bytes.size - position, view.length), 0);
      const value = this.#operations.times.shareOf(there);
      bytes.read(view.subarray(0, value), position);
      const { disk } = this.#operations;
      if (value > 0) disk.setFacts(this.#file, { accessedMs: disk.clock.wallNow() });
      return { value };
    });
  }

  write(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    return this.#begin("write", completion, () => {
      const { bytes, isDamaged } = this.#file;
      if (this.#target.access === "read") return "EBADF";
      if (isDamaged) return "EIO";
      if (view.length === 0) return { value: 0 };
      const start = this.#target.append ? bytes.size : position;
      const room = FILE_BYTES_MAX - start;
      if (room <= 0) return "EFBIG";
      const wanted = Math.min(this.#operations.times.shareOf(view.length), room);
      const value = bytes.write(view.subarray(0, wanted), start);
      if (value === 0) return "ENOSPC";
      this.#changed();
      return { value };
    });
  }

  setSize(size: number, completion: Completion<void>): Withdraw {
    return this.#begin<void>("set the size of", completion, () => {
      if (this.#target.access === "read" || size < 0) return "EINVAL";
      if (size > FILE_BYTES_MAX) return "EFBIG";
      if (this.#file.isDamaged) return "EIO";
      this.#file.bytes.setSize(size);
      this.#changed();
      return DONE;
    });
  }

  sync(_dataOnly: boolean, completion: Completion<void>): Withdraw {
    return this.#begin<void>("sync", completion, () => {
      if (this.#file.isDamaged) {
        this.#file.bytes.failSync();
        return "EIO";
      }
      this.#operations.disk.sync(this.#file);
      this.#isDirty = false;
      return DONE;
    });
  }

  lock(request: LockRequest, completion: Completion<boolean>): Withdraw {
    let isWanted = true;
    const attempt = new LockAttempt({
      locks: this.#file.locks,
      holder: this,
      request,
      times: this.#operations.times,
      ended: (taken) => {
        this.#lockAttempts.delete(attempt);
        this.#ended();
        if (!isWanted) return;
        if (taken === null) completion.fail(systemError(this.#attempt("lock"), "EBADF"));
        else completion.succeed(taken);
      },
    });
    this.#running += 1;
    this.#lockAttempts.add(attempt);
    return () => {
      isWanted = false;
      attempt.withdraw();
    };
  }

  stat(completion: Completion<FileStat>): Withdraw {
    return this.#begin("stat", completion, () => ({ value: statOf(this.#file) }));
  }

  realPath(completion: Completion<string>): Withdraw {
    return this.#begin("find the real path of", completion, () => ({
      value: pathOf(this.#entry),
    }));
  }

  close(closed: (error: Error | null) => void): void {
    if (this.#closed !== null) return;
    this.#closed = closed;
    this.#giveUpLocks();
    this.#onClose(this);
    this.#giveBackIfIdle();
  }

  /** @internal The machine goes down. */
  crash(): void {
    this.#giveUpLocks();
    this.#giveBack();
  }

  #giveUpLocks(): void {
    for (const attempt of this.#lockAttempts) attempt.close();
    this.#file.locks.giveUp(this);
  }

  #attempt(what: string): string {
    return `${what} ${this.#target.path}`;
  }

  #begin<T>(what: string, completion: Completion<T>, operation: () => Result<T>): Withdraw {
    this.#running += 1;
    const ended = (): void => this.#ended();
    return this.#operations.begin(this.#attempt(what), completion, operation, ended);
  }

  #ended(): void {
    this.#running -= 1;
    this.#giveBackIfIdle();
  }

  #changed(): void {
    this.#isDirty = true;
    const { disk } = this.#operations;
    disk.setFacts(this.#file, { modifiedMs: disk.clock.wallNow() });
    const { directory, name, isRemoved } = this.#entry;
    if (!isRemoved) directory.watches.changed(name);
  }

  #giveBackIfIdle(): void {
    const closed = this.#closed;
    if (closed === null || this.#running > 0 || this.#isGivenBack) return;
    this.#giveBack();
    const isLost = this.#isDirty && this.#file.isDamaged;
    closed(isLost ? systemError(this.#attempt("close"), "EIO") : null);
  }

  #giveBack(): void {
    this.#isGivenBack = true;
    this.#operations.disk.release(this.#file);
  }
}
