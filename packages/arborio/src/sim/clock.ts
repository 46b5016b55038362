import type { Clock, ClockTimer } from "../core/clock.ts";

/** Microseconds per millisecond: time is whole microseconds inside, so that adding never rounds. */
const US = 1000;

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
  readonly #timers: Set<VirtualTimer> = new Set();
  #turns: (() => void)[] = [];
  #nextTurns: (() => void)[] = [];
  #nowUs = 0;
  #turnsAtThisInstant = 0;
  #pumping = false;
  #stuck: (() => void) | null = null;

  constructor(hostTurn: (turn: () => void) => void) {
    this.#hostTurn = hostTurn;
  }

  now(): number {
    return this.#nowUs / US;
  }

  setTimer(delayMs: number, wake: () => void): ClockTimer {
    const atUs = this.#nowUs + Math.max(Math.ceil(delayMs * US), 1);
    const timer: VirtualTimer = new VirtualTimer(atUs, wake, () => this.#timers.delete(timer));
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

  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#hostTurn(this.#pump);
  }

  readonly #pump = (): void => {
    this.#pumping = false;
    if (this.#turns.length === 0 && this.#nextTurns.length > 0) {
      this.#turns = this.#nextTurns.reverse();
      this.#nextTurns = [];
    }
    const earliest = this.#earliest();
    const spinning = this.#turnsAtThisInstant >= TURNS_AT_ONE_INSTANT_MAX && earliest !== undefined;
    const turn = spinning ? undefined : this.#turns.pop();
    if (turn !== undefined) {
      this.#turnsAtThisInstant += 1;
      this.#pumpSoon();
      turn();
    } else if (earliest !== undefined) {
      this.#jumpTo(earliest);
      this.#pumpSoon();
    } else {
      this.#stuck?.();
    }
  };

  #earliest(): VirtualTimer | undefined {
    let earliest: VirtualTimer | undefined;
    for (const timer of this.#timers)
      if (earliest === undefined || timer.atUs < earliest.atUs) earliest = timer;
    return earliest;
  }

  #jumpTo(timer: VirtualTimer): void {
    this.#timers.delete(timer);
    this.#nowUs = timer.atUs;
    this.#turnsAtThisInstant = 0;
    timer.wake();
  }
}

class VirtualTimer implements ClockTimer {
  readonly atUs: number;
  readonly wake: () => void;
  readonly clear: () => void;

  constructor(atUs: number, wake: () => void, clear: () => void) {
    this.atUs = atUs;
    this.wake = wake;
    this.clear = clear;
  }

  /** Virtual time keeps no process alive. */
  setReferenced(): void {}
}
