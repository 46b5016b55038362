import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import { InvalidStateError, WouldBlock } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";
import { Lease, type LeaseSource } from "./lease.ts";

/** Options of a `Semaphore`. */
export interface SemaphoreOptions {
  /** Releasing above this is an error. A whole number, at least the initial value. Default `Infinity`: no limit. */
  readonly maxValue?: number;
}

/** What `Semaphore.statistics()` tells. */
export interface SemaphoreStatistics {
  /** Free permits. */
  readonly value: number;
  /** Flows that wait for a permit. */
  readonly tasksWaiting: number;
}

const ACQUIRE: WaitKind = {
  name: "semaphore.acquire",
  abort(waiter) {
    (waiter.resource as Semaphore).queue.remove(waiter as Waiter<Lease>);
  },
};

/**
 * A number of permits that belong to nobody in particular. First-in first-out: a release hands its permit to who has waited
 * longest; `value` then stays 0. To limit how many do something at once, a `CapacityLimiter` says more.
 * Counterpart: `trio.Semaphore`.
 *
 * @example At most two at once
 * ```ts
 * import { run, Semaphore, sleep } from "arborio";
 *
 * await run(async (group) => {
 *   const semaphore = new Semaphore(2);
 *   for (let i = 0; i < 4; i++) {
 *     group.startSoon(async () => {
 *       using _lease = await semaphore.acquire();
 *       await sleep(1);
 *     });
 *   }
 * });
 * ```
 */
export class Semaphore implements LeaseSource {
  /** @internal */ readonly leaseName: string = "Semaphore";
  /** @internal Empty while `value` is above 0. */ readonly queue: WaitQueue<Lease> =
    new WaitQueue();
  readonly #maxValue: number;
  #value: number;

  /**
   * Makes a semaphore.
   *
   * @param initial free permits at first; a whole number from 0 on.
   * @throws RangeError if `initial` or `maxValue` is not such a number; TypeError if it is none.
   */
  constructor(initial: number, options: SemaphoreOptions = {}) {
    const { maxValue = Infinity } = options;
    requireCount("new Semaphore", initial, 0, false);
    requireCount("new Semaphore({ maxValue })", maxValue, initial);
    this.#value = initial;
    this.#maxValue = maxValue;
  }

  /** Free permits. */
  get value(): number {
    return this.#value;
  }

  /** Most free permits; `Infinity`: no limit. */
  get maxValue(): number {
    return this.#maxValue;
  }

  /**
   * Waits for a permit and takes it. Cancelled, it has none and has lost its place.
   *
   * @returns the lease that gives the permit back; whoever uses `release()` instead may drop it.
   */
  acquire(): Promise<Lease> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#value > 0) return scope.kernel.ready(this.#take());
    const waiter = new Waiter<Lease>(scope, ACQUIRE, this, undefined);
    this.queue.push(waiter);
    return waiter.promise;
  }

  /**
   * Takes a permit if one is free. Synchronous; works from any context.
   *
   * @throws WouldBlock if none is.
   */
  acquireNowait(): Lease {
    if (this.#value > 0) return this.#take();
    throw new WouldBlock(
      "Semaphore.acquireNowait: no permit is free; await acquire() to wait for one",
    );
  }

  /**
   * Adds a permit, whether or not one was acquired before. Do not mix it with the leases' `release`. Synchronous; works
   * from any context.
   *
   * @throws InvalidStateError if that would raise `value` above `maxValue`.
   */
  release(): void {
    if (this.#value >= this.#maxValue) {
      throw new InvalidStateError(
        `Semaphore.release: value is ${this.#value}, and maxValue is ${this.#maxValue}; release once for each acquire`,
      );
    }
    for (let waiter = this.queue.shift(); waiter !== null; waiter = this.queue.shift()) {
      if (waiter.wake(new Lease(this, null))) return;
    }
    this.#value += 1;
  }

  /** A frozen snapshot. */
  statistics(): SemaphoreStatistics {
    return Object.freeze({ value: this.#value, tasksWaiting: this.queue.size });
  }

  /** @internal */
  takeBack(_lease: Lease): boolean {
    this.release();
    return true;
  }

  #take(): Lease {
    this.#value -= 1;
    return new Lease(this, null);
  }
}
