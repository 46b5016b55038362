import { describeValue } from "../core/arguments.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { StableHeap } from "./stable-heap.ts";

/**
 * Which item comes out next: the oldest, the newest, or the one that a function puts first. It compares like that of
 * `Array.prototype.sort`: below 0 if `a` comes before `b`. Among equals the oldest comes first.
 */
export type QueueOrder<T> = "fifo" | "lifo" | ((a: T, b: T) => number);

/** What keeps the items, in the order in which they are to come out. */
export interface QueueStore<T> {
  readonly size: number;
  /** May throw; then nothing has changed. */
  push(item: T): void;
  /** Takes out the next. May throw; then nothing has changed. */
  shift(): T;
  takeAll(): T[];
}

/** What keeps items in this order. @throws RangeError if there is no such order. */
export function storeFor<T>(order: QueueOrder<T>): QueueStore<T> {
  if (typeof order === "function") return new StableHeap("createQueue({ order })", order);
  if (order === "fifo") return new Ring();
  if (order === "lifo") return new Stack();
  throw new RangeError(
    `createQueue({ order }): got ${describeValue(order)}, needs "fifo", "lifo", or a function that compares two items`,
  );
}

class Ring<T> extends RingBuffer<T> implements QueueStore<T> {
  takeAll(): T[] {
    return Array.from({ length: this.size }, () => this.shift());
  }
}

class Stack<T> implements QueueStore<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T {
    return this.#items.pop() as T;
  }

  takeAll(): T[] {
    return this.#items.splice(0).reverse();
  }
}
