import type { WatchHandle, WatchListener } from "../../platform/files.ts";
import type { Withdraw } from "../../platform/network.ts";

/** So many names may wait to be told; when there are more, nobody knows any more what has changed. As inotify's queue. */
const NAMES_MAX = 16_384;

/** One in so many changes is told without its name, and one in so many twice: both happen on hosts. */
const ODD_ONES = 16;

/** What a watch needs of the disk. */
export interface WatchTimes {
  /** Calls `done` a little later. */
  after(done: () => void): Withdraw;
  /** A number from 0 to `count` − 1. */
  pick(count: number): number;
}

/** Those who watch one directory. */
export class DirectoryWatches {
  readonly #watches: Set<DirectoryWatch> = new Set();

  /** @param onEnd is told when it has ended: closed, or failed. */
  add(
    told: WatchListener,
    times: WatchTimes,
    onEnd: (watch: DirectoryWatch) => void,
  ): DirectoryWatch {
    const watch = new DirectoryWatch(told, times, () => {
      this.#watches.delete(watch);
      onEnd(watch);
    });
    this.#watches.add(watch);
    return watch;
  }

  changed(name: string | null): void {
    for (const watch of this.#watches) watch.changed(name);
  }

  failed(error: Error): void {
    for (const watch of this.#watches) watch.failed(error);
  }
}

/** A watch of one directory: what happened is told a little later, changes of one name that come close together once. */
export class DirectoryWatch implements WatchHandle {
  readonly #told: WatchListener;
  readonly #times: WatchTimes;
  readonly #ended: () => void;
  readonly #waiting: Set<string | null> = new Set();
  #isClosed = false;

  constructor(told: WatchListener, times: WatchTimes, ended: () => void) {
    this.#told = told;
    this.#times = times;
    this.#ended = ended;
  }

  changed(name: string | null): void {
    const odd = this.#times.pick(ODD_ONES);
    const told = odd === 1 || this.#waiting.size >= NAMES_MAX ? null : name;
    if (this.#waiting.has(told)) return;
    this.#waiting.add(told);
    this.#later(() => {
      this.#waiting.delete(told);
      this.#told.changed(told);
    });
    if (odd === 2) this.#later(() => this.#told.changed(told));
  }

  failed(error: Error): void {
    this.#later(() => {
      this.close();
      this.#told.failed(error);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#ended();
  }

  #later(tell: () => void): void {
    this.#times.after(() => {
      if (!this.#isClosed) tell();
    });
  }
}
