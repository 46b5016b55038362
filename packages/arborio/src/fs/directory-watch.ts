import { ambientScope } from "../core/ambient.ts";
import { checkpoint } from "../core/checkpoint.ts";
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  SystemError,
} from "../core/errors.ts";
import type { Kernel } from "../core/kernel.ts";
import type { Files } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import { ParkingLot } from "../sync/parking-lot.ts";
import { moveOnAt, sleep } from "../sync/timeouts.ts";
import { type DirectoryChange, TICK_MS, WatchedTree } from "./watch-tree.ts";
import { WatchedDirectories } from "./watched-directories.ts";

/** So many quiet periods are waited for at most: something that changes all the time must not hide the rest. */
const QUIET_PERIODS_MAX = 20;

/** How to watch. */
export interface DirectoryWatchSettings {
  readonly files: Files;
  /** The path as it was given, which changes are told with. */
  readonly givenPath: string;
  /** The same, without links. */
  readonly realPath: string;
  readonly recursive: boolean;
  readonly settleMs: number;
  readonly ignore: (path: string) => boolean;
  readonly onError: ((error: SystemError, path: string) => void) | undefined;
}

/**
 * What `watchDirectory` gives. Iterating over it never ends by itself, and leaving the loop closes nothing. Only one task may receive
 * at a time. It looks at the directory while somebody receives: what changes meanwhile is told the next time, each path once.
 */
export class DirectoryWatch implements AsyncIterable<DirectoryChange>, Disposable, AsyncDisposable {
  /** The path that was given. */
  readonly path: string;
  readonly #settings: DirectoryWatchSettings;
  readonly #kernel: Kernel;
  readonly #tree: WatchedTree;
  readonly #directories: WatchedDirectories;
  /** Where the receiver waits for something to look at. */
  readonly #lot: ParkingLot = new ParkingLot("watch.receive");
  /** When the system hinted at something that was not looked at yet: first and last, in milliseconds of the kernel. */
  #firstHintAt = 0;
  #lastHintAt = 0;
  #isSettling = false;
  #isReceiving = false;
  /** What the system is asked at the moment. */
  #asked: { withdraw: Withdraw; readonly fail: (error: Error) => void } | null = null;
  #failure: Error | null = null;

  /** @internal */
  constructor(settings: DirectoryWatchSettings) {
    const { files, givenPath, realPath, recursive, ignore, onError } = settings;
    this.path = givenPath;
    this.#settings = settings;
    this.#kernel = ambientScope().kernel;
    const tree = new WatchedTree(realPath, recursive);
    this.#tree = tree;
    this.#directories = new WatchedDirectories({
      files,
      tree,
      ask: (begin) => this.#ask(begin),
      isIgnored: (path) => ignore(this.#given(path)),
      refused: ({ error, path }) => {
        if (onError === undefined) throw error;
        onError(error, this.#given(path));
      },
      hinted: () => this.#hinted(),
      failed: (error) => this.#broken(error),
    });
  }

  /** @internal Looks at what is there. `tellExisting`: then all of it is told. */
  async open(tellExisting: boolean): Promise<void> {
    try {
      await this.#directories.look();
      const fresh = this.#tree.fresh();
      if (fresh.length > 0) {
        // The next write of one of these could not be told from the last.
        await sleep(TICK_MS);
        this.#directories.lookAgain(fresh);
        await this.#directories.look();
      }
    } catch (error) {
      this.close();
      throw error;
    }
    if (!tellExisting) this.#tree.tellAll();
  }

  /**
   * Waits for the next change. Cancelled, it lost none.
   *
   * @throws BrokenResourceError if the directory was removed, moved or replaced, or cannot be watched any more; its `cause` says why.
   * @throws ClosedResourceError if the watch is closed, also while waiting.
   * @throws BusyResourceError if another task receives at the moment.
   */
  receive(): Promise<DirectoryChange> {
    return this.#receive(() => this.#take());
  }

