/**
 * What the bridges from foreign streams have in common: items are pulled one after another, by promises that are not ours and
 * cannot be cancelled. So a pull that a cancelled `receive` had begun goes on, and the next `receive` gets its item.
 */
import { ambientScope, runInScope } from "../core/ambient.ts";
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
} from "../core/errors.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { textOf } from "../core/exception-text.ts";
import type { ObjectReceiveStream } from "./byte-stream.ts";

/** Where items are pulled from. Not called again before its promise has settled, nor after its end or failure. */
export interface ItemSource<T> {
  pull(): Promise<IteratorResult<T, unknown>>;
  /** Nobody will pull any more. What it throws or rejects with is nobody's business. */
  cancel(): unknown;
}

/** Pulls under the root scope of the run, since the pull may outlive the scope that asked for it. */
export class Puller<T> {
  readonly #source: ItemSource<T>;
  readonly #root: CancelScope = ambientScope().runState.root;
  #pulling = false;
  #over = false;

  constructor(source: ItemSource<T>) {
    this.#source = source;
  }

  /** Pulls unless it does already, or the source is at its end. One of the two is called later, unless `cancel` comes first. */
  pull(
    pulled: (result: IteratorResult<T, unknown>) => void,
    failed: (error: unknown) => void,
  ): void {
    if (this.#pulling || this.#over) return;
    this.#pulling = true;
    this.#call(() => this.#source.pull()).then(
      (result) => {
        this.#pulling = false;
        if (this.#over) return;
        this.#over = result.done === true;
        pulled(result);
      },
      (error: unknown) => {
        this.#pulling = false;
        if (this.#over) return;
        this.#over = true;
        failed(error);
      },
    );
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#call(() => this.#source.cancel()).catch(() => {});
  }

  async #call<Result>(fn: () => Result): Promise<Awaited<Result>> {
    return await runInScope(this.#root, fn, undefined);
  }
}

const RECEIVE: WaitKind = { name: "stream.receive", abort: forgetReceiver };
const ITERATE: WaitKind = { name: "stream.next", abort: forgetReceiver };

function forgetReceiver(waiter: Waiter<unknown>): void {
  (waiter.resource as PulledStream<unknown>).forgetReceiver();
}

/** Items of a foreign source, pulled when somebody receives, never ahead. */
export class PulledStream<T> implements ObjectReceiveStream<T> {
  readonly #name: string;
  readonly #puller: Puller<T>;
  /** Pulled for a `receive` that was cancelled. */
  #ready: { readonly item: T } | null = null;
  #receiver: Waiter<unknown> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #ended = false;
  #closed = false;

  constructor(source: ItemSource<T>, name: string) {
    this.#puller = new Puller(source);
    this.#name = name;
  }

  receive(): Promise<T> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("receive");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#ready !== null) return scope.kernel.ready(this.#take(this.#ready));
    if (this.#ended) return scope.kernel.rejected(this.#endOfStream());
    return this.#wait(scope, RECEIVE);
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<T, undefined>> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("next");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#ready !== null)
      return scope.kernel.ready({ done: false, value: this.#take(this.#ready) });
    if (this.#ended) return scope.kernel.ready({ done: true, value: undefined });
    return this.#wait(scope, ITERATE);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ready = null;
    this.#puller.cancel();
    this.#settle((operation) => this.#closedError(operation));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether what it waits for comes from outside the library: for the simulator's report of deadlocks. */
  get isForeign(): boolean {
    return true;
  }

  forgetReceiver(): void {
    this.#receiver = null;
  }

  #wait<Result>(scope: CancelScope, kind: WaitKind): Promise<Result> {
    const waiter = new Waiter<Result>(scope, kind, this, undefined);
    this.#receiver = waiter as Waiter<unknown>;
    this.#puller.pull(
      (result) => this.#pulled(result),
      (error) => this.#failed(error),
    );
    return waiter.promise;
  }

  #pulled(result: IteratorResult<T, unknown>): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    if (result.done === true) {
      this.#ended = true;
      if (receiver?.kind === ITERATE) receiver.wake({ done: true, value: undefined });
      else receiver?.fail(this.#endOfStream());
    } else if (receiver === null) {
      this.#ready = { item: result.value };
    } else {
      receiver.wake(
        receiver.kind === ITERATE ? { done: false, value: result.value } : result.value,
      );
    }
  }

  #failed(error: unknown): void {
    this.#failure = { error };
    this.#settle((operation) => this.#brokenError(operation, error));
  }

  #take(ready: { readonly item: T }): T {
    this.#ready = null;
    return ready.item;
  }

  #settle(errorFor: (operation: string) => Error): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.fail(errorFor(receiver.kind === ITERATE ? "next" : "receive"));
  }

  #refusal(operation: string): Error | null {
    if (this.#closed) return this.#closedError(operation);
    if (this.#receiver !== null) {
      return new BusyResourceError(
        `${this.#name}.${operation}: another task receives from this stream at the moment; let one task do it`,
      );
    }
    return this.#failure === null ? null : this.#brokenError(operation, this.#failure.error);
  }

  #closedError(operation: string): ClosedResourceError {
    return new ClosedResourceError(`${this.#name}.${operation}: this stream is closed`);
  }

  #brokenError(operation: string, cause: unknown): BrokenResourceError {
    return new BrokenResourceError(
      `${this.#name}.${operation}: what it receives from has failed: ${textOf(cause)}`,
      { cause },
    );
  }

  #endOfStream(): EndOfStream {
    return new EndOfStream(`${this.#name}.receive: there are no more items`);
  }
}
