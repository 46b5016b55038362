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
/** A deadline is seen too late by two sweeps at most, and that only by a process that was held up: by an eighth of its length. */
const SWEEPS_PER_DEADLINE = 16;

/** A sweep that is later than so many milliseconds was held up. Servers keep connections for longer, and a busy process is not always late. */
const HELD_UP_MS = 250;

/** A sleep of so many milliseconds lets the host look at its sockets; but the first may be over before, where timers were late too. */
const TURN_MS = 1;
const TURNS_BEHIND = 2;

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
  #moment: number = now();
  /** When the sweep that goes on fell asleep for the last time. */
  #napSince = 0;
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

  /** The clock, as it was when somebody looked at it here for the last time: it does not cost a look now. */
  get moment(): number {
    return this.#moment;
  }

  /** Looks at the clock. */
  look(): number {
    return (this.#moment = now());
  }

  /**
   * Whether this process has done something else for so long, as far as the last look at the clock tells, that the sweep should have come long
   * ago: then nobody knows yet what the servers have done meanwhile.
   */
  get isHeldUp(): boolean {
    return this.#scope !== null && this.#moment - this.#napSince > this.#sweepMs + HELD_UP_MS;
  }

  /** Lets the host tell what has happened meanwhile. @returns the clock. */
  async catchUp(): Promise<number> {
    for (let count = 0; count < TURNS_BEHIND; count++) await sleep(TURN_MS);
    return this.look();
  }

  /** From now on there may be deadlines of so many milliseconds. */
  expect(ms: number): void {
    const sweepMs = Math.max(SWEEP_MS_MIN, Math.min(SWEEP_MS_MAX, ms / SWEEPS_PER_DEADLINE));
    if (sweepMs >= this.#sweepMs) return;
    this.look();
    // It was not to come back sooner.
    if (!this.isHeldUp) this.#napSince = this.#moment;
    this.#sweepMs = sweepMs;
    // The sleep that goes on is too long for it.
    this.#nap?.cancel("there is a shorter deadline");
  }

  /**
   * The moment that a deadline of so many milliseconds ends, for `sweep`. It looks at the clock: a program that has computed for a second
   * since the last sweep is not to lose that second of what it begins to wait for now.
   */
  due(ms: number): number {
    return this.look() + ms;
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
    this.#napSince = this.look();
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
      this.#napSince = now();
      const nap = new CancelScope();
      this.#nap = nap;
      await nap.run(() => sleep(this.#sweepMs));
      const moment = this.look();
      // If this process was held up, so was what the servers have sent: it has to be read before anybody is called late.
      wasHeldUp = !wasHeldUp && moment - this.#napSince > 2 * this.#sweepMs;
      if (!wasHeldUp) for (const swept of this.#swept) swept.sweep(moment);
    }
    // At once: what is added from now on needs another sweep.
    this.#scope = null;
  }
}
