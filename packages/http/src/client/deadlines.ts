import { CancelScope, now, outsideScopes, sleep } from "arborio";

/** Longest time in milliseconds between two looks at the deadlines. */
const SWEEP_MS_MAX = 1000;
/** Shortest, whatever the deadlines are. */
const SWEEP_MS_MIN = 5;
/** A deadline is seen too late by two sweeps at most: by an eighth of its length. */
const SWEEPS_PER_DEADLINE = 16;

/** What has deadlines. */
export interface Swept {
  sweep(now: number): void;
}

/** Looks at the deadlines of connections, again and again while there are any: so no request sets a timer. */
export class Deadlines {
  readonly #swept: Set<Swept> = new Set();
  #scope: CancelScope = new CancelScope();
  #sweepMs: number = SWEEP_MS_MAX;
  #coarseNow: number = now();
  #running = false;

  /** From now on there may be deadlines of so many milliseconds. */
  expect(ms: number): void {
    const sweepMs = Math.max(SWEEP_MS_MIN, Math.min(SWEEP_MS_MAX, ms / SWEEPS_PER_DEADLINE));
    if (sweepMs < this.#sweepMs) this.#sweepMs = sweepMs;
  }

  /** The moment that a deadline of so many milliseconds ends, for `sweep`: a little late, never early. */
  due(ms: number): number {
    return this.#coarseNow + this.#sweepMs + ms;
  }

  add(swept: Swept): void {
    this.#swept.add(swept);
    if (this.#running) return;
    this.#running = true;
    this.#coarseNow = now();
    const scope = new CancelScope();
    this.#scope = scope;
    void outsideScopes(() => scope.run(() => this.#sweep()));
  }

  delete(swept: Swept): void {
    this.#swept.delete(swept);
  }

  close(): void {
    this.#scope.cancel("the client was closed");
  }

  async #sweep(): Promise<void> {
    for (let wasHeldUp = false; this.#swept.size > 0;) {
      const before = this.#coarseNow;
      await sleep(this.#sweepMs);
      this.#coarseNow = now();
      // If this process was held up, so was what the servers have sent: it has to be read before anybody is called late.
      wasHeldUp = !wasHeldUp && this.#coarseNow - before > 2 * this.#sweepMs;
      if (!wasHeldUp) for (const swept of this.#swept) swept.sweep(this.#coarseNow);
    }
    this.#running = false;
  }
}
