import { ClosedResourceError, EndOfStream } from "../core/errors.ts";
import type { Waiter } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";
import { NOTHING_THERE } from "./channel-state.ts";
import type { QueueStore } from "./queue-store.ts";

/** What `Queue.statistics()` tells. */
export interface QueueStatistics {
  /** Items that nobody has taken. */
  readonly size: number;
  /** Most items it keeps. */
  readonly capacity: number;
  /** Items that were put and are not done: those it keeps, and those that are being worked on. */
  readonly unfinished: number;
  /** Whether `shutdown` was called. */
  readonly isShutDown: boolean;
  /** Flows that wait for room. */
  readonly tasksWaitingPut: number;
  /** Flows that wait for an item. */
  readonly tasksWaitingGet: number;
  /** Flows that wait until all is done. */
  readonly tasksWaitingJoin: number;
}

/** Who takes items: all calls of `get` together, or one loop. */
export interface QueueConsumer {
  /** Items taken that are not done. */
  held: number;
  /** Whether it is a loop: it wants `IteratorResult`s. */
  readonly iterates: boolean;
}

/** The end, for a loop. */
export const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * What a queue is at any moment. Plain transitions: none waits, none looks at the ambient scope. Invariants: nobody waits to get while
 * an item is there or after the shutdown, nobody waits to put while there is room or after it, nobody waits to join while all is done.
 */
export class QueueState<T> {
  readonly capacity: number;
  readonly store: QueueStore<T>;
  /** Their payload is the item. */
  readonly putters: WaitQueue<void> = new WaitQueue();
  /** Their payload is the consumer. */
  readonly getters: WaitQueue<unknown> = new WaitQueue();
  readonly joiners: WaitQueue<void> = new WaitQueue();
  isShutDown = false;
  unfinished = 0;

  constructor(capacity: number, store: QueueStore<T>) {
    this.capacity = capacity;
    this.store = store;
  }

  /** Gives `item` to who has waited longest, else keeps it. `false` if there is no room: nothing has changed. */
  offer(item: T): boolean {
    for (let getter = this.getters.shift(); getter !== null; getter = this.getters.shift()) {
      const consumer = getter.payload as QueueConsumer;
      if (!getter.wake(consumer.iterates ? { done: false, value: item } : item)) continue;
      consumer.held += 1;
      this.unfinished += 1;
      return true;
    }
    if (this.store.size >= this.capacity) return false;
    this.store.push(item);
    this.unfinished += 1;
    return true;
  }

  /** Takes the next item for `consumer`, and lets who has waited longest to put move up. */
  take(consumer: QueueConsumer): T | typeof NOTHING_THERE {
    if (this.store.size === 0) return NOTHING_THERE;
    const item = this.store.shift();
    consumer.held += 1;
    this.#admit();
    return item;
  }

  /** `count` items of `consumer` are done. */
  settle(consumer: QueueConsumer, count: number): void {
    consumer.held -= count;
    this.#finish(count);
  }

  /** Nothing goes in from now on. Returns what it kept, if that is to be dropped. */
  shutDown(immediate: boolean): T[] {
    this.isShutDown = true;
    for (const putter of takeAll(this.putters)) putter.fail(shutDownError("put"));
    const dropped = immediate ? this.store.takeAll() : [];
    for (const getter of takeAll(this.getters)) {
      if ((getter.payload as QueueConsumer).iterates) getter.wake(END);
      else getter.fail(endError("get"));
    }
    this.#finish(dropped.length);
    return dropped;
  }

  statistics(): QueueStatistics {
    return Object.freeze({
      size: this.store.size,
      capacity: this.capacity,
      unfinished: this.unfinished,
      isShutDown: this.isShutDown,
      tasksWaitingPut: this.putters.size,
      tasksWaitingGet: this.getters.size,
      tasksWaitingJoin: this.joiners.size,
    });
  }

  /** An item that cannot be put into its place fails its own `put`, not the `get` that made room. */
  #admit(): void {
    while (this.store.size < this.capacity) {
      const putter = this.putters.shift();
      if (putter === null) return;
      try {
        this.store.push(putter.payload as T);
      } catch (error) {
        putter.fail(error);
        continue;
      }
      this.unfinished += 1;
      putter.wake();
    }
  }

  #finish(count: number): void {
    this.unfinished -= count;
    if (count === 0 || this.unfinished > 0) return;
    for (const joiner of takeAll(this.joiners)) joiner.wake();
  }
}

/** All before any is settled: settling one may end a scope, and that may cancel others. */
function takeAll<T>(queue: WaitQueue<T>): Waiter<T>[] {
  const waiters = [...queue];
  for (const waiter of waiters) queue.remove(waiter);
  return waiters;
}

export function shutDownError(where: string): ClosedResourceError {
  return new ClosedResourceError(
    `Queue.${where}: the queue was shut down here, so the item was not put; shut it down when nothing more is to come`,
  );
}

export function endError(where: string): EndOfStream {
  return new EndOfStream(`Queue.${where}: the queue was shut down, and no item is left`);
}
