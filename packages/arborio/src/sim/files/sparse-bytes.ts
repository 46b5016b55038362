/** Bytes of a page: what is kept, counted, and lost in a crash as one piece, as on Linux. */
export const PAGE_BYTES = 4096;

/** Largest file: what ext4 allows with such pages. */
export const FILE_BYTES_MAX: number = 16 * 2 ** 40;

/** How many pages a disk has left. */
export interface PageBudget {
  /** Takes a page; whether there was one. */
  take(): boolean;
  /** Gives pages back. */
  give(count: number): void;
}

/**
 * The bytes of a file, in pages. A page that was never written has no memory and reads as zeros. Remembers of each page what was on the
 * disk when it was last synced, so that a crash can bring it back.
 */
export class SparseBytes {
  readonly #budget: PageBudget;
  readonly #pages: Map<number, Uint8Array> = new Map();
  /** Of each page that was changed since `sync`: what the disk certainly has, `undefined` for none. */
  readonly #synced: Map<number, Uint8Array | undefined> = new Map();
  /** Of those the ones that a sync could not write: the system takes them for written. */
  readonly #lost: Set<number> = new Set();
  #size = 0;
  #syncedSize = 0;
  /** Whether its pages are counted no more: nobody can reach them. */
  #isGone = false;

  constructor(budget: PageBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#size;
  }

  /** How many pages it holds. */
  get pageCount(): number {
    return this.#pages.size;
  }

  /** Whether all of it is on the disk. */
  get isSynced(): boolean {
    return this.#synced.size === 0 && this.#size === this.#syncedSize;
  }

  /** Fills `view` from `position` on, as far as there are bytes; how many. */
  read(view: Uint8Array, position: number): number {
    const count = Math.max(Math.min(this.#size - position, view.length), 0);
    for (let done = 0; done < count;) {
      const [index, start] = placeOf(position + done);
      const length = Math.min(PAGE_BYTES - start, count - done);
      const page = this.#pages.get(index);
      if (page === undefined) view.fill(0, done, done + length);
      else view.set(page.subarray(start, start + length), done);
      done += length;
    }
    return count;
  }

  /** Writes as much of `bytes` as the disk has room for; how much. */
  write(bytes: Uint8Array, position: number): number {
    let done = 0;
    while (done < bytes.length) {
      const [index, start] = placeOf(position + done);
      const length = Math.min(PAGE_BYTES - start, bytes.length - done);
      const page = this.#pageToChange(index);
      if (page === null) break;
      page.set(bytes.subarray(done, done + length), start);
      done += length;
    }
    if (done > 0) this.#size = Math.max(this.#size, position + done);
    return done;
  }

  setSize(size: number): void {
    const isShorter = size < this.#size;
    this.#size = size;
    // What is behind the end of the last page is zeros anyway.
    if (isShorter) this.#cutPages();
  }

  /** All of it is on the disk now, but what an earlier sync could not write and nobody has written again. */
  sync(): void {
    for (const index of this.#synced.keys()) if (!this.#lost.has(index)) this.#synced.delete(index);
    this.#syncedSize = this.#size;
  }

  /** Nothing of it could be written. The next sync does not try again, as on Linux: the pages are not dirty any more. */
  failSync(): void {
    for (const index of this.#synced.keys()) this.#lost.add(index);
  }

  /** Nobody can reach it any more: its pages are free. */
  release(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#budget.give(this.#pages.size);
  }

  /** Somebody can reach it again, after a crash. */
  restore(): void {
    if (!this.#isGone) return;
    this.#isGone = false;
    this.#budget.give(-this.#pages.size);
  }

  /**
   * Forgets what had not reached the disk. `keeps` is asked of each page that was changed whether it is new all the same; `chooseSize`
   * chooses between the size that the disk certainly knows and that which it may know.
   */
  crash(keeps: () => boolean, chooseSize: (synced: number, current: number) => number): void {
    if (this.isSynced) return;
    const before = this.#pages.size;
    for (const [index, page] of this.#synced) {
      if (!this.#lost.has(index) && keeps()) continue;
      if (page === undefined) this.#pages.delete(index);
      else this.#pages.set(index, page);
    }
    this.#budget.give(before - this.#pages.size);
    this.#size = chooseSize(this.#syncedSize, this.#size);
    this.#cutPages();
    this.#lost.clear();
    this.sync();
  }

  /** Drops what lies behind the end. */
  #cutPages(): void {
    const [last, start] = placeOf(this.#size);
    let dropped = 0;
    for (const index of this.#pages.keys()) {
      if (index < last || (index === last && start > 0)) continue;
      this.#remember(index);
      this.#lost.delete(index);
      this.#pages.delete(index);
      dropped += 1;
    }
    this.#budget.give(dropped);
    if (start > 0 && this.#pages.has(last)) this.#pageToChange(last)?.fill(0, start);
  }

  /** A page that may be written into; `null` if the disk is full. */
  #pageToChange(index: number): Uint8Array | null {
    this.#lost.delete(index);
    const there = this.#pages.get(index);
    if (there !== undefined && this.#synced.has(index)) return there;
    if (there === undefined && !this.#budget.take()) return null;
    this.#remember(index);
    const page = there?.slice() ?? new Uint8Array(PAGE_BYTES);
    this.#pages.set(index, page);
    return page;
  }

  #remember(index: number): void {
    if (!this.#synced.has(index)) this.#synced.set(index, this.#pages.get(index));
  }
}

/** In which page a position is, and where there. */
function placeOf(position: number): [index: number, start: number] {
  const index = Math.floor(position / PAGE_BYTES);
  return [index, position - index * PAGE_BYTES];
}
