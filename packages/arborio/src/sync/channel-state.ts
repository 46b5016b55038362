import type { Waiter } from "../core/suspend.ts";
import { WaitQueue } from "../core/wait-queue.ts";
import { RingBuffer } from "./ring-buffer.ts";

/** What `statistics()` of either end of a channel tells. */
export interface ChannelStatistics {
  /** Items in the buffer. */
  readonly currentBufferUsed: number;
  /** The capacity. */
  readonly maxBufferSize: number;
  /** Sending handles that are not closed. */
  readonly openSendChannels: number;
  /** Receiving handles that are not closed. */
  readonly openReceiveChannels: number;
  /** Flows that wait for room. */
  readonly tasksWaitingSend: number;
  /** Flows that wait for an item. */
  readonly tasksWaitingReceive: number;
}

/** @internal One end of a channel, as its waiters know it. */
export interface ChannelHandle {
  /** Waits blocked on this very handle. Closing it then need not search the queue of all handles. */
  waiting: number;
}

/** Nothing to take. Items may be `undefined`. */
export const NOTHING_THERE: unique symbol = Symbol("nothing there");

/** Payload of a receiver that is `for await`, and gets an `IteratorResult`. */
export const ITERATING: unique symbol = Symbol("iterating");

/**
 * What all handles of a channel share. Plain transitions: none waits, none looks at the ambient scope. Invariants: nobody
 * waits to receive while an item is there, nobody waits to send while the buffer has room.
 */
export class ChannelState<T> {
  readonly capacity: number;
  readonly buffer: RingBuffer<T> = new RingBuffer();
  /** Their payload is the item, their resource the handle. */
  readonly senders: WaitQueue<void> = new WaitQueue();
  readonly receivers: WaitQueue<unknown> = new WaitQueue();
  openSenders = 1;
  openReceivers = 1;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Gives `item` to who has waited longest, else to the buffer. `false` if there is no room: nothing has changed. */
  offer(item: T): boolean {
    for (
      let receiver = shift(this.receivers);
      receiver !== null;
      receiver = shift(this.receivers)
    ) {
      const value = receiver.payload === ITERATING ? { done: false, value: item } : item;
      if (receiver.wake(value)) return true;
    }
    if (this.buffer.size >= this.capacity) return false;
    this.buffer.push(item);
    return true;
  }

  /** Takes the oldest item and lets the longest waiting sender move up. */
  take(): T | typeof NOTHING_THERE {
    if (this.buffer.size === 0) return this.#takeFromSender();
    const item = this.buffer.shift();
    if (this.senders.size > 0) {
      const next = this.#takeFromSender();
      if (next !== NOTHING_THERE) this.buffer.push(next);
    }
    return item;
  }

  statistics(): ChannelStatistics {
    return Object.freeze({
      currentBufferUsed: this.buffer.size,
      maxBufferSize: this.capacity,
      openSendChannels: this.openSenders,
      openReceiveChannels: this.openReceivers,
      tasksWaitingSend: this.senders.size,
      tasksWaitingReceive: this.receivers.size,
    });
  }

  #takeFromSender(): T | typeof NOTHING_THERE {
    for (let sender = shift(this.senders); sender !== null; sender = shift(this.senders)) {
      const item = sender.payload as T;
      if (sender.wake()) return item;
    }
    return NOTHING_THERE;
  }
}

/** Queues `waiter` on its handle. */
export function enqueue<T>(queue: WaitQueue<T>, waiter: Waiter<T>): void {
  (waiter.resource as ChannelHandle).waiting += 1;
  queue.push(waiter);
}

/** Takes `waiter` out of its queue. */
export function withdraw<T>(queue: WaitQueue<T>, waiter: Waiter<T>): void {
  (waiter.resource as ChannelHandle).waiting -= 1;
  queue.remove(waiter);
}

/**
 * Takes out, oldest first, the waiters blocked on `handle`, or all of them. All before any is settled: settling one may end
 * a scope, and that may cancel others.
 */
export function drain<T>(queue: WaitQueue<T>, handle?: ChannelHandle): Waiter<T>[] {
  const drained: Waiter<T>[] = [];
  for (const waiter of queue) {
    if (handle !== undefined && handle.waiting === 0) break;
    if (handle !== undefined && waiter.resource !== handle) continue;
    withdraw(queue, waiter);
    drained.push(waiter);
  }
  return drained;
}

function shift<T>(queue: WaitQueue<T>): Waiter<T> | null {
  const waiter = queue.shift();
  if (waiter !== null) (waiter.resource as ChannelHandle).waiting -= 1;
  return waiter;
}
