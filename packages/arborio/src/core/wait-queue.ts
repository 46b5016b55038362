import type { Waiter } from "./suspend.ts";

/** First-in first-out queue of waiters, linked through the waiters themselves: enqueueing allocates nothing, removal is constant time. */
export class WaitQueue<T> {
  #first: Waiter<T> | null = null;
  #last: Waiter<T> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that has waited longest. */
  get first(): Waiter<T> | null {
    return this.#first;
  }

  push(waiter: Waiter<T>): void {
    waiter.queuePrevious = this.#last as Waiter<unknown> | null;
    if (this.#last === null) this.#first = waiter;
    else this.#last.queueNext = waiter as Waiter<unknown>;
    this.#last = waiter;
    this.#size += 1;
  }

  /** Takes out the one that has waited longest. */
  shift(): Waiter<T> | null {
    const waiter = this.#first;
    if (waiter !== null) this.remove(waiter);
    return waiter;
  }

  /** Takes out `waiter`, which must be in this queue. */
  remove(waiter: Waiter<T>): void {
    const { queuePrevious: previous, queueNext: next } = waiter;
    if (previous === null) this.#first = next as Waiter<T> | null;
    else previous.queueNext = next;
    if (next === null) this.#last = previous as Waiter<T> | null;
    else next.queuePrevious = previous;
    waiter.queuePrevious = null;
    waiter.queueNext = null;
    this.#size -= 1;
  }

  /** Oldest first; the loop may take out the waiter it is at. */
  *[Symbol.iterator](): Generator<Waiter<T>, void> {
    for (let waiter = this.#first; waiter !== null;) {
      const next = waiter.queueNext as Waiter<T> | null;
      yield waiter;
      waiter = next;
    }
  }
}
