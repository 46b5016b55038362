import {
  CancelScope,
  Event,
  GroupClosedError,
  InvalidStateError,
  now,
  outsideScopes,
  shielded,
  sleep,
} from "arborio";
import { startSystemTask } from "arborio/lowlevel";

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

/**
 * Looks at the deadlines of connections, again and again while there are any: so no request sets a timer. It does so in a task beside main,
 * which ends with the run and does not hold it; outside runs, in a flow under the root scope.
 */
export class Deadlines {
  readonly #swept: Set<Swept> = new Set();
  readonly #onLeft: () => void;
  #sweepMs: number = SWEEP_MS_MAX;
  #coarseNow: number = now();
  /** Of the sweep that goes on. */
  #scope: CancelScope | null = null;
  /** Of its sleep. */
  #nap: CancelScope | null = null;
  /** Set when the last sweep has ended. */
  #ended: Event = new Event();

  /** @param onLeft the run has ended, and connections are left. */
  constructor(onLeft: () => void) {
    this.#onLeft = onLeft;
    this.#ended.set();
  }

  /** The clock, as it was at the last look: it does not cost a look now. */
  get moment(): number {
    return this.#coarseNow;
  }

  /** From now on there may be deadlines of so many milliseconds. */
  expect(ms: number): void {
    const sweepMs = Math.max(SWEEP_MS_MIN, Math.min(SWEEP_MS_MAX, ms / SWEEPS_PER_DEADLINE));
    if (sweepMs >= this.#sweepMs) return;
    this.#sweepMs = sweepMs;
    // The sleep that goes on is too long for it, and the last look too long ago.
    this.#coarseNow = now();
    this.#nap?.cancel("there is a shorter deadline");
  }

  /** The moment that a deadline of so many milliseconds ends, for `sweep`: a little late, never early. */
  due(ms: number): number {
    return this.#coarseNow + this.#sweepMs + ms;
  }

  add(swept: Swept): void {
    this.#swept.add(swept);
    if (this.#scope === null) this.#start();
  }

  delete(swept: Swept): void {
    this.#swept.delete(swept);
  }

  /** Ends the sweep, when there is nothing left to sweep. Does not throw `Cancelled`. */
  async close(): Promise<void> {
    this.#scope?.cancel("the client was closed");
    if (!this.#ended.isSet) await shielded(() => this.#ended.wait());
  }

  #start(): void {
    const scope = new CancelScope();
    this.#scope = scope;
    this.#coarseNow = now();
    this.#ended = new Event();
    const run = (): Promise<void> => this.#run(scope);
    try {
      startSystemTask(run, { name: "http client deadlines" });
    } catch (error) {
      // Not in a run, or in what is left of one.
      if (!(error instanceof InvalidStateError || error instanceof GroupClosedError)) throw error;
      void outsideScopes(run);
    }
  }

  async #run(scope: CancelScope): Promise<void> {
    const ended = this.#ended;
    try {
      await scope.run(() => this.#sweep());
    } finally {
      const isCutShort = this.#scope === scope;
      if (isCutShort) this.#scope = null;
      ended.set();
      if (isCutShort && this.#swept.size > 0) this.#onLeft();
    }
  }

  async #sweep(): Promise<void> {
    for (let wasHeldUp = false; this.#swept.size > 0;) {
      const before = this.#coarseNow;
      const nap = new CancelScope();
      this.#nap = nap;
      await nap.run(() => sleep(this.#sweepMs));
      this.#coarseNow = now();
      // If this process was held up, so was what the servers have sent: it has to be read before anybody is called late.
      wasHeldUp = !wasHeldUp && this.#coarseNow - before > 2 * this.#sweepMs;
      if (!wasHeldUp) for (const swept of this.#swept) swept.sweep(this.#coarseNow);
    }
    // At once: what is added from now on needs another sweep.
    this.#scope = null;
  }
}
