/** Files whose system is as slow as a test needs it, and as unwilling. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, SystemError } from "../index.ts";
import type { Clock } from "../core/clock.ts";
import type { Backend } from "../platform/backend.ts";
import type {
  DirectoryEntry,
  FileHandle,
  Files,
  FileStat,
  LockRequest,
  WatchHandle,
} from "../platform/files.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import { simulator } from "../sim.ts";

/** Milliseconds that each operation of the slow files takes. */
export const SLOW_MS = 10;

/** What is in memory before a read fills it. */
export const SECRET = 170;

/** One file, slow, whose system goes on with what was withdrawn, as real ones do. */
export class SlowFiles implements Files {
  readonly temporaryDirectory = "/tmp";
  contents: Uint8Array = new TextEncoder().encode("0123456789");
  /** A write takes no more bytes than this at once. */
  takenBytesMax: number = Infinity;
  /** A read gives no more bytes than this at once. */
  givenBytesMax: number = Infinity;
  /** The disk has no room beyond this position. */
  roomBytes: number = Infinity;
  /** What the system says when a file is closed. */
  closeError: Error | null = null;
  /** Whether somebody else has the lock. */
  isLocked = false;
  /** Operations in the order in which they were begun. */
  readonly log: string[] = [];
  readonly #clock: Clock;
  open_ = 0;
  running = 0;
  /** Memory of reads that were withdrawn. */
  readonly abandoned: Uint8Array[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(_target: unknown, completion: Completion<FileHandle>): Withdraw {
    return this.#begin(
      () => {
        this.open_ += 1;
        return new SlowHandle(this);
      },
      completion,
      (handle) => handle.close(() => {}),
    );
  }

  stat(_path: string, _followLinks: boolean, completion: Completion<FileStat>): Withdraw {
    return this.#begin(() => this.facts(), completion);
  }

  realPath(path: string, completion: Completion<string>): Withdraw {
    return this.#begin(() => `/${path}`, completion);
  }

  readLink(_path: string, completion: Completion<string>): Withdraw {
    return this.#begin(() => "a", completion);
  }

  change(_change: unknown, completion: Completion<void>): Withdraw {
    return this.#begin(() => {}, completion);
  }

  watch(_path: string, _told: unknown, completion: Completion<WatchHandle>): Withdraw {
    return this.#begin(() => ({ close: () => {} }), completion);
  }

  readDirectory(_path: string, completion: Completion<readonly DirectoryEntry[]>): Withdraw {
    return this.#begin<readonly DirectoryEntry[]>(() => [{ name: "a", kind: "file" }], completion);
  }

  facts(): FileStat {
    const size = this.contents.length;
    return {
      kind: "file",
      size,
      modifiedMs: 0,
      accessedMs: 0,
      mode: 0o644,
      user: 0,
      group: 0,
      names: 1,
      inode: 1,
      device: 1,
    };
  }

  setSize(bytes: number): void {
    const grown = new Uint8Array(bytes);
    grown.set(this.contents.subarray(0, bytes));
    this.contents = grown;
  }

  begin<T>(work: () => T, completion: Completion<T>): Withdraw {
    return this.#begin(work, completion);
  }

  #begin<T>(
    work: () => T,
    completion: Completion<T>,
    late: (value: T) => void = () => {},
  ): Withdraw {
    let wanted = true;
    this.running += 1;
    this.#clock
      .setTimer(SLOW_MS, () => {
        this.running -= 1;
        let value: T;
        try {
          value = work();
        } catch (error) {
          if (wanted) completion.fail(error as Error);
          return;
        }
        if (wanted) completion.succeed(value);
        else late(value);
      })
      .setReferenced(true);
    return () => {
      wanted = false;
    };
  }
}

class SlowHandle implements FileHandle {
  readonly #files: SlowFiles;
  #running = 0;
  #closed: ((error: Error | null) => void) | null = null;

  constructor(files: SlowFiles) {
    this.#files = files;
  }

  read(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    const withdraw = this.#begin(() => {
      const count = Math.min(view.length, this.#files.givenBytesMax);
      const bytes = this.#files.contents.subarray(position, position + count);
      view.set(bytes);
      return bytes.length;
    }, completion);
    return () => {
      this.#files.abandoned.push(view);
      withdraw();
    };
  }

  /** Somebody else's secrets are in it. */
  allocate(bytes: number): Uint8Array {
    return new Uint8Array(bytes).fill(SECRET);
  }

  write(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    const files = this.#files;
    files.log.push(`write ${view.length} at ${position}`);
    const withdraw = this.#begin(() => {
      const count = Math.min(view.length, files.takenBytesMax, files.roomBytes - position);
      if (count <= 0) throw new SystemError("write a: full (ENOSPC)", "ENOSPC");
      if (position + count > files.contents.length) files.setSize(position + count);
      files.contents.set(view.subarray(0, count), position);
      return count;
    }, completion);
    return () => {
      files.log.push("write withdrawn");
      withdraw();
    };
  }

  setSize(bytes: number, completion: Completion<void>): Withdraw {
    return this.#begin(() => this.#files.setSize(bytes), completion);
  }

  sync(dataOnly: boolean, completion: Completion<void>): Withdraw {
    return this.#begin(
      () => void this.#files.log.push(dataOnly ? "sync data" : "sync"),
      completion,
    );
  }

  lock({ kind, wait }: LockRequest, completion: Completion<boolean>): Withdraw {
    this.#files.log.push(`lock ${kind}${wait || kind === "none" ? "" : " now"}`);
    if (kind === "none") {
      completion.succeed(true);
      return () => {};
    }
    const withdraw = this.#begin(() => !this.#files.isLocked, completion);
    return () => {
      this.#files.log.push("lock withdrawn");
      withdraw();
    };
  }

  stat(completion: Completion<FileStat>): Withdraw {
    return this.#begin(() => this.#files.facts(), completion);
  }

  realPath(completion: Completion<string>): Withdraw {
    return this.#begin(() => "/a", completion);
  }

  close(closed: (error: Error | null) => void): void {
    if (this.#closed !== null) return;
    this.#closed = closed;
    this.#files.open_ -= 1;
    this.#giveBack();
  }

  #begin<T>(work: () => T, completion: Completion<T>): Withdraw {
    this.#running += 1;
    const ending = (): T => {
      this.#running -= 1;
      queueMicrotask(() => this.#giveBack());
      return work();
    };
    return this.#files.begin(ending, completion);
  }

  #giveBack(): void {
    if (this.#running > 0) return;
    this.#closed?.(this.#files.closeError);
  }
}

/** Runs a test in the simulator, with slow files. */
export function slowTest(title: string, body: (files: SlowFiles) => unknown): void {
  test(title, async () => {
    const backend: Backend = simulator({ seed: 1 }).createBackend();
    const files = new SlowFiles(backend.clock);
    await run(() => body(files), { backend: { ...backend, files } });
    assert.equal(files.open_, 0, "a file was left open");
  });
}
