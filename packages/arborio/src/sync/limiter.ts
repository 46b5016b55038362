import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireCount } from "../core/arguments.ts";
import { InvalidStateError, WouldBlock } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";
import { Lease, type LeaseSource } from "./lease.ts";

/** What `CapacityLimiter.statistics()` tells. */
export interface CapacityLimiterStatistics {
  /** How many tokens there are. */
  readonly totalTokens: number;
  /** Tokens lent now. */
  readonly borrowedTokens: number;
  /** Who holds a token, longest first: task handles, and what was given to `acquireOnBehalfOf`. */
  readonly borrowers: readonly unknown[];
  /** Borrowers that wait for a token. */
  readonly tasksWaiting: number;
}

/** @internal A borrower that is given its token in its place, and waits on for something else: see `lendTo`. */
export interface TokenTaker {
  /** Called in the middle of `release`: it must not throw. */
  lent(lease: Lease): void;
}

const ACQUIRE: WaitKind = {
  name: "limiter.acquire",
  abort(waiter) {
    (waiter.resource as CapacityLimiter).withdraw(waiter);
  },
};

/**
 * Limits how many do something at once. Each borrower (the calling task, unless said otherwise) may hold one token, so that a
 * task which needs two of a limiter cannot lock itself out: it gets an error. First-in first-out; a token given back belongs
 * to who has waited longest, at once. Counterpart: `trio.CapacityLimiter`.
 *
 * @example At most two downloads at once
 * ```ts
 * import { CapacityLimiter, run, sleep } from "arborio";
 *
 * await run(async (group) => {
 *   const limiter = new CapacityLimiter(2);
 *   for (let i = 0; i < 4; i++) {
 *     group.startSoon(async () => {
 *       using _lease = await limiter.acquire();
 *       await sleep(1);
 *       console.assert(limiter.borrowedTokens <= 2);
 *     });
 *   }
 * });
 * ```
 */
export class CapacityLimiter implements LeaseSource {
  /** @internal */ readonly leaseName: string = "CapacityLimiter";
  /** Empty while a token is free. */
  readonly #queue: WaitQueue<Lease> = new WaitQueue();
  readonly #borrowers: Set<unknown> = new Set();
  /** Borrowers in the queue. */
  readonly #waiting: Set<unknown> = new Set();
  #lending = false;
  #totalTokens: number;

  /**
   * Makes a limiter that has lent nothing.
   *
   * @param totalTokens how many tokens there are; a whole number from 0 on, or `Infinity`.
   * @throws RangeError if it is not such a number; TypeError if it is none.
   */
  constructor(totalTokens: number) {
    requireCount("new CapacityLimiter", totalTokens, 0);
    this.#totalTokens = totalTokens;
  }

  /**
   * How many tokens there are. More: waiting borrowers get them at once. Fewer: nobody loses a token, but none is given
   * until fewer than this are lent.
   */
  get totalTokens(): number {
    return this.#totalTokens;
  }

  set totalTokens(totalTokens: number) {
    requireCount("CapacityLimiter.totalTokens", totalTokens, 0);
    this.#totalTokens = totalTokens;
    this.#lendFree();
  }

  /** Tokens lent now. */
  get borrowedTokens(): number {
    return this.#borrowers.size;
  }

  /** Tokens free now; below 0 after `totalTokens` was lowered below what is lent. */
  get availableTokens(): number {
    return this.#totalTokens - this.#borrowers.size;
  }

  /**
   * Waits for a token for the calling task and takes it. Cancelled, it has none and has lost its place.
   *
   * @returns the lease that gives the token back.
   * @throws InvalidStateError if this task has a token of this limiter, or waits for one.
   */
  acquire(): Promise<Lease> {
    return this.acquireOnBehalfOf(ambientScope().task);
  }

  /**
   * `acquire` for another borrower than the calling task.
   *
   * @param borrower any value; the same one may hold one token at a time.
   */
  acquireOnBehalfOf(borrower: unknown): Promise<Lease> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#misuse("acquire", borrower);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.availableTokens > 0) return scope.kernel.ready(this.#lend(borrower));
    const waiter = new Waiter<Lease>(scope, ACQUIRE, this, borrower);
    this.#queue.push(waiter);
    this.#waiting.add(borrower);
    return waiter.promise;
  }

  /**
   * Takes a token for the calling task if one is free. Synchronous; works from any context.
   *
   * @throws WouldBlock if none is free.
   * @throws InvalidStateError if this task has a token of this limiter, or waits for one.
   */
  acquireNowait(): Lease {
    return this.acquireOnBehalfOfNowait(ambientScope().task);
  }

  /** `acquireNowait` for another borrower than the calling task. */
  acquireOnBehalfOfNowait(borrower: unknown): Lease {
    const misuse = this.#misuse("acquireNowait", borrower);
    if (misuse !== null) throw misuse;
    if (this.availableTokens > 0) return this.#lend(borrower);
    throw new WouldBlock(
      `CapacityLimiter.acquireNowait: ${this.borrowedTokens} of ${this.#totalTokens} tokens are lent; await acquire() to wait for one`,
    );
  }

  /**
   * @internal Lends a token to `taker` as soon as there is one: a wait that does not end with the token. `waiter`, whose payload is the taker,
   * is queued here until then; its kind has to `withdraw` it.
   */
  lendTo(taker: TokenTaker, waiter: Waiter<unknown>): void {
    if (this.availableTokens > 0) {
      taker.lent(this.#lend(taker));
      return;
    }
    this.#queue.push(waiter as Waiter<Lease>);
    this.#waiting.add(taker);
  }

  /** A frozen snapshot. */
  statistics(): CapacityLimiterStatistics {
    return Object.freeze({
      totalTokens: this.#totalTokens,
      borrowedTokens: this.#borrowers.size,
      borrowers: Object.freeze([...this.#borrowers]),
      tasksWaiting: this.#queue.size,
    });
  }

  /** @internal */
  takeBack(lease: Lease): boolean {
    this.#borrowers.delete(lease.holder);
    this.#lendFree();
    return true;
  }

  /** @internal */
  withdraw(waiter: Waiter<unknown>): void {
    this.#queue.remove(waiter as Waiter<Lease>);
    this.#waiting.delete(waiter.payload);
  }

  #misuse(where: string, borrower: unknown): InvalidStateError | null {
    const has = this.#borrowers.has(borrower);
    if (!has && !this.#waiting.has(borrower)) return null;
    return new InvalidStateError(
      `CapacityLimiter.${where}: ${describeBorrower(borrower)} ${has ? "has a token of" : "waits for"} this limiter already, ` +
        "and a borrower has one at a time; for a second, name another borrower: acquireOnBehalfOf(borrower)",
    );
  }

  #lend(borrower: unknown): Lease {
    this.#borrowers.add(borrower);
    return new Lease(this, borrower);
  }

  #lendFree(): void {
    // A taker may give its token back at once: ten thousand of them must not go deeper and deeper.
    if (this.#lending) return;
    this.#lending = true;
    while (this.availableTokens > 0) {
      const waiter = this.#queue.shift();
      if (waiter === null) break;
      const borrower = waiter.payload;
      this.#waiting.delete(borrower);
      if (waiter.scope === null) continue;
      if (waiter.kind === ACQUIRE) waiter.wake(this.#lend(borrower));
      else (borrower as TokenTaker).lent(this.#lend(borrower));
    }
    this.#lending = false;
  }
}

function describeBorrower(borrower: unknown): string {
  const task = borrower as { describe?(): string } | null | undefined;
  return typeof task?.describe === "function" ? task.describe() : describeValue(borrower);
}
