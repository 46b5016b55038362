/**
 * Channels: a bounded queue of items between tasks, in two halves. Each half can be cloned; an end is gone when all its
 * clones are closed. Items go to exactly one receiver. What changes when, `channel-state.ts` decides; here the operations
 * look at scope and handle, and wait.
 */
import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import {
  BrokenResourceError,
  ClosedResourceError,
  EndOfStream,
  WouldBlock,
} from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import {
  type ChannelHandle,
  ChannelState,
  type ChannelStatistics,
  drain,
  enqueue,
  ITERATING,
  NOTHING_THERE,
  withdraw,
} from "./channel-state.ts";

/**
 * Makes a channel with room for `capacity` items: the way for tasks to hand things to one another, with backpressure.
 *
 * Who has waited longest, sends or receives first. A cancelled `send` did not send; a cancelled `receive` lost nothing.
 *
 * @param capacity how many items are kept that nobody has received; a whole number from 0 on, or `Infinity`. 0: a sender
 *   waits for its receiver. `Infinity`: a sender never waits, and a slow receiver costs memory without limit.
 * @returns both ends; close each when done with it, best by `using`.
 * @throws RangeError if `capacity` is not such a number; TypeError if it is none.
 *
 * Counterpart: `anyio.create_memory_object_stream`, `trio.open_memory_channel`.
 *
 * @example Producer and consumer
 * ```ts
 * import { createChannel, run } from "arborio";
 *
 * await run(async (group) => {
 *   const [sender, receiver] = createChannel<number>(10);
 *   group.startSoon(async () => {
 *     using _closing = sender;
 *     for (let n = 1; n <= 3; n++) await sender.send(n);
 *   });
 *   let sum = 0;
 *   for await (const n of receiver) sum += n;
 *   console.assert(sum === 6);
 * });
 * ```
 */
export function createChannel<T>(capacity: number): [SendChannel<T>, ReceiveChannel<T>] {
  requireCount("createChannel", capacity, 0);
  const state = new ChannelState<T>(capacity);
  return [new SendChannel(state), new ReceiveChannel(state)];
}

const SEND: WaitKind = {
  name: "channel.send",
  abort(waiter) {
    const channel = waiter.resource as SendChannel<unknown>;
    withdraw(channel.state.senders, waiter as Waiter<void>);
  },
};

const RECEIVE: WaitKind = {
  name: "channel.receive",
  abort(waiter) {
    const channel = waiter.resource as ReceiveChannel<unknown>;
    withdraw(channel.state.receivers, waiter);
  },
};

/** The sending end of a channel, or one of its clones. Counterpart: `trio.MemorySendChannel`. */
export class SendChannel<T> implements Disposable, ChannelHandle {
  /** @internal */ readonly state: ChannelState<T>;
  /** @internal */ waiting = 0;
  #closed = false;

  /** @internal */
  constructor(state: ChannelState<T>) {
    this.state = state;
  }

  /**
   * Sends an item: to the receiver that has waited longest, else into the buffer; waits while that is full. Cancelled, the
   * item was not sent.
   *
   * @param item may be `undefined`; a promise comes out of `receive` as what it resolves to.
   * @throws ClosedResourceError if this handle is closed, also while waiting; the item was not sent.
   * @throws BrokenResourceError if all receiving handles are closed, also while waiting.
   */
  send(item: T): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("send");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.state.offer(item)) return scope.kernel.readyNow();
    const waiter = new Waiter<void>(scope, SEND, this, item);
    enqueue(this.state.senders, waiter);
    return waiter.promise;
  }

  /**
   * Sends an item if that need not wait. Synchronous; works from any context.
   *
   * @throws WouldBlock if nobody waits for an item and the buffer is full.
   * @throws ClosedResourceError if this handle is closed.
   * @throws BrokenResourceError if all receiving handles are closed.
   */
  sendNowait(item: T): void {
    const refusal = this.#refusal("sendNowait");
    if (refusal !== null) throw refusal;
    if (this.state.offer(item)) return;
    throw new WouldBlock(
      `SendChannel.sendNowait: all ${this.state.capacity} places are taken and nobody waits to receive; await send(item) to wait`,
    );
  }

  /**
   * Another handle of the same end, to be closed by itself: give one to each producer, and the channel ends with the last.
   *
   * @throws ClosedResourceError if this handle is closed.
   */
  clone(): SendChannel<T> {
    if (this.#closed) throw closedError("SendChannel.clone");
    this.state.openSenders += 1;
    return new SendChannel(this.state);
  }

  /**
   * Closes this handle. Sends that wait on it get `ClosedResourceError`, and their items are not sent. When it was the last:
   * receivers get the buffered items, then `EndOfStream`. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { state } = this;
    for (const waiter of drain(state.senders, this)) waiter.fail(closedError("SendChannel.send"));
    state.openSenders -= 1;
    if (state.openSenders > 0) return;
    for (const waiter of drain(state.receivers)) {
      if (waiter.payload === ITERATING) waiter.wake(END);
      else waiter.fail(endError());
    }
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** A frozen snapshot of the channel; the same from both ends. */
  statistics(): ChannelStatistics {
    return this.state.statistics();
  }

  #refusal(where: string): Error | null {
    if (this.#closed) return closedError(`SendChannel.${where}`);
    return this.state.openReceivers === 0 ? brokenError(where) : null;
  }
}

