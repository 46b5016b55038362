/** What can stand in a `Line`, in one at a time. */
export interface Linked<T> {
  before: T | null;
  after: T | null;
}

/** First in, first out; who stands in the middle can leave in constant time, however long it is. */
export class Line<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;

  get first(): T | null {
    return this.#first;
  }

  push(item: T): void {
    const last = this.#last;
    item.before = last;
    item.after = null;
    if (last === null) this.#first = item;
    else last.after = item;
    this.#last = item;
  }

  /** Takes out one that stands in this line. */
  remove(item: T): void {
    const { before, after } = item;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    item.before = null;
    item.after = null;
  }

  shift(): T | null {
    const first = this.#first;
    if (first !== null) this.remove(first);
    return first;
  }
}
