import {
  describeValue,
  requireCount,
  requireFlag,
  requireKnown,
  requireOptions,
} from "../core/arguments.ts";
import type { FileHandle, FileStat, OpenTarget } from "../platform/files.ts";
import {
  type ByteReceiveStream,
  type ByteSendStream,
  CHUNK_BYTES_MAX,
} from "../streams/byte-stream.ts";
import type { Lease } from "../sync/lease.ts";
import { PullStream } from "../streams/pull-stream.ts";
import { requireRoom } from "../streams/wire-stream.ts";
import { bytesOf } from "./file-data.ts";
import { FileCursor } from "./file-cursor.ts";
import { FileLines, type FileLinesOptions } from "./file-lines.ts";
import { FileLock, type FileLockOptions } from "./file-lock.ts";
import { FileSendStream } from "./file-send-stream.ts";
import { OpenHandle } from "./open-handle.ts";
import { READ_BYTES_MAX, requirePosition } from "./positioned.ts";
import { ReadAhead } from "./read-ahead.ts";
import { readWhole } from "./read-whole.ts";

/** Options of `File.sync`. */
export interface SyncOptions {
  /** Whether what is needed to read the data again is enough: not the times. Default `false`. */
  readonly dataOnly?: boolean;
}

/** A part of a file. */
export interface FileRangeOptions {
  /** Position of its first byte. Default 0. */
  readonly start?: number;
  /** Position behind its last byte. Default `Infinity`: up to the end of the file. */
  readonly end?: number;
}

/**
 * An open file. Every operation is a checkpoint, and throws a `SystemError` if the system fails it. A cancelled
 * read had no effect: the position is where it was, and nothing is written into your memory any more; what the system reads
 * nevertheless goes into memory that nobody else uses. What changes the file cannot be called back once it has begun: it is waited
 * for although it is cancelled, and says what became of it; the next checkpoint throws `Cancelled`.
 *
 * Several tasks may read and write at given positions at once; only one where the file's own position is. The end is no error,
 * since files grow: there, reads give no bytes. (Of `stream` it is, as of every stream.)
 *
 * Counterpart: `anyio.AsyncFile`, `trio.open_file`, in binary mode.
 */
export class File implements AsyncIterable<Uint8Array>, Disposable, AsyncDisposable {
  /** The path that it was opened by. */
  readonly path: string;
  /** @internal */ readonly open: OpenHandle;
  readonly #cursor: FileCursor;
  readonly #lock: FileLock;
  /** For `readInto`: memory that no read of the system is writing into any more. */
  #spare: Uint8Array | null = null;

  /** @internal Owns the handle. */
  constructor(handle: FileHandle, target: OpenTarget) {
    this.open = new OpenHandle(handle, target);
    this.#cursor = new FileCursor(this.open);
    this.#lock = new FileLock(this.open);
    this.path = target.path;
  }

  /**
   * Where `read` and `write` go on that are given no position, in bytes from the start. In a file opened to append, writes go to the
   * end whatever this is, and leave it where it is.
   */
  get position(): number {
    return this.#cursor.position;
  }

  /**
   * Moves the file's own position. Synchronous: nothing is asked of the system; it may lie beyond the end.
   *
   * @throws BusyResourceError if a task reads or writes there at the moment.
   * @throws TypeError, RangeError if `position` is no whole number from 0 on.
   */
  seek(position: number): void {
    requirePosition("File.seek", position);
    this.#cursor.seek(position);
  }

