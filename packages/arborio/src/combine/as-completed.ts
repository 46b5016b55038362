/**
 * Values in order of completion, as an async iterable. The hard part: a scope must not stay open across a `yield`, because
 * the consumer, who runs meanwhile, would close its own scopes in the wrong order. So this is no async generator. The
 * iterator opens a task group that floats below the scope in which the iterator was made: the consumer is never inside it,
 * and yet nothing outlives that scope, because a scope that closes cancels what floats below it and waits for it.
 *
 * Known weak points, all of the language: `for await` does not call `return()` when `next()` has thrown, so `next()` itself
 * waits for the group before it throws; and when the loop's body throws, the language drops what `return()` throws.
 */
import { ambientScope } from "../core/ambient.ts";
import { isCancelled } from "../core/cancelled.ts";
import { CLOSED } from "../core/flags.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { openTaskGroup, type TaskGroup } from "../core/task-group.ts";
import { WaitQueue } from "../core/wait-queue.ts";
import { disposeLate, disposeUnclaimed } from "./dispose.ts";
import {
  bareError,
  callInTask,
  holdsCancellation,
  suppressedError,
  withSuppressed,
} from "./failures.ts";
import { requireFunctions, taskName, type ValueOf, type Work } from "./functions.ts";

/**
 * Calls all functions at once, each in a task of its own, and gives their values in the order in which they end. They start
 * when the first value is asked for. The first failure cancels the others, and is thrown in its turn: after the values that
 * were ready before it, and after all functions have ended. Each iteration calls the functions anew.
 *
 * Leaving the loop early, by `break`, `return` or an error, cancels the rest and waits for it, and disposes values that were
 * not taken if they are disposable. So does cancellation. Who calls `next()` by hand must call `return()` (or use
 * `await using`) to have that; else it happens when the scope in which the iterator was made closes, and values that were
 * ready are not disposed. A deadline around a single `next()` cuts only that short, and no value is lost.
 *
 * @param fns an iterable of functions. Functions, not promises: so they start inside.
 * @returns an iterable of the values.
 * @throws TypeError if something in `fns` is not a function.
 * @throws the first error, bare, out of `next()`; further ones are in its property `suppressed`. Out of `return()`, and so out
 *   of `break`: the first error with which the rest ended. If the loop's body throws, the language drops the latter.
 * @throws Cancelled out of `next()`, if cancelled.
 * @throws ScopeClosedError out of `next()`, if the scope in which the iterator was made has closed. An async generator that
 *   loops over this belongs to the scope of whoever asked it for its first value.
 *
 * Counterpart: `anyio.as_completed`, `asyncio.as_completed`.
 *
 * @example The faster first
 * ```ts
 * import { asCompleted, run, sleep } from "arborio";
 *
 * await run(async () => {
 *   const order: string[] = [];
 *   const tortoise = () => sleep(20).then(() => "tortoise");
 *   for await (const name of asCompleted([tortoise, async () => "hare"])) order.push(name);
 *   console.assert(order.join() === "hare,tortoise");
 * });
 * ```
 */
export function asCompleted<F extends Work>(fns: Iterable<F>): CompletionIterable<ValueOf<F>> {
  const list = requireFunctions("asCompleted", fns);
  return {
    [Symbol.asyncIterator]: () => new Completion<ValueOf<F>>(list as readonly Work<never>[]),
  };
}

/** What `asCompleted` returns. */
export interface CompletionIterable<T> {
  /** Makes an iterator that belongs to the current scope. */
  [Symbol.asyncIterator](): CompletionIterator<T>;
}

/** One iteration of `asCompleted`. `await using` leaves it as `break` would. */
export interface CompletionIterator<T> extends AsyncDisposable {
  /** Waits for the next function to end, and gives its value. */
  next(): Promise<IteratorResult<T, undefined>>;
  /** Cancels the functions that have not ended, and waits for them. Not a cancellation point. */
  return(): Promise<IteratorResult<T, undefined>>;
  /** Itself: what is left of it can be looped over. */
  [Symbol.asyncIterator](): CompletionIterator<T>;
}

type Result<T> = IteratorResult<T, undefined>;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

const NEXT: WaitKind = {
  name: "asCompleted.next",
  abort(waiter) {
    return (waiter.resource as Completion<unknown>).withdraw(waiter as Waiter<Result<unknown>>);
  },
};

