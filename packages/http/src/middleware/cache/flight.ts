import { Future } from "arborio";

/** What becomes of one who waits for another's response: it is there; it failed; everybody has to ask alone; it has to go on in the other's place. */
export type Landing<T> =
  | { readonly kind: "landed"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "apart" }
  | { readonly kind: "lead"; readonly flight: Flight<T> };

/** One request on its way, for all who ask for the same meanwhile: first come, first served. */
export class Flight<T> {
  /** In the order in which they came. */
  readonly #waiters: Set<Future<Landing<T>>> = new Set();
  readonly #onEnd: () => void;
  #ended = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Whether somebody waits. */
  get hasFollowers(): boolean {
    return this.#waiters.size > 0;
  }

  /**
   * Waits for what becomes of it. Cancelled, it has changed nothing for the others: one that was told to lead, and is cancelled before it goes on,
   * is given that all the same, and has to `abandon`.
   */
  async follow(): Promise<Landing<T>> {
    const future = new Future<Landing<T>>();
    this.#waiters.add(future);
    try {
      return await future.wait();
    } catch (error) {
      this.#waiters.delete(future);
      throw error;
    }
  }

  /** Everybody gets this; who comes from now on begins anew. */
  end(landing: Exclude<Landing<T>, { kind: "lead" }>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    for (const waiter of this.#waiters) waiter.setValue(landing);
    this.#waiters.clear();
  }

  /** Who leads cannot go on: the next one does. Does nothing once it has ended. */
  abandon(): void {
    if (this.#ended) return;
    const [next] = this.#waiters;
    if (next === undefined) return this.end({ kind: "apart" });
    this.#waiters.delete(next);
    next.setValue({ kind: "lead", flight: this });
  }
}
