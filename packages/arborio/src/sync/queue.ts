/**
 * Queues, as asyncio has them: one object that all may put into and take from, in an order of choice, that knows which items are still
 * being worked on. What changes when, `queue-state.ts` decides; here the operations look at the scope, and wait.
 */
import { ambientScope } from "../core/ambient.ts";
import { requireCount, requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import { InvalidStateError, WouldBlock } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { NOTHING_THERE } from "./channel-state.ts";
import {
  END,
  endError,
  type QueueConsumer,
  QueueState,
  type QueueStatistics,
  shutDownError,
} from "./queue-state.ts";
import { type QueueOrder, storeFor } from "./queue-store.ts";

/** Options of `createQueue`. */
export interface QueueOptions<T> {
  /** Which item comes out next. Default `"fifo"`: the oldest. */
  readonly order?: QueueOrder<T>;
}

/** Options of `Queue.shutdown`. */
export interface QueueShutdownOptions {
  /** Whether what nobody has taken is dropped, instead of being there to be taken. Default `false`. */
  readonly immediate?: boolean;
}

/**
 * Makes a queue that keeps up to `capacity` items, in an order of choice.
 *
 * A channel (`createChannel`) is the simpler thing, and for most tasks the right one: it has two ends, and ends by itself when the last
 * of its senders has closed. Take a queue where a channel cannot say what you need:
 *
 * - the order is another than that of arrival: what is most urgent, or newest, comes first;
 * - work makes more work, as in a crawler: those who take also put, so no end can be closed, and only `join` knows when all is done;
 * - somebody has to know that everything is done, not only taken, while the workers stay for more.
 *
 * @param capacity how many items are kept that nobody has taken; a whole number from 1 on, or `Infinity`: then a `put` never waits, and
 *   slow workers cost memory without limit. Workers that put must not wait for themselves: give them `Infinity`, or fewer items than room.
 * @throws RangeError if `capacity` is not such a number, or `order` no such word; TypeError if it is none, or an option has another name.
 *
 * Counterpart: `asyncio.Queue`, `asyncio.LifoQueue`, `asyncio.PriorityQueue`; there, 0 is no limit.
 *
 * @example Work that makes more work
 * ```ts
 * import { createQueue, run } from "arborio";
 *
 * const links: Record<string, string[]> = { a: ["b", "c"], b: ["c"], c: ["a"] };
 *
 * await run(async (group) => {
 *   const seen = new Set(["a"]);
 *   const pages = createQueue<string>(Infinity);
 *   pages.putNowait("a");
 *   for (let worker = 0; worker < 2; worker++) {
 *     group.startSoon(async () => {
 *       for await (const page of pages) {
 *         for (const link of links[page] ?? []) {
 *           if (!seen.has(link)) pages.putNowait(link);
 *           seen.add(link);
 *         }
 *       }
 *     });
 *   }
 *   await pages.join();
 *   pages.shutdown();
 *   console.assert(seen.size === 3);
 * });
 * ```
 * @example The most urgent first
 * ```ts
 * import { createQueue, run } from "arborio";
 *
 * await run(async () => {
 *   const jobs = createQueue<{ name: string; due: number }>(10, { order: (a, b) => a.due - b.due });
 *   await jobs.put({ name: "later", due: 20 });
 *   await jobs.put({ name: "now", due: 5 });
 *   console.assert((await jobs.get()).name === "now");
 * });
 * ```
 */
export function createQueue<T>(capacity: number, options: QueueOptions<T> = {}): Queue<T> {
  if (capacity === 0) {
    throw new RangeError(
      "createQueue: got 0, needs room for at least 1 item; Infinity is no limit, createChannel(0) hands over without room",
    );
  }
  requireCount("createQueue", capacity, 1);
  requireOptions("createQueue(capacity, options)", options, '{ order: "lifo" }');
  requireKnown("createQueue", options, { order: true }, INSTEAD);
  return new Queue(new QueueState(capacity, storeFor(options.order ?? "fifo")));
}

const INSTEAD: Readonly<Record<string, string>> = {
  compare: "order: (a, b) => a.priority - b.priority",
  priority: "order: (a, b) => a.priority - b.priority",
  capacity: "createQueue(capacity)",
  maxsize: "createQueue(capacity)",
};

const PUT: WaitKind = {
  name: "queue.put",
  abort(waiter) {
    (waiter.resource as Queue<unknown>).state.putters.remove(waiter as Waiter<void>);
  },
};

const GET: WaitKind = {
  name: "queue.get",
  abort(waiter) {
    (waiter.resource as Queue<unknown>).state.getters.remove(waiter);
  },
};

const JOIN: WaitKind = {
  name: "queue.join",
  abort(waiter) {
    (waiter.resource as Queue<unknown>).state.joiners.remove(waiter as Waiter<void>);
  },
};

/**
 * A bounded collection of items between tasks. Made by `createQueue`.
 *
 * Who has waited longest, puts or gets first, and nobody gets past: an item that is put while somebody waits for one goes to them at
 * once. So the order is that among the items it keeps.
 *
 * Which items are done is known without any call if they are taken by `for await`: an item is done when the loop asks for the next, or
 * is left, also by an error or a cancellation. So it cannot be forgotten, which would make `join` wait for ever. A loop that hands its
 * items on to other tasks says too early that they are done: take them by `get`, and call `taskDone` where the work ends, best in a
 * `finally`.
 */
export class Queue<T> implements AsyncIterable<T> {
  /** @internal */ readonly state: QueueState<T>;
  readonly #getters: QueueConsumer = { held: 0, iterates: false };

  /** @internal */
  constructor(state: QueueState<T>) {
    this.state = state;
  }

  /**
   * Puts an item, waiting while there is no room. Cancelled, the item was not put.
   *
   * @param item may be `undefined`; a promise comes out of `get` as what it resolves to.
   * @throws ClosedResourceError if the queue was shut down, also while waiting; the item was not put.
   * @throws whatever the function of `order` throws; the item was not put.
   */
  put(item: T): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("put");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    try {
      if (this.state.offer(item)) return scope.kernel.readyNow();
    } catch (error) {
      return scope.kernel.rejected(error);
    }
    const waiter = new Waiter<void>(scope, PUT, this, item);
    this.state.putters.push(waiter);
    return waiter.promise;
  }

  /**
   * Puts an item if there is room. Synchronous; works from any context.
   *
   * @throws WouldBlock if there is none.
   * @throws ClosedResourceError if the queue was shut down.
   * @throws whatever the function of `order` throws; the item was not put.
   */
  putNowait(item: T): void {
    const refusal = this.#refusal("putNowait");
    if (refusal !== null) throw refusal;
    if (this.state.offer(item)) return;
    throw new WouldBlock(
      `Queue.putNowait: all ${this.state.capacity} places are taken; await put(item) to wait for one`,
    );
  }

  /**
   * Takes the next item, waiting while there is none. Cancelled, it took none.
   *
   * @throws EndOfStream if the queue was shut down and no item is left, also while waiting.
   * @throws whatever the function of `order` throws; no item was taken.
   */
  get(): Promise<T> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    let item: T | typeof NOTHING_THERE;
    try {
      item = this.state.take(this.#getters);
    } catch (error) {
      return scope.kernel.rejected(error);
    }
    if (item !== NOTHING_THERE) return scope.kernel.ready(item);
    if (this.state.isShutDown) return scope.kernel.rejected(endError("get"));
    const waiter = new Waiter<unknown>(scope, GET, this, this.#getters);
    this.state.getters.push(waiter);
    return waiter.promise as Promise<T>;
  }

  /**
   * Takes the next item if there is one. Synchronous; works from any context.
   *
   * @throws WouldBlock if there is none.
   * @throws EndOfStream if there is none and the queue was shut down.
   * @throws whatever the function of `order` throws; no item was taken.
   */
  getNowait(): T {
    const item = this.state.take(this.#getters);
    if (item !== NOTHING_THERE) return item;
    if (this.state.isShutDown) throw endError("getNowait");
    throw new WouldBlock("Queue.getNowait: no item is there; await get() to wait for one");
  }

  /**
   * Says that an item that `get` or `getNowait` gave is done. Synchronous; works from any context. Only for `join`: who never joins need
   * not call it.
   *
   * @throws InvalidStateError if no such item is being worked on. What `for await` gave does not count: the loop does this itself.
   */
  taskDone(): void {
    if (this.#getters.held === 0) {
      throw new InvalidStateError(
        "Queue.taskDone: every item that get has given is done; call it once for each, and not in a for await, which does it itself",
      );
    }
    this.state.settle(this.#getters, 1);
  }

  /**
   * Waits until everything is done that was put: nothing is kept, nothing is being worked on. A checkpoint if so. Cancelled, it no
   * longer waits. What `shutdown({ immediate: true })` has dropped counts as done.
   */
  join(): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.state.unfinished === 0) return scope.kernel.readyNow();
    const waiter = new Waiter<void>(scope, JOIN, this, undefined);
    this.state.joiners.push(waiter);
    return waiter.promise;
  }

  /**
   * Ends the queue: nothing can be put from now on, and those who wait for room get `ClosedResourceError`. What it keeps can still be
   * taken; then `get` throws `EndOfStream`, and loops end. Synchronous; works from any context. A second call does nothing, but can drop
   * what is left.
   *
   * @returns what was dropped because of `immediate`, in the order in which it would have come, so that nothing is lost that has to be
   *   closed.
   * @throws TypeError if `immediate` is no boolean, or an option has another name.
   */
  shutdown(options: QueueShutdownOptions = {}): T[] {
    requireOptions("Queue.shutdown", options, "{ immediate: true }");
    requireKnown("Queue.shutdown", options, { immediate: true });
    const { immediate = false } = options;
    requireFlag("Queue.shutdown({ immediate })", immediate);
    return this.state.shutDown(immediate);
  }

  /** A frozen snapshot. */
  statistics(): QueueStatistics {
    return this.state.statistics();
  }

  /** Takes items until the queue has ended. What it gave is done when it asks for the next or is left; leaving it shuts nothing down. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new QueueIterator(this);
  }

  #refusal(where: string): Error | null {
    return this.state.isShutDown ? shutDownError(where) : null;
  }
}

class QueueIterator<T> implements AsyncIterator<T, undefined>, QueueConsumer {
  readonly iterates = true;
  readonly #queue: Queue<T>;
  held = 0;

  constructor(queue: Queue<T>) {
    this.#queue = queue;
  }

  /** Not built on `get`: that would cost each item two more microtasks. */
  next(): Promise<IteratorResult<T, undefined>> {
    const { state } = this.#queue;
    // The body is through with it, even if the scope is cancelled now: a loop whose `next` throws is not told of its end.
    state.settle(this, this.held);
    const scope = ambientScope();
    const refusal = scope.refuse();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    let item: T | typeof NOTHING_THERE;
    try {
      item = state.take(this);
    } catch (error) {
      return scope.kernel.rejected(error);
    }
    if (item !== NOTHING_THERE) return scope.kernel.ready({ done: false, value: item });
    if (state.isShutDown) return scope.kernel.ready(END);
    const waiter = new Waiter<unknown>(scope, GET, this.#queue, this);
    state.getters.push(waiter);
    return waiter.promise as Promise<IteratorResult<T, undefined>>;
  }

  /** The loop was left. No cancellation point. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#queue.state.settle(this, this.held);
    return ambientScope().kernel.ready(END);
  }
}
