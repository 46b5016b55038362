import { now, sleepUntil } from "arborio";
import { random } from "arborio/lowlevel";

/** What doubles when connecting fails is so much at least, in milliseconds: a server may ask for no wait at all, and be gone, or give nothing. */
const FRUITLESS_MS_MIN = 100;

/** A server may ask for long waits, in milliseconds, but not for the end: a day. */
const ASKED_MS_MAX = 86_400_000;

/** Waits are longer by up to this part, so that clients that were cut off together do not come together. */
const JITTER = 0.25;

/** When to connect again: at first at once, then after what the server wants, and longer each time that connecting fails. */
export class Reconnection {
  #retryMs: number;
  readonly #retryMsMax: number;
  /** Attempts in a row that have failed. */
  #failures = 0;
  /** Whether the last connection gave something. */
  #isFruitful = false;
  /** Until the server is back, as it said itself, in milliseconds. */
  #awayMs = 0;
  #isToWait = false;
  /** When the wait is over. Who gives it up and comes back does not wait all of it again. */
  #waitsUntil: number | null = null;

  constructor(retryMs: number, retryMsMax: number) {
    this.#retryMs = retryMs;
    this.#retryMsMax = retryMsMax;
  }

  /** Waits until it is time to connect. */
  async wait(): Promise<void> {
    if (!this.#isToWait) return;
    this.#waitsUntil ??= now() + this.#waitMs();
    await sleepUntil(this.#waitsUntil);
    this.#isToWait = false;
    this.#waitsUntil = null;
  }

  /** It is connected; the next time there is a wait before. */
  connected(): void {
    this.#isToWait = true;
    this.#isFruitful = false;
    this.#failures = 0;
  }

  /** The connection has given something. */
  given(): void {
    this.#isFruitful = true;
  }

  /** The server has said how long to wait before each connection. */
  retryAfter(ms: number): void {
    this.#retryMs = Math.min(ms, ASKED_MS_MAX);
  }

  /** It could not be connected. @param awayMs How long the server said that it would be away. @returns how often in a row. */
  failed(awayMs: number): number {
    this.#isToWait = true;
    this.#isFruitful = false;
    this.#awayMs = Math.min(awayMs, ASKED_MS_MAX);
    this.#failures += 1;
    return this.#failures;
  }

  #waitMs(): number {
    const least = Math.max(this.#retryMs, this.#isFruitful ? 0 : FRUITLESS_MS_MIN);
    const longer = Math.min(least * 2 ** (this.#failures - 1), this.#retryMsMax);
    const ms = this.#failures === 0 ? least : Math.max(least, longer, this.#awayMs);
    return ms * (1 + JITTER * random());
  }
}