  /**
   * Waits for the next change, and gives it together with all others that can be told by then: for whoever does the same work for
   * one as for many. Cancelled, it lost none.
   *
   * @returns at least one.
   * @throws as `receive`.
   */
  receiveAll(): Promise<DirectoryChange[]> {
    return this.#receive(() => {
      const changes: DirectoryChange[] = [];
      for (let one = this.#take(); one !== undefined; one = this.#take()) changes.push(one);
      return changes.length > 0 ? changes : undefined;
    });
  }

  /** `receive`, again and again. */
  [Symbol.asyncIterator](): AsyncIterator<DirectoryChange, never, undefined> {
    return { next: async () => ({ done: false, value: await this.receive() }) };
  }

  async #receive<T>(take: () => T | undefined): Promise<T> {
    await checkpoint();
    if (this.#isReceiving) {
      throw new BusyResourceError(
        `DirectoryWatch.receive: another task receives from ${this.path} at the moment; let one receive, or watch twice`,
      );
    }
    this.#isReceiving = true;
    try {
      for (;;) {
        // What is known is told before the end.
        if (this.#failure instanceof ClosedResourceError) throw this.#failure;
        const taken = take();
        if (taken !== undefined) return taken;
        await this.#untilQuiet();
        await this.#look();
      }
    } finally {
      this.#isReceiving = false;
    }
  }

  #take(): DirectoryChange | undefined {
    const change = this.#tree.take();
    return change && { ...change, path: this.#given(change.path) };
  }

  /** Waits until there is something to look at, and nothing has happened for a while. */
  async #untilQuiet(): Promise<void> {
    const { settleMs } = this.#settings;
    while (!this.#directories.areHinted) await this.#lot.park();
    this.#isSettling = true;
    try {
      for (;;) {
        const latest = this.#firstHintAt + settleMs * QUIET_PERIODS_MAX;
        const quietAt = Math.min(this.#lastHintAt + settleMs, latest);
        if (this.#kernel.now() >= quietAt) return;
        // Not a sleep: closing breaks the lot.
        await moveOnAt(quietAt, () => this.#lot.park());
      }
    } finally {
      this.#isSettling = false;
    }
  }

  async #look(): Promise<void> {
    try {
      await this.#directories.look();
    } catch (error) {
      // What `onError` or `ignore` throws is the caller's.
      if (!(error instanceof SystemError)) throw error;
      this.#broken(error);
    }
  }

  #hinted(): void {
    const now = this.#kernel.now();
    this.#lastHintAt = now;
    if (this.#isSettling) return;
    this.#firstHintAt = now;
    this.#lot.unpark();
  }

  #ask<T>(begin: (completion: Completion<T>) => Withdraw): Promise<T> {
    return hostOperation<T>({
      name: "watch.look",
      resource: this,
      begin: (_backend, completion) => {
        if (this.#failure !== null) throw this.#failure;
        const asked = { withdraw: () => {}, fail: (error: Error) => completion.fail(error) };
        this.#asked = asked;
        const withdraw = begin({
          succeed: (value) => {
            this.#asked = null;
            completion.succeed(value);
          },
          fail: (error) => {
            this.#asked = null;
            completion.fail(error);
          },
        });
        asked.withdraw = withdraw;
        return () => {
          this.#asked = null;
          withdraw();
        };
      },
    });
  }

  #broken(cause: Error): void {
    this.#end(new BrokenResourceError(`watch ${this.path}: the watch has ended`, { cause }));
  }

  /**
   * Ends the watch. A task that waits gets `ClosedResourceError`. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    this.#end(new ClosedResourceError(`DirectoryWatch: the watch of ${this.path} is closed`));
  }

  #end(failure: Error): void {
    if (this.#failure instanceof ClosedResourceError) return;
    this.#failure = failure;
    this.#tree.unwatch();
    const asked = this.#asked;
    this.#asked = null;
    asked?.withdraw();
    asked?.fail(failure);
    this.#lot.break(failure);
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

  /** The path that is told of a path below the real one. */
  #given(path: string): string {
    const { givenPath, realPath } = this.#settings;
    const rest = path.slice(realPath.length + (realPath.endsWith("/") ? 0 : 1));
    return givenPath.endsWith("/") ? givenPath + rest : `${givenPath}/${rest}`;
  }
}
