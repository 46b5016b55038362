/**
 * The one suspension primitive. Everything in the library that waits, waits here: a `Waiter` parks its flow, is listed in
 * its scope, and is resumed once: woken with a value, failed with an error, or aborted by cancellation, whichever is called
 * first. What comes second finds nobody waiting. That one rule makes every primitive built on it atomic under cancellation.
 * Counterpart: `trio.lowlevel.wait_task_rescheduled`.
 */
import { type Cancelled, isCancelled } from "./cancelled.ts";
import type { CancelScope } from "./scope.ts";
import type { ScopeMember } from "./scope-parts.ts";
import { capture, captured, ignore } from "./promise.ts";

/** What one kind of wait shares: its name for the task tree, and how to withdraw it. */
export interface WaitKind {
  /** For people: `"lock.acquire"`. */
  readonly name: string;
  /**
   * Withdraws the operation because its scope was cancelled: takes the waiter out of wherever it is queued, so that nobody
   * wakes it. Returns `false` if that is impossible: then the wait goes on, and its owner must end it.
   */
  abort(waiter: Waiter<unknown>): void | false;
}

/** One parked flow. Plain fields, since two loaded copies of the package may meet in one tree of scopes. */
export class Waiter<T> implements ScopeMember {
  declare readonly isScope: false;
  /** The scope that can abort this wait; `null` once it is settled. */
  scope: CancelScope | null;
  previous: ScopeMember | null = null;
  next: ScopeMember | null = null;
  readonly kind: WaitKind;
  /** What is waited on, for the task tree and the wait graph of deadlocks. */
  readonly resource: unknown;
  /** For the owner of the operation: the item to send, the amount to take. */
  payload: unknown;
  /** Place in the queue of the resource (see `WaitQueue`). */
  queueNext: Waiter<unknown> | null = null;
  queuePrevious: Waiter<unknown> | null = null;
  /** Numbered per kernel: the oldest waits are aborted first. */
  readonly order: number;
  /** Kernel time in whole milliseconds: a fraction would cost 16 bytes more for each waiting task. */
  readonly since: number;
  readonly promise: Promise<T>;
  readonly #resolve: (value: never) => void;
  readonly #reject: (value: never) => void;

  constructor(scope: CancelScope, kind: WaitKind, resource: unknown, payload: unknown) {
    const kernel = scope.kernel;
    this.scope = scope;
    this.kind = kind;
    this.resource = resource;
    this.payload = payload;
    this.order = ++kernel.lastWait;
    this.since = kernel.stamp();
    this.promise = new Promise<T>(capture);
    this.#resolve = captured.resolve;
    this.#reject = captured.reject;
    scope.link(this);
    if (scope.runState.dev) scope.runState.noteSite(this);
    if (kernel.instruments !== null) kernel.instruments.waitStarted(this);
  }

  /** Resumes the flow with `value`. `false` if it had been resumed or aborted before. */
  wake(value: T): boolean {
    const scope = this.#leave();
    if (scope === null) return false;
    scope.kernel.settle(this.#resolve, value);
    return true;
  }

  /** Resumes the flow by throwing `error` in it. `false` if it had been resumed or aborted before. */
  fail(error: unknown): boolean {
    const scope = this.#leave();
    if (scope === null) return false;
    // A wait that was cancelled may float; any other failure is somebody's to handle.
    if (isCancelled(error)) this.promise.catch(ignore);
    scope.kernel.settle(this.#reject, error);
    return true;
  }

  /** Withdraws the wait and throws `cancelled` in the flow. `false` if it was settled before or cannot be withdrawn. */
  abort(cancelled: Cancelled): boolean {
    if (this.scope === null || this.kind.abort(this) === false) return false;
    const scope = this.#leave();
    if (scope === null) return false;
    this.promise.catch(ignore);
    scope.kernel.settle(this.#reject, cancelled);
    return true;
  }

  #leave(): CancelScope | null {
    const scope = this.scope;
    if (scope === null) return null;
    this.scope = null;
    scope.unlink(this);
    if (scope.kernel.instruments !== null) scope.kernel.instruments.waitEnded(this, scope);
    return scope;
  }
}
Object.defineProperty(Waiter.prototype, "isScope", { value: false });
