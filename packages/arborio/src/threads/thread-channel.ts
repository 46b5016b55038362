/**
 * Channels between threads: the counterpart of `createChannel` for ends that are not all in one loop. A channel lives in the loop that made
 * it: that alone keeps the items and decides who gets which, so capacity, order and fairness are those of one queue, whoever uses it. Ends in
 * other threads ask it. That is its weak point too: while its loop is busy, nobody gets anything, and each operation from afar costs a message
 * there and one back.
 */
import { ambientScope } from "../core/ambient.ts";
import { requireCount, requireKnown, requireOptions } from "../core/arguments.ts";
import type { MessagePortLike } from "../platform/threads.ts";
import type { ChannelStatistics } from "../sync/channel-state.ts";
import { type BlockingOptions, requireTimeout } from "./doorbell.ts";
import type { ReceiveEnd, SendEnd } from "./thread-channel-end.ts";
import { HomeReceiveEnd, HomeSendEnd } from "./thread-channel-home.ts";
import { openRemoteEnd } from "./thread-channel-remote.ts";
import { ThreadChannelState } from "./thread-channel-state.ts";
import { requireTransfer } from "./transferred.ts";

/** Options of `ThreadSendChannel.send`. */
export interface ThreadSendOptions {
  /**
   * What of the item changes hands instead of being copied: array buffers, ports, streams. They do so at the call, and are lost if the send
   * is cancelled. Default: nothing.
   */
  readonly transfer?: readonly object[];
}

/** Options of `ThreadSendChannel.sendSync`. */
export interface ThreadSendSyncOptions extends ThreadSendOptions, BlockingOptions {}

/**
 * Makes a channel whose ends may be in different threads: as `createChannel`, with backpressure that holds for all of them together.
 *
 * An end is given to another thread as an argument of `runInThread`, or by its `handOver`; the thread of a worker that ends has closed its
 * ends. Items are copied, by structured clone, when they are sent. Each goes to one receiver; who has waited longest, sends or receives first. A
 * cancelled `send` did not send; a cancelled `receive` lost nothing, also if the item was on its way: then it is returned.
 *
 * The channel lives in the loop that made it, and for other threads it works only while that loop is not blocked. Made outside a `run`, it
 * keeps its thread alive until the other threads have closed their ends; in a run, that does.
 *
 * @param capacity how many items are kept that nobody has received; a whole number from 0 on, or `Infinity`. 0: a sender waits for its
 *   receiver. `Infinity`: a sender never waits long, and a slow receiver costs memory without limit.
 * @returns both ends, in this thread; close each when done with it, best by `using`.
 * @throws RangeError if `capacity` is not such a number; TypeError if it is none.
 *
 * Counterpart: `curio.UniversalQueue`, `queue.Queue` between threads.
 *
 * @example Jobs for workers
 * ```ts
 * import { run } from "arborio";
 * import { createThreadChannel, runInThread } from "arborio/threads";
 *
 * const work = "data:text/javascript,export async function sum(numbers) { let all = 0; for await (const n of numbers) all += n; return all; }";
 *
 * await run(async (group) => {
 *   const [sender, receiver] = createThreadChannel<number>(10);
 *   group.startSoon(async () => {
 *     using _closing = sender;
 *     for (let n = 1; n <= 3; n++) await sender.send(n);
 *   });
 *   const sum = await runInThread<number>(work, "sum", { args: [receiver] });
 *   console.assert(sum === 6);
 * });
 * ```
 */
export function createThreadChannel<T>(
  capacity: number,
): [ThreadSendChannel<T>, ThreadReceiveChannel<T>] {
  requireCount("createThreadChannel", capacity, 0);
  const state = new ThreadChannelState(capacity, ambientScope().runState.outside);
  return [
    new ThreadSendChannel(new HomeSendEnd(state)),
    new ThreadReceiveChannel(new HomeReceiveEnd(state)),
  ];
}

