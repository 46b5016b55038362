import type { Clock, ClockTimer } from "../core/clock.ts";
import { Deadline, DeadlineHeap } from "../core/deadlines.ts";

/** Microseconds per millisecond: time is whole microseconds inside, so that adding never rounds. */
const US = 1000;

/** When every simulated world begins, in milliseconds since 1970: 2000-01-01 UTC. No test shall depend on today. */
export const EPOCH_MS: number = 946_684_800_000;

/**
 * Turns taken at one instant before time moves on although something is ready: a task that loops over `checkpoint()` until a
 * timer fires must see it fire, as it would on a host. The budget of a host is counted in milliseconds, this one in turns.
 */
const TURNS_AT_ONE_INSTANT_MAX = 100_000;

/**
 * A virtual clock with autojump: time stands still while anything is ready, and jumps to the next timer when nothing is.
 * Turns are driven from the host's turns, one each, so that all microtasks have run in between.
 * Counterpart: `trio.testing.MockClock(autojump_threshold=0)`.
 */
export class VirtualClock implements Clock {
  readonly #hostTurn: (turn: () => void) => void;
  readonly #timers: DeadlineHeap = new DeadlineHeap();
  #turns: (() => void)[] = [];
  #nextTurns: (() => void)[] = [];
  #nowUs = 0;
  #turnsAtThisInstant = 0;
  #pumping = false;
  #stuck: (() => void) | null = null;
  #frozen = false;

  constructor(hostTurn: (turn: () => void) => void) {
    this.#hostTurn = hostTurn;
  }

  now(): number {
    return this.#nowUs / US;
  }

  wallNow(): number {
    return EPOCH_MS + Math.floor(this.now());
  }

  /** The time in whole microseconds. */
  get nowUs(): number {
    return this.#nowUs;
  }

  setTimer(delayMs: number, wake: () => void): ClockTimer {
    return this.after(Math.ceil(delayMs * US), wake);
  }

  /** `setTimer` with whole microseconds, at least one; timers of the same instant fire in the order in which they were set. */
  after(delayUs: number, wake: () => void): ClockTimer {
    const timer = new VirtualTimer(this.#timers, this.#nowUs + Math.max(delayUs, 1), wake);
    this.#timers.add(timer);
    this.#pumpSoon();
    return timer;
  }

  nextTurn(turn: () => void): void {
    this.#nextTurns.push(turn);
    this.#pumpSoon();
  }

  onStuck(stuck: () => void): () => void {
    this.#stuck = stuck;
    this.#pumpSoon();
    return () => {
      this.#stuck = null;
    };
  }

  /** Stands still until `thaw`: no turn is taken, time does not move, and nothing counts as stuck. */
  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#hostTurn(this.#pump);
  }

  readonly #pump = (): void => {
    this.#pumping = false;
    if (this.#frozen) return;
    if (this.#turns.length === 0 && this.#nextTurns.length > 0) {
      this.#turns = this.#nextTurns.reverse();
      this.#nextTurns = [];
    }
    const isSpinning =
      this.#turnsAtThisInstant >= TURNS_AT_ONE_INSTANT_MAX && this.#timers.size > 0;
    const turn = isSpinning ? undefined : this.#turns.pop();
    if (turn !== undefined) {
      this.#turnsAtThisInstant += 1;
      this.#pumpSoon();
      turn();
    } else if (this.#timers.size > 0) {
      this.#jump();
      this.#pumpSoon();
    } else {
      this.#stuck?.();
    }
  };

  #jump(): void {
    const timer = this.#timers.takeDue(Infinity) as VirtualTimer;
    this.#nowUs = timer.when;
    this.#turnsAtThisInstant = 0;
    timer.wake();
  }
}

class VirtualTimer extends Deadline implements ClockTimer {
  readonly wake: () => void;
  readonly #heap: DeadlineHeap;

  constructor(heap: DeadlineHeap, whenUs: number, wake: () => void) {
    super(whenUs, wake, undefined);
    this.#heap = heap;
    this.wake = wake;
  }

  clear(): void {
    this.#heap.remove(this);
  }

  /** Virtual time keeps no process alive. */
  setReferenced(): void {}
}
