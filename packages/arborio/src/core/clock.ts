/** What the core asks of a backend: what time is it, wake me then, run me soon. */
export interface Clock {
  /** Milliseconds on a monotonic clock, with fractions; its zero is arbitrary. */
  now(): number;
  /** Milliseconds since 1970 began (UTC), as people's clocks say: it may jump, also backwards. Never for measuring durations. */
  wallNow(): number;
  /**
   * Calls `wake` once, about `delayMs` from now (at least 0, with fractions), never synchronously; too early does no harm. The
   * callback runs in the root context: a timer made inside a task would keep that task's context alive.
   */
  setTimer(delayMs: number, wake: () => void): ClockTimer;
  /** Calls `turn` once, after the host has seen to timers and I/O, in the root context. Keeps the process alive until then. */
  nextTurn(turn: () => void): void;
}

/** One timer that `setTimer` has set. */
export interface ClockTimer {
  /** The timer never fires afterwards. */
  clear(): void;
  /** Whether the timer alone keeps the process alive. */
  setReferenced(referenced: boolean): void;
}
