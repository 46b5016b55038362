import { ambientScope } from "../core/ambient.ts";
import { BrokenResourceError, InvalidStateError } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";

/** `pending` → `finished` (a value), `failed` (an error) or `cancelled`. */
export type FutureStatus = "pending" | "finished" | "failed" | "cancelled";

/** What `Future.statistics()` tells. */
export interface FutureStatistics {
  /** What has become of it. */
  readonly status: FutureStatus;
  /** Flows that wait for the value. */
  readonly tasksWaiting: number;
}

const WAIT: WaitKind = {
  name: "future.wait",
  abort(waiter) {
    (waiter.resource as Future<unknown>).queue.remove(waiter);
  },
};

/**
 * A value that somebody will give once, and any number of flows can wait for. Unlike a promise it can be waited for under
 * cancellation: a cancelled wait leaves the future and the other waits as they were. An error that nobody waits for is not
 * an unhandled rejection. Counterpart: `anyio.Future`.
 *
 * @example Hand over a value
 * ```ts
 * import { Future, run } from "arborio";
 *
 * await run(async (group) => {
 *   const answer = new Future<number>();
 *   group.startSoon(async () => answer.setValue(42));
 *   console.assert((await answer.wait()) === 42);
 * });
 * ```
 */
export class Future<T> {
  /** @internal */ readonly queue: WaitQueue<unknown> = new WaitQueue();
  #status: FutureStatus = "pending";
  /** The value, or the error to throw. */
  #result: unknown = undefined;

  /** What has become of it. */
  get status(): FutureStatus {
    return this.#status;
  }

  /**
   * Gives the value; all who wait get it. Synchronous; works from any context.
   *
   * @param value if it is a promise, those who wait get what it resolves to, as everywhere in JavaScript.
   * @throws InvalidStateError if the future is no longer pending.
   */
  setValue(value: T): void {
    this.#settle("setValue", "finished", value);
    for (let waiter = this.queue.shift(); waiter !== null; waiter = this.queue.shift()) {
      waiter.wake(value);
    }
  }

  /**
   * Gives an error; all who wait throw it, as it is. Synchronous; works from any context.
   *
   * @throws InvalidStateError if the future is no longer pending.
   */
  setError(error: unknown): void {
    this.#settle("setError", "failed", error);
    this.#failAll(error);
  }

  /** Says that no value will come; all who wait get a `BrokenResourceError`. Without effect once the future is settled. */
  cancel(reason?: unknown): void {
    if (this.#status !== "pending") return;
    const error = new BrokenResourceError(
      "Future.wait: the future was cancelled, so no value will come",
      reason === undefined ? undefined : { cause: reason },
    );
    this.#settle("cancel", "cancelled", error);
    this.#failAll(error);
  }

  /**
   * Waits for the value.
   *
   * @throws whatever `setError` was given.
   * @throws BrokenResourceError if the future was cancelled; the reason is the `cause`.
   */
  wait(): Promise<T> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#status === "finished") return scope.kernel.ready(this.#result as T);
    if (this.#status !== "pending") return scope.kernel.rejected(this.#result);
    const waiter = new Waiter<unknown>(scope, WAIT, this, undefined);
    this.queue.push(waiter);
    return waiter.promise as Promise<T>;
  }

  /** A frozen snapshot. */
  statistics(): FutureStatistics {
    return Object.freeze({ status: this.#status, tasksWaiting: this.queue.size });
  }

  #settle(where: string, status: FutureStatus, result: unknown): void {
    if (this.#status !== "pending") {
      throw new InvalidStateError(
        `Future.${where}: the future is ${this.#status}, and can be settled only while it is pending; look at status first`,
      );
    }
    this.#status = status;
    this.#result = result;
  }

  #failAll(error: unknown): void {
    for (let waiter = this.queue.shift(); waiter !== null; waiter = this.queue.shift()) {
      waiter.fail(error);
    }
  }
}