class Completion<T> implements CompletionIterator<T> {
  /** Where the iterator was made; its group floats below. */
  readonly #home: CancelScope = ambientScope();
  readonly #fns: readonly Work<T>[];
  #group: TaskGroup | null = null;
  /** Resolves when the group has ended. */
  #groupEnd: Promise<void> = Promise.resolve();
  #groupEnded = false;
  /** What the group threw and nobody has got yet; `null`: nothing. */
  #error: unknown = null;
  /** Values that nobody has taken yet. While there are any, nobody waits. */
  readonly #ready: T[] = [];
  readonly #waiting: WaitQueue<Result<T>> = new WaitQueue();
  /** Nothing comes any more. */
  #over = false;

  constructor(fns: readonly Work<T>[]) {
    this.#fns = fns;
  }

  [Symbol.asyncIterator](): CompletionIterator<T> {
    return this;
  }

  next(): Promise<Result<T>> {
    const scope = ambientScope();
    const { kernel } = scope;
    const refusal = scope.refuse();
    if (refusal !== null) {
      const alsoEndsGroup = isCancelled(refusal) && this.#home.applied !== null;
      return alsoEndsGroup ? this.#endAndThrow(refusal) : kernel.rejected(refusal);
    }
    if (this.#over) return kernel.ready(DONE);
    if ((this.#home.flags & CLOSED) !== 0) return this.#endAndThrow(this.#home.closedError());
    try {
      if (this.#group === null) this.#open();
    } catch (error) {
      return kernel.rejected(error);
    }
    if (this.#ready.length > 0)
      return kernel.ready({ done: false, value: this.#ready.shift() as T });
    if (this.#groupEnded) {
      this.#over = true;
      return this.#error === null ? kernel.ready(DONE) : kernel.rejected(this.#takeError());
    }
    const waiter = new Waiter<Result<T>>(scope, NEXT, this, undefined);
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  async return(): Promise<Result<T>> {
    const error = await this.#end();
    if (error !== null && !isCancelled(error)) throw error;
    return DONE;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Cancellation of one `next()`. If it reaches the group too, the wait goes on until the group has ended. */
  withdraw(waiter: Waiter<Result<T>>): void | false {
    if (this.#home.applied !== null) return false;
    this.#waiting.remove(waiter);
  }

  #open(): void {
    const group = openTaskGroup(this.#home, (own) => {
      for (const [index, fn] of this.#fns.entries()) {
        own.startSoon(() => this.#run(own, fn), { name: taskName("asCompleted", fn, index) });
      }
    });
    this.#group = group;
    this.#groupEnd = group.outcome.then(
      () => this.#ended(null),
      (error: unknown) => this.#ended(error),
    );
  }

  async #run(group: TaskGroup, fn: Work<T>): Promise<void> {
    const value = await callInTask(fn);
    if (group.scope.applied === null) {
      const waiter = this.#waiting.shift();
      if (waiter === null) this.#ready.push(value);
      else waiter.wake({ done: false, value });
      return;
    }
    await disposeLate(value);
  }

  #ended(error: unknown): void {
    this.#groupEnded = true;
    this.#error = error;
    for (let waiter = this.#waiting.shift(); waiter !== null; waiter = this.#waiting.shift()) {
      this.#over = true;
      const { applied } = this.#home;
      if (this.#error !== null) waiter.fail(this.#takeError());
      else if (applied !== null) waiter.fail(applied);
      else waiter.wake(DONE);
    }
  }

  #takeError(more: readonly unknown[] = []): unknown {
    const error = this.#error;
    this.#error = null;
    if (error !== null) return bareError(error, more);
    return more.length === 0 ? null : withSuppressed(more[0], more.slice(1));
  }

  /** Ends the iteration, and gives the error that nobody got. */
  async #end(): Promise<unknown> {
    this.#over = true;
    this.#group?.cancel("asCompleted: the loop was left");
    await this.#groupEnd;
    return this.#takeError(await disposeUnclaimed(this.#ready.splice(0)));
  }

  async #endAndThrow(refusal: unknown): Promise<never> {
    const error = await this.#end();
    if (error === null || isCancelled(error)) throw refusal;
    throw holdsCancellation(error) ? error : suppressedError(error, refusal);
  }
}
