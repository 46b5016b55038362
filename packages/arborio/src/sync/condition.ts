import { ambientScope } from "../core/ambient.ts";
import { requireCount, requireFunction } from "../core/arguments.ts";
import { type BrokenResourceError, InvalidStateError } from "../core/errors.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";
import type { Lease } from "./lease.ts";
import { type Dependant, Lock, type LockStatistics, type Return } from "./lock.ts";

/** What `Condition.statistics()` tells. */
export interface ConditionStatistics {
  /** Those who wait to be notified; the notified are in `lock.tasksWaiting`. */
  readonly tasksWaiting: number;
  /** Those of its lock. */
  readonly lock: LockStatistics;
}

/** One wait from `wait()` until the lock is back: first in the queue of the condition, then in that of the lock. */
interface ConditionWait extends Return {
  /** Whether it still waits to be notified. Once it does not, nothing can withdraw it: it comes back with the lock. */
  parked: boolean;
}

const WAIT: WaitKind = {
  name: "condition.wait",
  abort(waiter) {
    return (waiter.resource as Condition).withdraw(waiter as Waiter<undefined>);
  },
};

/**
 * Waits for a change of something that a lock protects. `wait` gives the lock up and has it back when it returns or throws,
 * also when cancelled, however long that takes. The first of notification and cancellation wins: a wait that was notified
 * returns even if it is cancelled while it waits for the lock, and a cancelled one is never notified, so that no
 * notification is lost. Counterpart: `trio.Condition`.
 *
 * @example A bounded pile
 * ```ts
 * import { Condition, run } from "arborio";
 *
 * await run(async (group) => {
 *   const changed = new Condition();
 *   const pile: number[] = [];
 *   group.startSoon(async () => {
 *     using _lease = await changed.acquire();
 *     await changed.waitFor(() => pile.length > 0);
 *     console.assert(pile.pop() === 1);
 *   });
 *   group.startSoon(async () => {
 *     using _lease = await changed.acquire();
 *     pile.push(1);
 *     changed.notify();
 *   });
 * });
 * ```
 */
export class Condition implements Dependant {
  /** The lock that protects what is waited for. */
  readonly lock: Lock;
  readonly #queue: WaitQueue<undefined> = new WaitQueue();

  /**
   * Makes a condition on a lock.
   *
   * @param lock may be shared by several conditions. Default: a new one.
   */
  constructor(lock: Lock = new Lock()) {
    this.lock = lock;
  }

  /** `lock.acquire()`. */
  acquire(): Promise<Lease> {
    return this.lock.acquire();
  }

  /** `lock.acquireNowait()`. */
  acquireNowait(): Lease {
    return this.lock.acquireNowait();
  }

  /**
   * Gives the lock up, waits for a notification, and takes the lock again; the lease stays the same. Cancellation counts
   * before the lock is given up and until a notification has come. What was waited for need not be true afterwards: look
   * again, or use `waitFor`.
   *
   * @throws InvalidStateError if the calling task does not hold the lock.
   * @throws BrokenResourceError if a task that held the lock ended without releasing it; the lock is then not held.
   */
  wait(): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const lease = this.lock.leaseOf(scope.task);
    if (lease === null) return scope.kernel.rejected(notHeld("wait", scope));
    const state: ConditionWait = { lease, error: null, parked: true };
    const waiter = new Waiter<undefined>(scope, WAIT, this, state);
    this.#queue.push(waiter);
    this.lock.giveUpFor(this);
    return waiter.promise;
  }

  /**
   * `wait` until `predicate` holds. It is called with the lock held, first at once.
   *
   * @param predicate synchronous; tells by a truthy value that what is waited for is so.
   * @returns that value.
   * @throws InvalidStateError if the calling task does not hold the lock.
   * @throws TypeError if `predicate` is not a function, or returns a promise.
   */
  waitFor<T>(predicate: () => T): Promise<T> {
    const scope = ambientScope();
    const { kernel } = scope;
    const refusal = scope.refuse();
    if (refusal !== null) return kernel.rejected(refusal);
    if (this.lock.leaseOf(scope.task) === null) return kernel.rejected(notHeld("waitFor", scope));
    try {
      requireFunction("Condition.waitFor", predicate);
      const value = evaluate(predicate);
      return value ? kernel.ready(value) : this.#waitUntil(predicate);
    } catch (error) {
      return kernel.rejected(error);
    }
  }

  /**
   * Wakes those that have waited longest; each goes on when it has the lock, so not before the caller gives it up.
   *
   * @param count how many; a whole number from 0 on, or `Infinity`. Default 1.
   * @throws InvalidStateError if the calling task does not hold the lock.
   */
  notify(count = 1): void {
    requireCount("Condition.notify", count, 0);
    const scope = ambientScope();
    if (this.lock.leaseOf(scope.task) === null) throw notHeld("notify", scope);
    for (let notified = 0; notified < count; notified++) {
      const waiter = this.#shift();
      if (waiter === null) return;
      (waiter.payload as ConditionWait).parked = false;
      this.lock.comeBack(waiter);
    }
  }

  /** Wakes all that wait now. */
  notifyAll(): void {
    this.notify(Infinity);
  }

  /** A frozen snapshot. */
  statistics(): ConditionStatistics {
    return Object.freeze({ tasksWaiting: this.#queue.size, lock: this.lock.statistics() });
  }

  /** @internal Cancelled: it has to have the lock back before it can throw. */
  withdraw(waiter: Waiter<undefined>): void | false {
    const state = waiter.payload as ConditionWait;
    if (!state.parked) return false;
    state.parked = false;
    state.error = waiter.scope?.applied ?? null;
    this.#queue.remove(waiter);
    this.#forgetIfEmpty();
    return this.lock.comeBack(waiter) ? undefined : false;
  }

  /** @internal Nobody can ever notify those who wait. */
  lockBroken(error: () => BrokenResourceError): void {
    for (let waiter = this.#shift(); waiter !== null; waiter = this.#shift()) waiter.fail(error());
  }

  async #waitUntil<T>(predicate: () => T): Promise<T> {
    for (;;) {
      await this.wait();
      const value = evaluate(predicate);
      if (value) return value;
    }
  }

  #shift(): Waiter<undefined> | null {
    const waiter = this.#queue.shift();
    this.#forgetIfEmpty();
    return waiter;
  }

  #forgetIfEmpty(): void {
    if (this.#queue.size === 0) this.lock.forget(this);
  }
}

function evaluate<T>(predicate: () => T): T {
  const value = predicate();
  if (typeof value === "object" && value !== null && "then" in value) {
    throw new TypeError(
      "Condition.waitFor: the predicate returned a promise, needs a value; a promise is always truthy",
    );
  }
  return value;
}

function notHeld(where: string, scope: CancelScope): InvalidStateError {
  return new InvalidStateError(
    `Condition.${where}: ${scope.task.describe()} does not hold the lock; ` +
      `write using lease = await condition.acquire() before condition.${where}()`,
  );
}
