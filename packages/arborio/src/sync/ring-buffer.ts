/** Slots at first; a power of two. */
const SLOTS_MIN = 16;

/** First-in first-out list on an array that is used as a ring: adding and taking are constant time, and allocate nothing once it has grown. */
export class RingBuffer<T> {
  /** Its length is a power of two. */
  #slots: (T | undefined)[] = [];
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#first + this.#size) & (this.#slots.length - 1)] = item;
    this.#size += 1;
  }

  /** Takes out the oldest item. The buffer must not be empty. */
  shift(): T {
    const slots = this.#slots;
    const item = slots[this.#first] as T;
    slots[this.#first] = undefined;
    this.#first = (this.#first + 1) & (slots.length - 1);
    this.#size -= 1;
    // After a burst the memory goes back: a long-lived channel is mostly empty.
    if (this.#size === 0 && slots.length > 64 * SLOTS_MIN) this.clear();
    return item;
  }

  clear(): void {
    this.#slots = [];
    this.#first = 0;
    this.#size = 0;
  }

  /** Only called when every slot is taken. */
  #grow(): void {
    const slots = this.#slots;
    this.#slots = [...slots.slice(this.#first), ...slots.slice(0, this.#first)];
    this.#slots.length = Math.max(SLOTS_MIN, slots.length * 2);
    this.#first = 0;
  }
}
