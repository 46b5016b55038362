import { describeValue } from "../core/arguments.ts";

/** Like the argument of `Array.prototype.sort`: below 0 if `a` comes before `b`. */
export type Compare<T> = (a: T, b: T) => number;

interface Entry<T> {
  readonly item: T;
  /** Ties go by it. */
  readonly order: number;
}

/**
 * Binary heap that is first-in first-out among equals. `compare` is foreign code: where it throws, or gives what is no number, the heap
 * is as it was. So each change looks for its place first, and moves entries afterwards.
 */
export class StableHeap<T> {
  readonly #where: string;
  readonly #compare: Compare<T>;
  #entries: Entry<T>[] = [];
  #added = 0;

  /** `where` is named in the error about a `compare` that gives no number. */
  constructor(where: string, compare: Compare<T>) {
    this.#where = where;
    this.#compare = compare;
  }

  get size(): number {
    return this.#entries.length;
  }

  push(item: T): void {
    const entries = this.#entries;
    const entry: Entry<T> = { item, order: this.#added };
    let place = entries.length;
    while (place > 0 && this.#isBefore(entry, entries[parentOf(place)] as Entry<T>))
      place = parentOf(place);
    this.#added += 1;
    for (let at = entries.length; at > place; at = parentOf(at))
      entries[at] = entries[parentOf(at)] as Entry<T>;
    entries[place] = entry;
  }

  /** Takes out the first item. The heap must not be empty. */
  shift(): T {
    const entries = this.#entries;
    const first = entries[0] as Entry<T>;
    const last = entries[entries.length - 1] as Entry<T>;
    let at = this.#placeFromTop(last, entries.length - 1);
    entries.pop();
    if (entries.length === 0) return first.item;
    // Each on the way up to the top takes the place of its parent.
    let moving = last;
    for (; at > 0; at = parentOf(at)) {
      const above = entries[at] as Entry<T>;
      entries[at] = moving;
      moving = above;
    }
    entries[0] = moving;
    return first.item;
  }

  /** Takes out all, in their order; in any order if `compare` fails. */
  takeAll(): T[] {
    const entries = this.#entries;
    this.#entries = [];
    try {
      entries.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
    } catch {
      // What is taken out must not be lost for want of an order.
    }
    return entries.map((entry) => entry.item);
  }

  /** Where `entry` belongs among the first `size` entries once the top is empty. */
  #placeFromTop(entry: Entry<T>, size: number): number {
    const entries = this.#entries;
    let place = 0;
    for (let child = 1; child < size; child = 2 * place + 1) {
      const right = child + 1;
      if (right < size && this.#isBefore(entries[right] as Entry<T>, entries[child] as Entry<T>))
        child = right;
      if (!this.#isBefore(entries[child] as Entry<T>, entry)) break;
      place = child;
    }
    return place;
  }

  #isBefore(a: Entry<T>, b: Entry<T>): boolean {
    const result: unknown = this.#compare(a.item, b.item);
    if (typeof result !== "number" || Number.isNaN(result)) {
      throw new TypeError(
        `${this.#where}: compare gave ${describeValue(result)}, needs a number: below 0 if its first argument comes first`,
      );
    }
    return result === 0 ? a.order < b.order : result < 0;
  }
}

function parentOf(place: number): number {
  return (place - 1) >> 1;
}
