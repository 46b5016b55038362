import { describeValue, requireCount } from "../core/arguments.ts";
import { BusyResourceError, ClosedResourceError } from "../core/errors.ts";
import type { FileHandle, FileStat } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import { type ByteReceiveStream, CHUNK_BYTES_MAX } from "../streams/byte-stream.ts";
import { PullStream } from "../streams/pull-stream.ts";
import { requireRoom } from "../streams/wire-stream.ts";
import { FileRange } from "./file-range.ts";
import { READ_BYTES_MAX } from "./positioned.ts";
import { readWhole } from "./read-whole.ts";

/** A part of a file. */
export interface FileRangeOptions {
  /** Position of its first byte. Default 0. */
  readonly start?: number;
  /** Position behind its last byte. Default `Infinity`: up to the end of the file. */
  readonly end?: number;
}

/** An operation of this file that runs. */
interface Running {
  withdraw: Withdraw;
  readonly fail: (error: Error) => void;
}

/**
 * A file that is open for reading. Every operation is a checkpoint, and throws a `SystemError` if the system fails it. A cancelled
 * read had no effect: the position is where it was, and nothing is written into your memory any more; what the system reads
 * nevertheless goes into memory that nobody else uses.
 *
 * Several tasks may read at given positions at once; only one where the file's own position is. The end is no error, since files
 * grow: there, reads give no bytes. (Of `stream` it is, as of every stream.)
 *
 * Counterpart: `anyio.AsyncFile`, `trio.open_file`, in binary mode.
 */
export class File implements AsyncIterable<Uint8Array>, Disposable, AsyncDisposable {
  /** The path that it was opened by. */
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #running: Set<Running> = new Set();
  /** Where `read` goes on that is given no position. */
  #position = 0;
  /** A read that moves the position runs. */
  #moving = false;
  /** For `readInto`: memory that no read of the system is writing into any more. */
  #spare: Uint8Array | null = null;
  #closed = false;

