/** When a service that has ended is started again, and when there is no sense in it any more. */

/** Limits of restarting. */
export interface RestartLimits {
  /** Milliseconds before the first restart; each one in a row waits twice as long. */
  readonly firstDelayMs: number;
  /** Longest wait, in milliseconds. */
  readonly delayMsMax: number;
  /** So many restarts within `windowMs` are too many. */
  readonly restartsMax: number;
  readonly windowMs: number;
}

/** The restarts of one service. */
export class Restarts {
  readonly #limits: RestartLimits;
  /** When it was restarted, within the window. */
  #times: number[] = [];
  #inARow = 0;

  constructor(limits: RestartLimits) {
    this.#limits = limits;
  }

  /** How long to wait before the service is started again; `undefined` if it has been restarted too often. */
  next(nowMs: number, ranMs: number): number | undefined {
    const { firstDelayMs, delayMsMax, restartsMax, windowMs } = this.#limits;
    this.#times = this.#times.filter((time) => time > nowMs - windowMs);
    if (this.#times.length >= restartsMax) return undefined;
    this.#times.push(nowMs);
    // One that ran well for a while fails for the first time again.
    this.#inARow = ranMs >= delayMsMax ? 0 : this.#inARow;
    const delayMs = Math.min(firstDelayMs * 2 ** this.#inARow, delayMsMax);
    this.#inARow += 1;
    return delayMs;
  }
}
