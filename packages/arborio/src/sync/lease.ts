import { InvalidStateError } from "../core/errors.ts";

/** @internal What a lease can be of. */
export interface LeaseSource {
  /** For messages: `"Lock"`. */
  readonly leaseName: string;
  /** Takes back what `lease` stands for; `false` if its source does not hold it lent at the moment. */
  takeBack(lease: Lease): boolean;
}

/**
 * The right to something acquired (a lock, a permit of a semaphore, a token of a limiter), to be given back once. Any code
 * that has the lease may give it back, also in another task or outside of all. `using` gives it back when its block is left.
 *
 * @example Held until the end of the block
 * ```ts
 * import { Lock, run } from "arborio";
 *
 * await run(async () => {
 *   const lock = new Lock();
 *   {
 *     using _lease = await lock.acquire();
 *     console.assert(lock.locked);
 *   }
 *   console.assert(!lock.locked);
 * });
 * ```
 */
export class Lease implements Disposable {
  readonly #source: LeaseSource;
  /** @internal On whose behalf it was given. */
  readonly holder: unknown;
  /** @internal */
  returned = false;

  /** @internal */
  constructor(source: LeaseSource, holder: unknown) {
    this.#source = source;
    this.holder = holder;
  }

  /**
   * Gives back what was acquired; who has waited longest for it gets it at once. Synchronous; works from any context.
   *
   * @throws InvalidStateError if it was given back before: somebody else may have it by now. Also while `Condition.wait` has
   *   given up the lock for its time.
   */
  release(): void {
    if (this.returned) {
      throw new InvalidStateError(
        `Lease.release: this lease of a ${this.#source.leaseName} was released before; release once, or leave it to using`,
      );
    }
    if (!this.#source.takeBack(this)) {
      throw new InvalidStateError(
        `Lease.release: the ${this.#source.leaseName} is not held now, since Condition.wait has given it up; release after the wait`,
      );
    }
    this.returned = true;
  }

  /** `release`, for `using`; after a `release` by hand it does nothing. */
  [Symbol.dispose](): void {
    if (this.returned) return;
    this.returned = true;
    this.#source.takeBack(this);
  }
}