/**
 * Takes a sending end that another thread has given to this one (`ThreadSendChannel.handOver`).
 *
 * @param port as it came in the message.
 * @throws TypeError if it is not the port of a sending end, or was taken before.
 * @throws NotSupportedError if the backend has no threads.
 */
export function connectSendChannel<T>(port: MessagePort): ThreadSendChannel<T> {
  return new ThreadSendChannel(openRemoteEnd("connectSendChannel", "send", port) as SendEnd);
}

/**
 * Takes a receiving end that another thread has given to this one (`ThreadReceiveChannel.handOver`).
 *
 * @param port as it came in the message.
 * @throws TypeError if it is not the port of a receiving end, or was taken before.
 * @throws NotSupportedError if the backend has no threads.
 */
export function connectReceiveChannel<T>(port: MessagePort): ThreadReceiveChannel<T> {
  return new ThreadReceiveChannel(
    openRemoteEnd("connectReceiveChannel", "receive", port) as ReceiveEnd,
  );
}

/** A sending end of a channel between threads. */
export class ThreadSendChannel<T> implements Disposable {
  readonly #end: SendEnd;

  /** @internal */
  constructor(end: SendEnd) {
    this.#end = end;
  }

  /**
   * Sends an item: to the receiver that has waited longest, else into the buffer; waits while that is full. Cancelled, the item was not sent.
   *
   * @throws DataCloneError if the item cannot be cloned; the channel is as before.
   * @throws ClosedResourceError if this end is closed, also while waiting; the item was not sent.
   * @throws BrokenResourceError if all receiving ends are closed, also while waiting, or the thread that made the channel has ended.
   */
  send(item: T, options: ThreadSendOptions = {}): Promise<void> {
    let transfer: readonly object[];
    try {
      transfer = transferIn("ThreadSendChannel.send", options, { transfer: true });
    } catch (error) {
      return ambientScope().kernel.rejected(error);
    }
    return this.#end.send(item, transfer);
  }

  /**
   * Sends an item, and blocks this thread while that has to wait: for synchronous code in a worker. Cancellation of the worker's call ends the
   * wait. In the loop that the channel lives in, it sends what fits, and throws instead of waiting.
   *
   * @throws TimeoutError if the time is over, which includes the way to the channel's loop and back; the item was not sent.
   * @throws Cancelled if the caller of this thread's work is cancelled; the item was not sent.
   * @throws NotSupportedError in the channel's own loop if it would have to wait; in a simulator.
   * @throws as `send`.
   */
  sendSync(item: T, options: ThreadSendSyncOptions = {}): void {
    const where = "ThreadSendChannel.sendSync";
    const transfer = transferIn(where, options, { transfer: true, timeoutMs: true });
    this.#end.sendSync(item, transfer, requireTimeout(where, options));
  }

