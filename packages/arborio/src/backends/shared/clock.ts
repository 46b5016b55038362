import { outsideContext } from "./ambient.ts";
import type { Clock, ClockTimer } from "../../core/clock.ts";

/** Hosts fire timers above this at once. One that is early finds nothing due and is set again. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A clock over the timers that Node, Bun and Deno have in common. */
export class HostClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallNow(): number {
    return Date.now();
  }

  setTimer(delayMs: number, wake: () => void): ClockTimer {
    // Rounded up: hosts round down, and would wake the kernel too early for nothing.
    const wholeMs = Math.min(Math.ceil(delayMs), TIMER_MS_MAX);
    return new HostTimer(outsideContext(() => setTimeout(wake, wholeMs)));
  }

  nextTurn(turn: () => void): void {
    outsideContext(() => setImmediate(turn));
  }
}

class HostTimer implements ClockTimer {
  readonly #timer: NodeJS.Timeout;

  constructor(timer: NodeJS.Timeout) {
    this.#timer = timer;
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  setReferenced(referenced: boolean): void {
    if (referenced) this.#timer.ref();
    else this.#timer.unref();
  }
}
