import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import { BrokenResourceError } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";

/** What `ParkingLot.statistics()` tells. */
export interface ParkingLotStatistics {
  /** Flows that are parked. */
  readonly tasksWaiting: number;
  /** Whether `break` was called. */
  readonly broken: boolean;
}

/** Kinds of waits in parking lots by name. The payload of such a waiter is the lot it is in. */
const kinds: Map<string, WaitKind> = new Map();

function kindOf(name: string): WaitKind {
  let kind = kinds.get(name);
  if (kind === undefined) {
    kind = {
      name,
      abort: (waiter) => (waiter.payload as ParkingLot).queue.remove(waiter as Waiter<void>),
    };
    kinds.set(name, kind);
  }
  return kind;
}

/**
 * A place where flows wait for one another, first-in first-out: the fair queue under locks, events and conditions, for
 * those who build their own. It has no state but the queue. A cancelled wait leaves the queue at once, so an `unpark` is
 * never spent on it; one that was unparked first returns, and the next checkpoint throws.
 *
 * Counterpart: `trio.lowlevel.ParkingLot`.
 *
 * @example A gate that lets one through at a time
 * ```ts
 * import { checkpoint, run } from "arborio";
 * import { ParkingLot } from "arborio/lowlevel";
 *
 * await run(async (group) => {
 *   const lot = new ParkingLot();
 *   const passed: string[] = [];
 *   group.startSoon(() => lot.park().then(() => passed.push("first")));
 *   group.startSoon(() => lot.park().then(() => passed.push("second")));
 *   while (lot.statistics().tasksWaiting < 2) await checkpoint();
 *   lot.unpark();
 *   await checkpoint();
 *   console.assert(passed.join() === "first");
 *   lot.unparkAll();
 * });
 * ```
 */
export class ParkingLot {
  /** @internal */ readonly queue: WaitQueue<void> = new WaitQueue();
  readonly #kind: WaitKind;
  readonly #resource: unknown;
  #broken: { readonly error: unknown } | null = null;

  /**
   * An empty one.
   *
   * @param name what the task tree says of those who wait here: `"http.receive"`. One of few: it is kept.
   * @param resource what it says they wait for. Default: this lot.
   */
  constructor(name: string = "parkingLot.park", resource?: unknown) {
    this.#kind = kindOf(name);
    this.#resource = resource ?? this;
  }

  /**
   * Waits until `unpark` comes to this flow. Cancelled, it is no longer in the queue.
   *
   * @throws BrokenResourceError after `break()`, also while waiting; or whatever error `break` was given.
   */
  park(): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#broken !== null) return scope.kernel.rejected(this.#broken.error);
    const waiter = new Waiter<void>(scope, this.#kind, this.#resource, this);
    this.queue.push(waiter);
    return waiter.promise;
  }

  /**
   * Wakes those that have waited longest.
   *
   * @param count how many; a whole number from 0 on, or `Infinity`. Default 1.
   * @returns how many were woken.
   * @throws RangeError if `count` is not such a number; TypeError if it is none.
   */
  unpark(count = 1): number {
    requireCount("ParkingLot.unpark", count, 0);
    let woken = 0;
    while (woken < count) {
      const waiter = this.queue.shift();
      if (waiter === null) break;
      if (waiter.wake()) woken += 1;
    }
    return woken;
  }

  /** Wakes all that wait now. */
  unparkAll(): number {
    return this.unpark(Infinity);
  }

  /**
   * Moves those that have waited longest, still asleep, to the end of another lot, in their order.
   *
   * @param lot where to; if it is broken, they get its error.
   * @param count how many; a whole number from 0 on, or `Infinity`. Default 1.
   * @returns how many were moved.
   */
  repark(lot: ParkingLot, count = 1): number {
    requireCount("ParkingLot.repark", count, 0);
    const moving = Math.min(count, this.queue.size);
    for (let moved = 0; moved < moving; moved++) lot.#admit(this.queue.shift() as Waiter<void>);
    return moving;
  }

  /** Moves all that wait now to the end of another lot. */
  reparkAll(lot: ParkingLot): number {
    return this.repark(lot, Infinity);
  }

  /** Fails all that wait and all that will: what they wait for can never come. Only the first call counts. */
  break(error: unknown = new BrokenResourceError("ParkingLot.park: the lot was broken")): void {
    this.#broken ??= { error };
    const failure = this.#broken.error;
    for (let waiter = this.queue.shift(); waiter !== null; waiter = this.queue.shift()) {
      waiter.fail(failure);
    }
  }

  /** A frozen snapshot. */
  statistics(): ParkingLotStatistics {
    return Object.freeze({ tasksWaiting: this.queue.size, broken: this.#broken !== null });
  }

  #admit(waiter: Waiter<void>): void {
    if (this.#broken !== null) {
      waiter.fail(this.#broken.error);
      return;
    }
    waiter.payload = this;
    this.queue.push(waiter);
  }
}
