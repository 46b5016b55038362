import { ambientScope } from "../core/ambient.ts";
import { BrokenResourceError, WouldBlock } from "../core/errors.ts";
import { CLOSED } from "../core/flags.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { Task } from "../core/task.ts";
import { infoOf, type TaskInfo } from "../core/task-tree.ts";
import { WaitQueue } from "../core/wait-queue.ts";
import { Lease, type LeaseSource } from "./lease.ts";

/** What `Lock.statistics()` tells. */
export interface LockStatistics {
  /** Whether somebody holds it, also if it is broken. */
  readonly locked: boolean;
  /** The task that holds the lock; `null` if none does. */
  readonly owner: TaskInfo | null;
  /** Flows that wait for it. */
  readonly tasksWaiting: number;
}

/** What a waiter carries that gave the lock up for a while and comes back for it: `Condition.wait`. */
export interface Return {
  readonly lease: Lease;
  /** What to throw once the lock is back; `null`: nothing. */
  error: unknown;
}

/** @internal Those who wait for a holder of the lock without being in its queue: a condition. */
export interface Dependant {
  /** Called when the lock has broken. */
  lockBroken(error: () => BrokenResourceError): void;
}

const ACQUIRE: WaitKind = {
  name: "lock.acquire",
  abort(waiter) {
    (waiter.resource as Lock).queue.remove(waiter as Waiter<Lease | undefined>);
  },
};

/**
 * Mutual exclusion, owned by a task. First-in first-out: a release hands the lock to who has waited longest, and nobody gets
 * in between. Not re-entrant: acquiring again in the same task queues, since flows under `Promise.all` are one task; one
 * flow doing so waits for itself (reported in `dev`). If the task that holds the lock ends without giving it back, the
 * lock is broken for good: what it protected may be half changed. Counterpart: `trio.Lock`.
 *
 * @example One at a time
 * ```ts
 * import { checkpoint, Lock, run } from "arborio";
 *
 * await run(async (group) => {
 *   const lock = new Lock();
 *   let inside = 0;
 *   const work = async () => {
 *     using _lease = await lock.acquire();
 *     inside += 1;
 *     await checkpoint();
 *     console.assert(inside === 1);
 *     inside -= 1;
 *   };
 *   group.startSoon(work);
 *   group.startSoon(work);
 * });
 * ```
 */
export class Lock implements LeaseSource {
  /** @internal */ readonly leaseName: string = "Lock";
  /** @internal Those who wait for the lock. Empty while it is free: a release hands it on. */
  readonly queue: WaitQueue<Lease | undefined> = new WaitQueue();
  /** The lease that stands for the lock now; `null` while it is free. */
  #lease: Lease | null = null;
  /** Conditions of this lock that somebody waits on. */
  #dependants: Set<Dependant> | null = null;
  /** Whether the owner will tell this lock of its end. Only while somebody waits: without that an acquire costs twice as much. */
  #watched = false;

  /** Whether somebody holds the lock, also if it is broken. */
  get locked(): boolean {
    return this.#lease !== null;
  }

