/**
 * What runs on an open file, and how it ends. What only asks is withdrawn when its flow is cancelled or the file closed. What changes
 * the file cannot be called back: it is waited for, cancelled or closed, so that its caller learns what became of it.
 */
import { ClosedResourceError, SystemError } from "../core/errors.ts";
import type { Backend } from "../platform/backend.ts";
import type { FileHandle, OpenTarget } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import type { PositionedFile } from "./positioned.ts";

/** Something that runs and can be withdrawn. */
interface Running {
  /** Its place among those that run. */
  place: number;
  withdraw: Withdraw;
  readonly fail: (error: Error) => void;
}

/** An open file of the backend, with its operations that run. */
export class OpenHandle implements PositionedFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly appends: boolean;
  /** Grows before and after each change through this handle: what was read before may be old. */
  changes = 0;
  readonly #access: OpenTarget["access"];
  /**
   * What `close` has to end. No `Set`: one that is filled and emptied all the time makes a new table each time, and old tables keep what
   * they led to, here chunks of 64 KiB, until the next full collection.
   */
  readonly #running: Running[] = [];
  /** Settles when the descriptor was given back, with what the system said to that. */
  #closing: Promise<Error | null> | null = null;

  /** Owns the handle. */
  constructor(handle: FileHandle, target: OpenTarget) {
    this.handle = handle;
    this.path = target.path;
    this.appends = target.append;
    this.#access = target.access;
  }

  get isClosed(): boolean {
    return this.#closing !== null;
  }

  /** Waits for what only asks. */
  ask<T>(
    operation: string,
    start: (completion: Completion<T>, backend: Backend) => Withdraw,
  ): Promise<T> {
    return hostOperation<T>({
      name: `file.${operation}`,
      resource: this,
      begin: (backend, completion) =>
        this.beginAsking(operation, (own) => start(own, backend), completion),
    });
  }

  /** Starts what only asks, so that `close` finds it. */
  beginAsking<T>(
    operation: string,
    start: (completion: Completion<T>) => Withdraw,
    completion: Completion<T>,
  ): Withdraw {
    this.requireOpen(operation);
    const running: Running = {
      place: this.#running.length,
      withdraw: () => {},
      fail: (error) => completion.fail(error),
    };
    // Before it starts: it may end at once.
    this.#running.push(running);
    try {
      running.withdraw = start({
        succeed: (value) => {
          this.#forget(running);
          completion.succeed(value);
        },
        fail: (error) => {
          this.#forget(running);
          completion.fail(error);
        },
      });
    } catch (error) {
      this.#forget(running);
      throw error;
    }
    return () => {
      this.#forget(running);
      running.withdraw();
    };
  }

  #forget(running: Running): void {
    if (this.#running[running.place] !== running) return;
    const last = this.#running.pop() as Running;
    if (last === running) return;
    this.#running[running.place] = last;
    last.place = running.place;
  }

  /** Waits for what changes the file. */
  change<T>(operation: string, start: (completion: Completion<T>) => void): Promise<T> {
    return hostOperation<T>({
      name: `file.${operation}`,
      resource: this,
      mustEnd: true,
      begin: (_backend, completion) => {
        this.requireOpen(operation);
        start(completion);
        return () => {};
      },
    });
  }

  allocate(bytes: number): Uint8Array {
    return this.handle.allocate?.(bytes) ?? new Uint8Array(bytes);
  }

  readOwned(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    const read = (own: Completion<number>): Withdraw => {
      this.requireAccess("read", "read");
      return this.handle.read(view, position, own);
    };
    return this.beginAsking("read", read, completion);
  }

  requireOpen(operation: string): void {
    if (this.isClosed) throw this.closedError(operation);
  }

  closedError(operation: string): ClosedResourceError {
    return new ClosedResourceError(
      `File.${operation}: ${this.path} is closed; close it when nobody uses it any more`,
    );
  }

  /** Throws unless the file was opened for this. The system's own words, `EBADF` or `EINVAL`, would not tell what is wrong. */
  requireAccess(operation: string, wanted: "read" | "write"): void {
    if (this.#access === "read-write" || this.#access === wanted) return;
    const remedy = wanted === "read" ? '"r", "r+" or "w+"' : '"r+", "w" or "a"';
    throw new SystemError(
      `File.${operation}: ${this.path} was opened only to ${this.#access}, needs openFile with flags such as ${remedy} (EBADF)`,
      "EBADF",
    );
  }

  close(): void {
    if (this.isClosed) return;
    const { promise, resolve } = Promise.withResolvers<Error | null>();
    this.#closing = promise;
    // First: else they could hear of it from the system, in its own words.
    for (const one of this.#running.splice(0)) {
      one.withdraw();
      one.fail(new ClosedResourceError(`File: ${this.path} was closed while it was used`));
    }
    this.handle.close(resolve);
  }

  /** Closes, and throws what the system said to that. */
  async closeWhole(): Promise<void> {
    this.close();
    const error = await this.#closing;
    if (error !== null) throw error;
  }
}