/**
 * The receiving end of a channel, or one of its clones. `for await` receives until the channel ends; leaving the loop early
 * closes nothing. Counterpart: `trio.MemoryReceiveChannel`.
 */
export class ReceiveChannel<T> implements Disposable, AsyncIterable<T>, ChannelHandle {
  /** @internal */ readonly state: ChannelState<T>;
  /** @internal */ waiting = 0;
  #closed = false;

  /** @internal */
  constructor(state: ChannelState<T>) {
    this.state = state;
  }

  /**
   * Receives the oldest item, waiting while there is none. Cancelled, it took none.
   *
   * @throws EndOfStream if all sending handles are closed and the buffer is empty, also while waiting.
   * @throws ClosedResourceError if this handle is closed, also while waiting.
   */
  receive(): Promise<T> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("receive");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const item = this.state.take();
    if (item !== NOTHING_THERE) return scope.kernel.ready(item);
    if (this.state.openSenders === 0) return scope.kernel.rejected(endError());
    const waiter = new Waiter<unknown>(scope, RECEIVE, this, undefined);
    enqueue(this.state.receivers, waiter);
    return waiter.promise as Promise<T>;
  }

  /**
   * Receives the oldest item if there is one. Synchronous; works from any context.
   *
   * @throws WouldBlock if there is none.
   * @throws EndOfStream if there is none and all sending handles are closed.
   * @throws ClosedResourceError if this handle is closed.
   */
  receiveNowait(): T {
    const refusal = this.#refusal("receiveNowait");
    if (refusal !== null) throw refusal;
    const item = this.state.take();
    if (item !== NOTHING_THERE) return item;
    if (this.state.openSenders === 0) throw endError();
    throw new WouldBlock(
      "ReceiveChannel.receiveNowait: no item is there; await receive() to wait for one",
    );
  }

  /**
   * Another handle of the same end, to be closed by itself. Each item goes to one of them.
   *
   * @throws ClosedResourceError if this handle is closed.
   */
  clone(): ReceiveChannel<T> {
    if (this.#closed) throw closedError("ReceiveChannel.clone");
    this.state.openReceivers += 1;
    return new ReceiveChannel(this.state);
  }

  /**
   * Closes this handle. Waits on it get `ClosedResourceError`. When it was the last: buffered items are dropped, and senders
   * get `BrokenResourceError`. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { state } = this;
    for (const waiter of drain(state.receivers, this)) {
      waiter.fail(closedError("ReceiveChannel.receive"));
    }
    state.openReceivers -= 1;
    if (state.openReceivers > 0) return;
    state.buffer.clear();
    for (const waiter of drain(state.senders)) waiter.fail(brokenError("send"));
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** A frozen snapshot of the channel; the same from both ends. */
  statistics(): ChannelStatistics {
    return this.state.statistics();
  }

  /** Receives until the channel ends. It has no `return`, so leaving the loop closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.#next() };
  }

  /** `receive` as an iterator wants it. Not built on `receive`: that would cost each item two more microtasks. */
  #next(): Promise<IteratorResult<T, undefined>> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("receive");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const item = this.state.take();
    if (item !== NOTHING_THERE) return scope.kernel.ready({ done: false, value: item });
    if (this.state.openSenders === 0) return scope.kernel.ready(END);
    const waiter = new Waiter<unknown>(scope, RECEIVE, this, ITERATING);
    enqueue(this.state.receivers, waiter);
    return waiter.promise as Promise<IteratorResult<T, undefined>>;
  }

  #refusal(where: string): Error | null {
    return this.#closed ? closedError(`ReceiveChannel.${where}`) : null;
  }
}

const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

function closedError(where: string): ClosedResourceError {
  return new ClosedResourceError(
    `${where}: this handle of the channel was closed here; close it after its last use, or use a clone`,
  );
}

function brokenError(where: string): BrokenResourceError {
  return new BrokenResourceError(
    `SendChannel.${where}: all receiving handles of the channel are closed, so nobody can get the item`,
  );
}

function endError(): EndOfStream {
  return new EndOfStream(
    "ReceiveChannel.receive: all sending handles of the channel are closed, and every item was received",
  );
}