  /** @internal Owns the handle. */
  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.path = path;
  }

  /**
   * Reads the bytes at `position`, or where the last read without one ended.
   *
   * @param maxBytes at most so many; a whole number from 1 on. Fewer may come, and never more than 1 MiB. Default 65,536.
   * @param position where to read, in bytes from the start of the file. Default: the file's own position, which moves on.
   * @returns at least one byte; none only at the end of the file. They are yours.
   * @throws ClosedResourceError if the file is closed, also while waiting.
   * @throws BusyResourceError without `position`, if another task reads without one at the moment.
   * @throws SystemError if the system fails the read, for example with `"EIO"`.
   * @throws TypeError, RangeError if `maxBytes` or `position` is no such number.
   */
  read(maxBytes: number = CHUNK_BYTES_MAX, position?: number): Promise<Uint8Array> {
    return this.#wait("read", (completion) => {
      requireCount("File.read", maxBytes, 1);
      requirePosition("File.read(…, position)", position);
      const view = new Uint8Array(Math.min(maxBytes, READ_BYTES_MAX));
      return this.#readAt("read", view, position, {
        succeed: (count) => completion.succeed(firstOf(view, count)),
        fail: (error) => completion.fail(error),
      });
    });
  }

  /**
   * `read` into memory that you have. Nothing is written there unless the read succeeds.
   *
   * @param view where the bytes go, from its start; at least one byte long.
   * @param position as of `read`.
   * @returns how many bytes were read; 0 only at the end of the file.
   * @throws as `read`.
   */
  readInto(view: Uint8Array, position?: number): Promise<number> {
    return this.#wait("readInto", (completion) => {
      requireRoom("File.readInto", view);
      requirePosition("File.readInto(…, position)", position);
      // Not into `view` itself: the system goes on with an abandoned read, and would write there when it is used for other things.
      const memory = this.#takeMemory(Math.min(view.length, READ_BYTES_MAX));
      return this.#readAt("readInto", memory.subarray(0, view.length), position, {
        succeed: (count) => {
          view.set(memory.subarray(0, count));
          this.#spare = memory;
          completion.succeed(count);
        },
        fail: (error) => completion.fail(error),
      });
    });
  }

  #takeMemory(bytes: number): Uint8Array {
    const spare = this.#spare;
    this.#spare = null;
    return spare !== null && spare.length >= bytes ? spare : new Uint8Array(bytes);
  }

  /**
   * Reads a part of the file as a whole. Shorter than asked for only if the file ends before.
   *
   * @param start position of the first byte.
   * @param end position behind the last; `Infinity`: up to the end of the file.
   * @throws SystemError as `read`; with `"EFBIG"` if the part is larger than 2 GiB, which is no size for an array: use `stream`.
   * @throws ClosedResourceError if the file is closed, also while waiting.
   * @throws TypeError, RangeError if these are no positions in this order.
   */
  async readRange(start: number, end: number): Promise<Uint8Array> {
    requireRange("File.readRange", start, end);
    const { size } = await this.stat();
    return await readWhole(this, size, start, end);
  }

  /** What is known about the file now: its size, the time of its last change, and so on. @throws SystemError, ClosedResourceError */
  stat(): Promise<FileStat> {
    return this.#wait("stat", (completion) => this.#handle.stat(completion));
  }

  /**
   * The absolute path of this very file, without links. On Linux it is asked of the open file, so it tells what was really
   * opened, whatever became of the path since; of a file that was removed it is another path than the one it had. Elsewhere it is
   * asked of the path, as `realPath` does.
   *
   * @throws SystemError if the system refuses; ClosedResourceError if the file is closed, also while waiting.
   */
  realPath(): Promise<string> {
    return this.#wait("realPath", (completion) => this.#handle.realPath(completion));
  }

  /**
   * A part of the file as a byte stream. It has a position of its own, so any number of them may be read at once. Closing the
   * stream leaves the file open; closing the file ends its streams with `ClosedResourceError`.
   *
   * `receive` reads as much as it is asked for, up to 1 MiB: ask for more than the usual 64 KiB if speed matters. A failure of the
   * system is a `BrokenResourceError` with the `SystemError` as its cause.
   *
   * @throws TypeError, RangeError if `start` and `end` are no positions in this order.
   *
   * @example The last kilobyte, in chunks
   * ```ts
   * import { run } from "arborio";
   * import { openFile } from "arborio/fs";
   *
   * await run(async () => {
   *   using file = await openFile("/etc/passwd");
   *   let bytes = 0;
   *   for await (const chunk of file.stream({ end: 20 })) bytes += chunk.length;
   *   console.assert(bytes === 20);
   * });
   * ```
   */
  stream({ start = 0, end = Infinity }: FileRangeOptions = {}): ByteReceiveStream {
    requireRange("File.stream", start, end);
    return new PullStream(new FileRange(this, start, end), "File.stream()");
  }

  /** Iterates over chunks from the file's own position to its end. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return {
      next: async () => {
        const value = await this.read();
        return value.length > 0 ? { done: false, value } : { done: true, value: undefined };
      },
    };
  }

  /**
   * Closes the file. Operations that wait get `ClosedResourceError`. The descriptor goes back to the system at once, or when the
   * reads end that it is still doing: so no late read can meet another file of the same number. Synchronous; works from any context;
   * a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const running = [...this.#running];
    this.#running.clear();
    for (const one of running) {
      one.withdraw();
      one.fail(new ClosedResourceError(`File: ${this.path} was closed while it was read`));
    }
    this.#handle.close(() => {});
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** @internal Reads into memory that is not used for anything else, also if the read is withdrawn. */
  readOwned(view: Uint8Array, position: number, completion: Completion<number>): Withdraw {
    return this.#begin("read", (own) => this.#handle.read(view, position, own), completion);
  }

  #readAt(
    operation: string,
    view: Uint8Array,
    position: number | undefined,
    completion: Completion<number>,
  ): Withdraw {
    if (position !== undefined) return this.#handle.read(view, position, completion);
    if (this.#moving) {
      throw new BusyResourceError(
        `File.${operation}: another task reads at the file's own position at the moment; give a position, or let one task read`,
      );
    }
    this.#moving = true;
    const withdraw = this.#handle.read(view, this.#position, {
      succeed: (count) => {
        this.#moving = false;
        this.#position += count;
        completion.succeed(count);
      },
      fail: (error) => {
        this.#moving = false;
        completion.fail(error);
      },
    });
    return () => {
      this.#moving = false;
      withdraw();
    };
  }

  #wait<T>(operation: string, start: (completion: Completion<T>) => Withdraw): Promise<T> {
    return hostOperation<T>({
      name: `file.${operation}`,
      resource: this,
      begin: (_backend, completion) => this.#begin(operation, start, completion),
    });
  }

  /** Starts an operation so that `close` finds it. */
  #begin<T>(
    operation: string,
    start: (completion: Completion<T>) => Withdraw,
    completion: Completion<T>,
  ): Withdraw {
    if (this.#closed)
      throw new ClosedResourceError(
        `File.${operation}: ${this.path} is closed; close it when nobody uses it any more`,
      );
    const running: Running = { withdraw: () => {}, fail: (error) => completion.fail(error) };
    running.withdraw = start({
      succeed: (value) => {
        this.#running.delete(running);
        completion.succeed(value);
      },
      fail: (error) => {
        this.#running.delete(running);
        completion.fail(error);
      },
    });
    this.#running.add(running);
    return () => {
      this.#running.delete(running);
      running.withdraw();
    };
  }
}

/** The bytes that were read. A few in a large buffer are copied, so that they do not keep it alive. */
function firstOf(view: Uint8Array, count: number): Uint8Array {
  return count < view.length / 2 ? view.slice(0, count) : view.subarray(0, count);
}

/** Throws unless `position` is a whole number from 0 on, or absent. */
function requirePosition(where: string, position: unknown): void {
  if (position !== undefined) requireCount(where, position, 0, false);
}

function requireRange(where: string, start: unknown, end: unknown): void {
  if (typeof start !== "number" || typeof end !== "number") {
    const wrong = describeValue(typeof start === "number" ? end : start);
    throw new TypeError(`${where}: got ${wrong}, needs positions: numbers of bytes`);
  }
  requireCount(`${where}(start)`, start, 0, false);
  requireCount(`${where}(end)`, end, 0);
  if (end < start)
    throw new RangeError(`${where}: got ${start} to ${end}, needs an end not before the start`);
}