  /**
   * Reads the bytes at `position`, or where the last read without one ended.
   *
   * @param maxBytes at most so many; a whole number from 1 on. Fewer may come, and never more than 1 MiB. Default 65,536.
   * @param position where to read, in bytes from the start of the file. Default: the file's own position, which moves on.
   * @returns at least one byte; none only at the end of the file. They are yours.
   * @throws ClosedResourceError if the file is closed, also while waiting.
   * @throws BusyResourceError without `position`, if another task reads or writes without one at the moment.
   * @throws SystemError if the system fails the read, for example with `"EIO"`.
   * @throws TypeError, RangeError if `maxBytes` or `position` is no such number.
   */
  read(maxBytes: number = CHUNK_BYTES_MAX, position?: number): Promise<Uint8Array> {
    return this.open.ask("read", (completion) => {
      requireCount("File.read", maxBytes, 1);
      requireOptional("File.read(…, position)", position);
      const view = new Uint8Array(Math.min(maxBytes, READ_BYTES_MAX));
      return this.#cursor.read("read", view, position, {
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
    return this.open.ask("readInto", (completion) => {
      requireRoom("File.readInto", view);
      requireOptional("File.readInto(…, position)", position);
      // Not into `view` itself: the system goes on with an abandoned read, and would write there when it is used for other things.
      const memory = this.#takeMemory(Math.min(view.length, READ_BYTES_MAX));
      return this.#cursor.read("readInto", memory.subarray(0, view.length), position, {
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
    return await readWhole(this.open, size, start, end);
  }

  /**
   * Writes all of `data` at `position`, or where the last operation without one ended; at the end if the file was opened to append.
   * Once it has begun it is not cancelled. Do not change the bytes until it has ended.
   *
   * @param data text goes out in UTF-8.
   * @param position where to write, in bytes from the start of the file. Default: the file's own position, which moves on.
   * @returns number of bytes written: all.
   * @throws SystemError if the system fails the write, for example with `"ENOSPC"`, and nothing was written; with `"EBADF"` if the
   *   file was opened only to read.
   * @throws PartialWriteError, a `SystemError`, if it fails after a part was written. The file's own position is behind that part.
   * @throws BusyResourceError without `position`, if another task reads or writes without one at the moment.
   * @throws InvalidStateError with `position`, if the file was opened to append: the system would not heed it.
   * @throws ClosedResourceError if the file is closed; also while writing, unless this was the last piece of 1 MiB.
   * @throws TypeError, RangeError if `data` or `position` is something else.
   */
  write(data: string | Uint8Array, position?: number): Promise<number> {
    return this.open.change("write", (completion) => {
      const bytes = bytesOf("File.write", data);
      requireOptional("File.write(…, position)", position);
      this.#cursor.write(bytes, position, (written, error) => {
        if (error === null) completion.succeed(written);
        else completion.fail(error);
      });
    });
  }

  /**
   * Cuts the file off behind so many bytes, or fills it up with zeros. Positions stay what they are.
   *
   * @throws SystemError, ClosedResourceError as `write`; TypeError, RangeError if `bytes` is no whole number from 0 on.
   */
  setSize(bytes: number): Promise<void> {
    return this.open.change("setSize", (completion) => {
      requirePosition("File.setSize", bytes);
      this.open.requireAccess("setSize", "write");
      this.open.changes += 1;
      this.open.handle.setSize(bytes, completion);
    });
  }

  /**
   * Waits until everything written is on the disk, so that it is still there after a loss of power. A file that is new is found there
   * again only if its directory was synced too.
   *
   * @throws SystemError if the disk fails: then it is unknown what of it is there.
   * @throws ClosedResourceError if the file is closed; TypeError if an option is none.
   */
  sync(options: SyncOptions = {}): Promise<void> {
    return this.open.change("sync", (completion) => {
      requireOptions("File.sync(options)", options, "{ dataOnly: true }");
      requireKnown("File.sync", options, { dataOnly: true });
      const { dataOnly = false } = options;
      requireFlag("File.sync({ dataOnly })", dataOnly);
      this.open.handle.sync(dataOnly, completion);
    });
  }

  /** What is known about the file now: its size, the time of its last change, and so on. @throws SystemError, ClosedResourceError */
  stat(): Promise<FileStat> {
    return this.open.ask("stat", (completion) => this.open.handle.stat(completion));
  }

  /**
   * The absolute path of this very file, without links. On Linux it is asked of the open file, so it tells what was really
   * opened, whatever became of the path since; of a file that was removed it is another path than the one it had. Elsewhere it is
   * asked of the path, as `realPath` does.
   *
   * @throws SystemError if the system refuses; ClosedResourceError if the file is closed, also while waiting.
   */
  realPath(): Promise<string> {
    return this.open.ask("realPath", (completion) => this.open.handle.realPath(completion));
  }

  /**
   * A part of the file as a byte stream. It has a position of its own, so any number of them may be read at once. Closing the
   * stream leaves the file open; closing the file ends its streams with `ClosedResourceError`.
   *
   * `receive` reads as much as it is asked for, up to 1 MiB: ask for more than the usual 64 KiB if speed matters. It reads ahead, 256 KiB
   * or one chunk; what is written meanwhile by others than this file may not be seen there. A failure of the system is a `BrokenResourceError` with the `SystemError` as its cause.
   *
   * @throws TypeError, RangeError if `start` and `end` are no positions in this order, or an option is none.
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
  stream(options: FileRangeOptions = {}): ByteReceiveStream {
    requireOptions("File.stream(options)", options, "{ start: 1024 }");
    requireKnown("File.stream", options, { start: true, end: true });
    const { start = 0, end = Infinity } = options;
    requireRange("File.stream", start, end);
    return new PullStream(new ReadAhead(this.open, start, end), "File.stream()");
  }

  /**
   * The lines of the file, or of a part of it, as text without their ends. A line ends with LF or CR LF; what comes after the last
   * line end is a line too. It has a position of its own, as `stream`: the file's stays where it is. A byte order mark at the start
   * of the file is left out. Leaving early closes nothing.
   *
   * Iterating throws `DelimiterNotFoundError` for a line longer than `maxBytes`, `TextDecodingError` for one that is no text in the
   * encoding, and what `stream` throws.
   *
   * @throws TypeError, RangeError if an option is wrong.
   *
   * @example Find somebody
   * ```ts
   * import { run } from "arborio";
   * import { openFile } from "arborio/fs";
   *
   * await run(async () => {
   *   using file = await openFile("/etc/passwd");
   *   for await (const line of file.lines()) {
   *     if (!line.startsWith("root:")) continue;
   *     console.assert(line.includes(":0:"));
   *     break;
   *   }
   * });
   * ```
   */
  lines(options: FileLinesOptions = {}): AsyncIterableIterator<string, undefined, undefined> {
    requireOptions("File.lines", options, "{ maxBytes: 65_536 }");
    const { start = 0, end = Infinity } = options;
    return new FileLines(() => this.stream({ start, end }), options);
  }

  /** Iterates over chunks from the file's own position to its end. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    const ahead = new ReadAhead(this.open, this.position, Infinity);
    const next = (): Promise<IteratorResult<Uint8Array, undefined>> =>
      this.open.ask("read", (completion) =>
        this.#cursor.next(ahead, CHUNK_BYTES_MAX, {
          succeed: (value) =>
            completion.succeed(
              value === null ? { done: true, value: undefined } : { done: false, value },
            ),
          fail: (error) => completion.fail(error),
        }),
      );
    return { next };
  }

  /**
   * A part of the file to send bytes to, from `start` on. It has a position of its own; where the file was opened to append, all goes
   * to the end. `send` ends when the system has the bytes, and is not cancelled once it has begun. Closing the stream
   * leaves the file open. A failure of the system is a `BrokenResourceError` with the `SystemError` as its cause.
   *
   * @throws TypeError, RangeError if `start` is no position, or an option is none.
   */
  sendStream(options: Pick<FileRangeOptions, "start"> = {}): ByteSendStream {
    requireOptions("File.sendStream(options)", options, "{ start: 1024 }");
    requireKnown("File.sendStream", options, { start: true });
    const { start = 0 } = options;
    requirePosition("File.sendStream({ start })", start);
    return new FileSendStream(this.open, start);
  }

  /**
   * Waits for an advisory lock on the whole file: it keeps away those who ask for one too, in this process and in others, and nobody
   * else. It belongs to this open file, and is given up with it, also when this process dies. Cancelled, it is not taken.
   *
   * On Linux it is that of flock(2), as `flock` of the shell and Python's `fcntl.flock` take it. No runtime offers that call, so the program
   * `flock` is started for a moment (2 to 4 ms), or for as long as it has to wait.
   *
   * @returns the lease that gives it up; `using` does, and `close` too.
   * @throws WouldBlock with `wait: false`, if somebody holds one that is in the way.
   * @throws InvalidStateError if this open file holds it already; BusyResourceError if another task waits for it.
   * @throws NotSupportedError where there is no such program.
   * @throws ClosedResourceError if the file is closed, also while waiting; SystemError if the system refuses.
   * @throws TypeError if an option is none.
   *
   * @example One program at a time
   * ```ts
   * import { run } from "arborio";
   * import { openFile, openTemporaryDirectory } from "arborio/fs";
   *
   * await run(async () => {
   *   await using temporary = await openTemporaryDirectory();
   *   using file = await openFile(temporary.path.join("lock"), { flags: "a" });
   *   using _lease = await file.lock();
   * });
   * ```
   */
  lock(options: FileLockOptions = {}): Promise<Lease> {
    return this.#lock.acquire(options);
  }

  /**
   * Closes the file. Reads that wait get `ClosedResourceError`; what changes the file ends first, a `write` within its next MiB. The
   * descriptor goes back to the system, and its lock with it, at once, or when those operations end that it is still doing: so no late one can meet another
   * file of the same number. Synchronous; works from any context; a second call does nothing.
   *
   * What the system says to it is lost: on network disks that may be that something written is lost too. `await using` tells it.
   */
  close(): void {
    this.open.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`: waits until the descriptor was given back. @throws SystemError if something written is lost. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.open.closeWhole();
  }
}

/** The bytes that were read. A few in a large buffer are copied, so that they do not keep it alive. */
function firstOf(view: Uint8Array, count: number): Uint8Array {
  return count < view.length / 2 ? view.slice(0, count) : view.subarray(0, count);
}

function requireOptional(where: string, position: unknown): void {
  if (position !== undefined) requirePosition(where, position);
}

function requireRange(where: string, start: unknown, end: unknown): void {
  if (typeof start !== "number" || typeof end !== "number") {
    const wrong = describeValue(typeof start === "number" ? end : start);
    throw new TypeError(`${where}: got ${wrong}, needs positions: numbers of bytes`);
  }
  requirePosition(`${where}(start)`, start);
  requireCount(`${where}(end)`, end, 0);
  if (end < start)
    throw new RangeError(`${where}: got ${start} to ${end}, needs an end not before the start`);
}
