import type { Clock, ClockTimer } from "../../core/clock.ts";
import type { VirtualClock } from "../clock.ts";

const NO_TIMER: ClockTimer = { clear() {}, setReferenced() {} };

/** The clock of one worker: when that is ended, nothing in it is ever woken again, whatever it was in the middle of. */
export class WorkerClock implements Clock {
  readonly #clock: VirtualClock;
  readonly #timers: Set<ClockTimer> = new Set();
  #stopped = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.clear();
    this.#timers.clear();
  }

  now(): number {
    return this.#clock.now();
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  setTimer(delayMs: number, wake: () => void): ClockTimer {
    if (this.#stopped) return NO_TIMER;
    const inner = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      wake();
    });
    const timer: ClockTimer = {
      clear: () => {
        this.#timers.delete(timer);
        inner.clear();
      },
      setReferenced() {},
    };
    this.#timers.add(timer);
    return timer;
  }

  nextTurn(turn: () => void): void {
    if (this.#stopped) return;
    this.#clock.nextTurn(() => {
      if (!this.#stopped) turn();
    });
  }
}