  /**
   * Another end of the same kind, to be closed by itself: give one to each producer, and the channel ends with the last.
   *
   * @throws ClosedResourceError if this one is closed.
   */
  clone(): ThreadSendChannel<T> {
    return new ThreadSendChannel(this.#end.clone());
  }

  /**
   * Gives this end away to another thread. It is closed here; its place goes with the port that is returned. Put that into the message and
   * into the list of what is transferred, and call `connectSendChannel` with it there. For arguments of `runInThread` this is done by itself.
   * A port that nobody takes keeps the channel open.
   *
   * @throws ClosedResourceError if this end is closed.
   */
  // An own field, so that an end which is sent without it cannot be cloned, instead of arriving as an empty object.
  readonly handOver: () => MessagePort = () => handOver("ThreadSendChannel.handOver", this.#end);

  /** @internal One more end, behind a port: for what may fail before it is given away. */
  share(where: string): MessagePortLike {
    return this.#end.share(where);
  }

  /**
   * Closes this end. Sends that wait on it get `ClosedResourceError`, and their items are not sent. When it was the last: receivers get the
   * items that are left, then `EndOfStream`. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    this.#end.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.#end.close();
  }

  /**
   * A frozen snapshot of the channel. Ends in other threads that are on their way, or not closed, count as open.
   *
   * @throws NotSupportedError in other threads than the one that made the channel.
   */
  statistics(): ChannelStatistics {
    return this.#end.statistics("ThreadSendChannel.statistics");
  }
}

/** A receiving end of a channel between threads. `for await` receives until the channel ends; leaving the loop early closes nothing. */
export class ThreadReceiveChannel<T> implements Disposable, AsyncIterable<T> {
  readonly #end: ReceiveEnd;

  /** @internal */
  constructor(end: ReceiveEnd) {
    this.#end = end;
  }

  /**
   * Receives the oldest item, waiting while there is none. Cancelled, it took none.
   *
   * @throws EndOfStream if all sending ends are closed and no item is left, also while waiting.
   * @throws ClosedResourceError if this end is closed, also while waiting.
   * @throws BrokenResourceError if the thread that made the channel has ended.
   */
  receive(): Promise<T> {
    return this.#end.receive(false) as Promise<T>;
  }

  /**
   * Receives the oldest item, and blocks this thread while there is none: for synchronous code in a worker. Cancellation of the worker's
   * call ends the wait. In the loop that the channel lives in, it takes what is there, and throws instead of waiting.
   *
   * @throws TimeoutError if the time is over, which includes the way to the channel's loop and back; it took none.
   * @throws Cancelled if the caller of this thread's work is cancelled; it took none.
   * @throws NotSupportedError in the channel's own loop if it would have to wait; in a simulator.
   * @throws as `receive`.
   */
  receiveSync(options: BlockingOptions = {}): T {
    const where = "ThreadReceiveChannel.receiveSync";
    requireOptions(where, options, "{ timeoutMs: 1000 }");
    requireKnown(where, options, { timeoutMs: true });
    return this.#end.receiveSync(requireTimeout(where, options)) as T;
  }

  /**
   * Another end of the same kind, to be closed by itself. Each item goes to one of them.
   *
   * @throws ClosedResourceError if this one is closed.
   */
  clone(): ThreadReceiveChannel<T> {
    return new ThreadReceiveChannel(this.#end.clone());
  }

  /**
   * Gives this end away to another thread. It is closed here; its place goes with the port that is returned. Put that into the message and
   * into the list of what is transferred, and call `connectReceiveChannel` with it there. For arguments of `runInThread` this is done by
   * itself. A port that nobody takes keeps the channel open.
   *
   * @throws ClosedResourceError if this end is closed.
   */
  // An own field, so that an end which is sent without it cannot be cloned, instead of arriving as an empty object.
  readonly handOver: () => MessagePort = () => handOver("ThreadReceiveChannel.handOver", this.#end);

  /** @internal One more end, behind a port: for what may fail before it is given away. */
  share(where: string): MessagePortLike {
    return this.#end.share(where);
  }

  /**
   * Closes this end. Waits on it get `ClosedResourceError`. When it was the last: items that are left are dropped, and senders get
   * `BrokenResourceError`. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    this.#end.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.#end.close();
  }

  /**
   * A frozen snapshot of the channel. Ends in other threads that are on their way, or not closed, count as open.
   *
   * @throws NotSupportedError in other threads than the one that made the channel.
   */
  statistics(): ChannelStatistics {
    return this.#end.statistics("ThreadReceiveChannel.statistics");
  }

  /** Receives until the channel ends. It has no `return`, so leaving the loop closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.#end.receive(true) as Promise<IteratorResult<T, undefined>> };
  }
}

function handOver(where: string, end: SendEnd | ReceiveEnd): MessagePort {
  const port = end.share(where);
  end.close();
  return port.native as MessagePort;
}

function transferIn(
  where: string,
  options: ThreadSendOptions,
  names: Readonly<Record<string, true>>,
): readonly object[] {
  requireOptions(where, options, "{ transfer: [bytes.buffer] }");
  requireKnown(where, options, names);
  const { transfer = [] } = options;
  requireTransfer(`${where}({ transfer })`, transfer);
  return transfer;
}
