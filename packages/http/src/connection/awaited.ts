/** What a connection waits for from its peer. */
export type Awaiting = "nothing" | "request" | "head" | "body" | "rest" | "linger";

/** What a connection waits for, and until when: one deadline at a time, looked at by a sweep, so no request sets a timer. */
export class Awaited {
  #what: Awaiting = "nothing";
  /** Moment of the kernel's clock. */
  #until = Infinity;
  #overdue = false;

  get what(): Awaiting {
    return this.#what;
  }

  /** Whether its deadline has passed. */
  get isOverdue(): boolean {
    return this.#overdue;
  }

  begin(what: Awaiting, until: number): void {
    this.#what = what;
    this.#until = until;
    this.#overdue = false;
  }

  /** @returns whether it had become overdue. */
  end(): boolean {
    const isOverdue = this.#overdue;
    this.begin("nothing", Infinity);
    return isOverdue;
  }

  /** @returns whether it has become overdue just now. */
  sweep(now: number): boolean {
    if (now < this.#until) return false;
    this.#until = Infinity;
    this.#overdue = true;
    return true;
  }
}
