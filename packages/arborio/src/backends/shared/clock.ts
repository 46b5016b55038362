import { asyncLocalStorage } from "./ambient.ts";
import type { Clock, ClockTimer } from "../../core/clock.ts";

/** A clock over the timers that Node, Bun and Deno have in common. */
export class HostClock implements Clock {
  now(): number {
    return performance.now();
  }

  setTimer(delayMs: number, wake: () => void): ClockTimer {
    return new HostTimer(outsideContext(() => setTimeout(wake, delayMs)));
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

/** Timers made in a task's async context would keep that context, and all it holds, alive. */
function outsideContext<T>(fn: () => T): T {
  return asyncLocalStorage.exit(fn);
}
