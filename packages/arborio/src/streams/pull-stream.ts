/** A receive stream over what gives bytes when it is asked: a range of a file, standard input. Reads nothing ahead. */
import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
} from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import type { ByteSource } from "../platform/standard-streams.ts";
import { type ByteReceiveStream, CHUNK_BYTES_MAX } from "./byte-stream.ts";
import { refusedBy } from "./refused.ts";
import { viewGoneError } from "./stream-errors.ts";
import { requireRoom } from "./wire-stream.ts";

const RECEIVE: WaitKind = { name: "stream.receive", abort };
const RECEIVE_INTO: WaitKind = { name: "stream.receiveInto", abort };
const ITERATE: WaitKind = { name: "stream.next", abort };

function abort(waiter: Waiter<unknown>): void {
  (waiter.resource as PullStream).withdraw();
}

/** A byte stream that asks a source for each chunk. */
export class PullStream implements ByteReceiveStream, Completion<Uint8Array | null> {
  readonly #name: string;
  readonly #source: ByteSource;
  #receiver: Waiter<unknown> | null = null;
  /** Read for a `receiveInto` whose view had no room for it any more. */
  #left: Uint8Array | null = null;
  #withdraw: Withdraw | null = null;
  #failure: Error | null = null;
  #ended = false;
  #closed = false;

  /** @internal Owns the source. */
  constructor(source: ByteSource, streamName: string) {
    this.#source = source;
    this.#name = streamName;
  }

  receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    const invalid = refusedBy(() => requireCount(`${this.#name}.receive`, maxBytes, 1, false));
    return invalid ?? this.#receive(RECEIVE, maxBytes, undefined);
  }

  receiveInto(view: Uint8Array): Promise<number> {
    const invalid = refusedBy(() => requireRoom(`${this.#name}.receiveInto`, view));
    return invalid ?? this.#receive(RECEIVE_INTO, view.length, view);
  }

  /** Iterates over chunks until the end. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return { next: () => this.#receive(ITERATE, CHUNK_BYTES_MAX, undefined) };
  }

  #receive<T>(kind: WaitKind, maxBytes: number, view: Uint8Array | undefined): Promise<T> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal(kind);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#ended) return scope.kernel.ready(END as T);
    if (this.#left !== null)
      return scope.kernel.ready(this.#takeLeft(this.#left, kind, maxBytes, view) as T);
    const waiter = new Waiter<T>(scope, kind, this, view);
    this.#receiver = waiter as Waiter<unknown>;
    try {
      this.#withdraw = this.#source.read(maxBytes, this);
    } catch (error) {
      this.fail(error as Error);
    }
    return waiter.promise;
  }

  #refusal(kind: WaitKind): Error | null {
    const where = this.#where(kind);
    if (this.#closed) {
      return new ClosedResourceError(
        `${where}: this stream is closed; close it when nobody uses it any more`,
      );
    }
    if (this.#receiver !== null) {
      return new BusyResourceError(
        `${where}: another task receives from this stream at the moment; let one task do it, or take turns with a Lock`,
      );
    }
    if (this.#failure !== null) return this.#broken(kind, this.#failure);
    return this.#ended && kind !== ITERATE ? this.#endOfStream(kind) : null;
  }

  /**
   * Closes the stream. What it reads from stays open, if it is somebody else's. A task that waits in it gets
   * `ClosedResourceError`. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const receiver = this.#receiver;
    this.withdraw();
    this.#source.close();
    receiver?.fail(
      new ClosedResourceError(`${this.#where(receiver.kind)}: this stream was closed`),
    );
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  // What the source tells ------------------------------------------------------------------------------------------------

  /** @internal */
  succeed(bytes: Uint8Array | null): void {
    const receiver = this.#take();
    if (receiver === null) return;
    if (bytes === null) {
      this.#ended = true;
      if (receiver.kind === ITERATE) receiver.wake(END);
      else receiver.fail(this.#endOfStream(receiver.kind));
    } else if (receiver.kind === RECEIVE_INTO) {
      this.#fill(receiver, bytes);
    } else {
      receiver.wake(receiver.kind === ITERATE ? { done: false, value: bytes } : bytes);
    }
  }

  #fill(receiver: Waiter<unknown>, bytes: Uint8Array): void {
    const view = receiver.payload as Uint8Array;
    const count = Math.min(bytes.length, view.length);
    if (count < bytes.length) this.#left = bytes.subarray(count);
    if (count === 0) {
      receiver.fail(viewGoneError(this.#name));
      return;
    }
    view.set(bytes.subarray(0, count));
    receiver.wake(count);
  }

  #takeLeft(
    left: Uint8Array,
    kind: WaitKind,
    maxBytes: number,
    view: Uint8Array | undefined,
  ): unknown {
    const chunk = left.subarray(0, maxBytes);
    this.#left = chunk.length < left.length ? left.subarray(chunk.length) : null;
    if (view !== undefined) {
      view.set(chunk);
      return chunk.length;
    }
    // A copy: it belongs to the receiver, who may transfer its memory.
    const value = new Uint8Array(chunk);
    return kind === ITERATE ? { done: false, value } : value;
  }

  /** @internal */
  fail(error: Error): void {
    const receiver = this.#take();
    if (receiver === null) return;
    if (isMisuse(error)) {
      receiver.fail(error);
      return;
    }
    this.#failure = error;
    receiver.fail(this.#broken(receiver.kind, error));
  }

  /** @internal */
  withdraw(): void {
    const withdraw = this.#withdraw;
    this.#take();
    withdraw?.();
  }

  #take(): Waiter<unknown> | null {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#withdraw = null;
    return receiver;
  }

  // Errors ---------------------------------------------------------------------------------------------------------------

  #broken(kind: WaitKind, cause: Error): Error {
    return new BrokenResourceError(`${this.#where(kind)}: ${cause.message}`, { cause });
  }

  #endOfStream(kind: WaitKind): Error {
    return new EndOfStream(`${this.#where(kind)}: there is nothing more`);
  }

  /** `"stream.receive"` becomes `"standardInput.receive"`. */
  #where(kind: WaitKind): string {
    return this.#name + kind.name.slice("stream".length);
  }
}

const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** What is wrong with the call, not with the source. */
function isMisuse(error: Error): boolean {
  return error instanceof ClosedResourceError || error instanceof BusyResourceError;
}
