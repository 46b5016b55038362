import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import { BrokenResourceError } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";

/** What `Barrier.statistics()` tells. */
export interface BarrierStatistics {
  /** How many have to arrive. */
  readonly parties: number;
  /** How many have arrived and wait for the others. */
  readonly tasksWaiting: number;
  /** Whether `break` was called. */
  readonly broken: boolean;
}

const WAIT: WaitKind = {
  name: "barrier.wait",
  abort(waiter) {
    (waiter.resource as Barrier).queue.remove(waiter as Waiter<number>);
  },
};

/**
 * A meeting point for a fixed number of flows: who arrives waits until all have, then all go on, and the barrier serves the
 * next round. A cancelled wait has not arrived: the others wait for somebody else. Counterpart: `asyncio.Barrier`.
 *
 * @example Start together
 * ```ts
 * import { Barrier, run } from "arborio";
 *
 * await run(async (group) => {
 *   const start = new Barrier(2);
 *   group.startSoon(async () => console.assert((await start.wait()) === 0));
 *   group.startSoon(async () => console.assert((await start.wait()) === 1));
 * });
 * ```
 */
export class Barrier {
  /** How many have to arrive. */
  readonly parties: number;
  /** @internal */ readonly queue: WaitQueue<number> = new WaitQueue();
  #broken: { readonly error: unknown } | null = null;

  /**
   * Makes a barrier at which nobody has arrived.
   *
   * @param parties how many have to arrive; a whole number from 1 on.
   * @throws RangeError if it is not such a number; TypeError if it is none.
   */
  constructor(parties: number) {
    requireCount("new Barrier", parties, 1, false);
    this.parties = parties;
  }

  /**
   * Arrives, and waits for the others. The last to arrive releases all at once; cancelling any of them afterwards takes
   * nothing back. Cancelled before, it has not arrived.
   *
   * @returns the place in the order of arrival, from 0 to `parties` − 1: a different one for each of a round.
   * @throws BrokenResourceError after `break()`, also while waiting; or whatever error `break` was given.
   */
  wait(): Promise<number> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#broken !== null) return scope.kernel.rejected(this.#broken.error);
    if (this.queue.size + 1 >= this.parties) {
      this.#releaseAll();
      return scope.kernel.ready(this.parties - 1);
    }
    const waiter = new Waiter<number>(scope, WAIT, this, undefined);
    this.queue.push(waiter);
    return waiter.promise;
  }

  /** Fails all that wait and all that will: somebody will never arrive. Only the first call counts. Synchronous. */
  break(error: unknown = new BrokenResourceError("Barrier.wait: the barrier was broken")): void {
    this.#broken ??= { error };
    const failure = this.#broken.error;
    for (let waiter = this.queue.shift(); waiter !== null; waiter = this.queue.shift()) {
      waiter.fail(failure);
    }
  }

  /** A frozen snapshot. */
  statistics(): BarrierStatistics {
    return Object.freeze({
      parties: this.parties,
      tasksWaiting: this.queue.size,
      broken: this.#broken !== null,
    });
  }

  /** Only those who are here: woken flows may arrive for the next round while this runs. */
  #releaseAll(): void {
    const waiting = this.queue.size;
    for (let place = 0; place < waiting; place++) this.queue.shift()?.wake(place);
  }
}