  /**
   * Waits for the lock and takes it. Cancelled, it does not hold it and has lost its place.
   *
   * @returns the lease that gives the lock back.
   * @throws BrokenResourceError if the task that held the lock ended without giving it back, also while waiting.
   */
  acquire(): Promise<Lease> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#lease === null) return scope.kernel.ready(this.#take(scope.task));
    if (this.#ownerEnded) return scope.kernel.rejected(this.#brokenError());
    if (scope.runState.dev && this.#owner === scope.task) reportSelfWait(scope);
    const waiter = new Waiter<Lease>(scope, ACQUIRE, this, undefined);
    this.queue.push(waiter as Waiter<Lease | undefined>);
    this.#watchOwner();
    return waiter.promise;
  }

  /**
   * Takes the lock if it is free. Synchronous; works from any context.
   *
   * @throws WouldBlock if somebody holds it.
   * @throws BrokenResourceError if the task that held it ended without giving it back.
   */
  acquireNowait(): Lease {
    if (this.#lease === null) return this.#take(ambientScope().task);
    if (this.#ownerEnded) throw this.#brokenError();
    throw new WouldBlock("Lock.acquireNowait: the lock is held; await acquire() to wait for it");
  }

  /** A frozen snapshot. */
  statistics(): LockStatistics {
    const owner = this.#owner;
    return Object.freeze({
      locked: this.#lease !== null,
      owner: owner === null ? null : infoOf(owner),
      tasksWaiting: this.queue.size,
    });
  }

  // For leases and tasks -------------------------------------------------------------------------------------------------

  /** @internal */
  takeBack(lease: Lease): boolean {
    if (this.#lease !== lease) return false;
    // Once broken, a lock stays broken, also if a flow that outlived its task gives it back.
    if (!this.#ownerEnded) this.#handOn();
    return true;
  }

  /** @internal The task that held the lock has ended. */
  breakWith(task: Task): void {
    if (this.#owner !== task) return;
    const error = (): BrokenResourceError => this.#brokenError();
    for (let waiter = this.queue.shift(); waiter !== null; waiter = this.queue.shift()) {
      // Who was cancelled before, and only came back for the lock, throws that.
      waiter.fail((waiter.payload as Return | undefined)?.error ?? error());
    }
    for (const dependant of this.#dependants ?? []) dependant.lockBroken(error);
  }

  // For conditions -------------------------------------------------------------------------------------------------------

  /** @internal The lease of `task`, `null` if it does not hold the lock. */
  leaseOf(task: Task): Lease | null {
    return this.#owner === task ? this.#lease : null;
  }

  /** @internal Hands the lock on while `dependant` has somebody who will come back with the same lease. */
  giveUpFor(dependant: Dependant): void {
    this.#dependants ??= new Set();
    this.#dependants.add(dependant);
    this.#handOn();
  }

  /** @internal Nobody waits on `dependant` any more. */
  forget(dependant: Dependant): void {
    this.#dependants?.delete(dependant);
  }

  /** @internal `waiter` (its payload is a `Return`) has its lock back at once, or, if `false`, in its turn. */
  comeBack(waiter: Waiter<undefined>): boolean {
    if (this.#lease === null) {
      this.#takeFor(waiter);
      return true;
    }
    if (this.#ownerEnded) return true;
    this.queue.push(waiter as Waiter<Lease | undefined>);
    this.#watchOwner();
    return false;
  }

  // State ----------------------------------------------------------------------------------------------------------------

  /** `null` while the lock is free, and if code took it whose task had ended: then there is no end to be told of. */
  get #owner(): Task | null {
    return this.#lease === null ? null : (this.#lease.holder as Task | null);
  }

  get #ownerEnded(): boolean {
    const owner = this.#owner;
    return owner !== null && (owner.flags & CLOSED) !== 0;
  }

  #take(task: Task): Lease {
    const lease = new Lease(this, (task.flags & CLOSED) === 0 ? task : null);
    this.#lease = lease;
    if (this.#dependants !== null) this.#watchOwner();
    return lease;
  }

  #takeFor(waiter: Waiter<Lease | undefined>): void {
    const { lease } = waiter.payload as Return;
    // The block of the lease was left while the wait was not awaited: nobody is there to give the lock back.
    this.#lease = lease.returned ? null : lease;
    if (this.#dependants !== null) this.#watchOwner();
  }

  #handOn(): void {
    this.#unwatchOwner();
    this.#lease = null;
    while (this.#lease === null) {
      const waiter = this.queue.shift();
      if (waiter === null) return;
      if (waiter.scope !== null) this.#handTo(waiter, waiter.scope);
    }
  }

  #handTo(waiter: Waiter<Lease | undefined>, scope: CancelScope): void {
    const back = waiter.payload as Return | undefined;
    if (back === undefined) this.#take(scope.task);
    else this.#takeFor(waiter);
    if (this.queue.size > 0) this.#watchOwner();
    if (back === undefined) waiter.wake(this.#lease as Lease);
    else if (back.error === null) waiter.wake(undefined);
    else waiter.fail(back.error);
  }

  #watchOwner(): void {
    const owner = this.#owner;
    if (this.#watched || owner === null) return;
    if (this.queue.size === 0 && (this.#dependants === null || this.#dependants.size === 0)) return;
    const extras = owner.ensureExtras();
    extras.held ??= new Set();
    extras.held.add(this);
    this.#watched = true;
  }

  #unwatchOwner(): void {
    if (!this.#watched) return;
    this.#watched = false;
    this.#owner?.extras?.held?.delete(this);
  }

  #brokenError(): BrokenResourceError {
    const whose = this.#owner?.describe() ?? "a task";
    return new BrokenResourceError(
      `Lock.acquire: ${whose} held the lock and ended without releasing it; what it protects may be half changed, so make both anew`,
    );
  }
}

/** Two flows of one task may well do this, so it is no error. */
function reportSelfWait(scope: CancelScope): void {
  const { runState } = scope;
  const site = runState.callSite();
  runState.reportOnce(
    `lock ${site}`,
    `Lock.acquire ${site}: ${scope.task.describe()} holds this lock already, and a Lock is not re-entrant; ` +
      "unless another flow of the task releases it, this waits forever",
  );
}
