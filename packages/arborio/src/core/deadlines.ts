/** A moment at which `fire(target)` is due. `fire` is a shared function rather than a closure: sleepers are counted in millions. */
export class Deadline {
  readonly when: number;
  readonly fire: (target: never) => void;
  readonly target: unknown;
  /** Order of setting: ties fire first-in first-out. */
  order = 0;
  /** Position in the heap, −1 while not in it. */
  index = -1;

  constructor(when: number, fire: (target: never) => void, target: unknown) {
    this.when = when;
    this.fire = fire;
    this.target = target;
  }
}

/**
 * Indexed binary heap of deadlines. Indexed, so that a closed scope's deadline is removed at once: with lazy deletion a dead
 * entry on top makes every checkpoint read the clock.
 */
export class DeadlineHeap {
  readonly #heap: Deadline[] = [];
  #orders = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest moment, `Infinity` when empty. */
  get earliest(): number {
    const top = this.#heap[0];
    return top === undefined ? Infinity : top.when;
  }

  add(deadline: Deadline): void {
    deadline.order = this.#orders++;
    this.#heap.push(deadline);
    this.#up(deadline, this.#heap.length - 1);
  }

  remove(deadline: Deadline): void {
    const index = deadline.index;
    if (index < 0) return;
    deadline.index = -1;
    const last = this.#heap.pop() as Deadline;
    if (last === deadline) return;
    this.#up(last, index);
    if (last.index === index) this.#down(last, index);
  }

  /** Takes out the earliest entry if it is due at `now`. */
  takeDue(now: number): Deadline | undefined {
    const top = this.#heap[0];
    if (top === undefined || top.when > now) return undefined;
    this.remove(top);
    return top;
  }

  #up(deadline: Deadline, from: number): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Deadline;
      if (!isBefore(deadline, parent)) break;
      heap[index] = parent;
      parent.index = index;
      index = above;
    }
    heap[index] = deadline;
    deadline.index = index;
  }

  #down(deadline: Deadline, from: number): void {
    const heap = this.#heap;
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, heap[below] as Deadline)) below += 1;
      const child = heap[below] as Deadline;
      if (!isBefore(child, deadline)) break;
      heap[index] = child;
      child.index = index;
      index = below;
    }
    heap[index] = deadline;
    deadline.index = index;
  }
}

function isBefore(a: Deadline, b: Deadline): boolean {
  return a.when < b.when || (a.when === b.when && a.order < b.order);
}
