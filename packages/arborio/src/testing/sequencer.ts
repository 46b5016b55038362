import { requireCount, requireFunction } from "../core/arguments.ts";
import { BrokenResourceError, InvalidStateError } from "../core/errors.ts";
import { suspend, type Wakeable } from "../core/lowlevel.ts";

/**
 * Makes steps of different tasks run in the order of their numbers, 0 first. For tests that need one certain interleaving.
 * If a step fails or is cancelled, all later ones fail with `BrokenResourceError` instead of hanging.
 * Counterpart: `trio.testing.Sequencer`.
 *
 * @example Two tasks in a fixed order
 * ```ts
 * import { run } from "arborio";
 * import { Sequencer } from "arborio/testing";
 *
 * await run(async (group) => {
 *   const sequencer = new Sequencer();
 *   const order: string[] = [];
 *   group.startSoon(() => sequencer.step(1, () => order.push("second")));
 *   group.startSoon(() => sequencer.step(0, () => order.push("first")));
 * });
 * ```
 */
export class Sequencer {
  readonly #taken: Set<number> = new Set();
  readonly #waiting: Map<number, Wakeable<void>> = new Map();
  #next = 0;
  #broken = false;

  /**
   * Waits until step `number` − 1 has ended, then runs `fn`.
   *
   * @throws InvalidStateError if the number was used before.
   * @throws BrokenResourceError if an earlier step failed or was cancelled.
   */
  async step<T>(number: number, fn: () => T | PromiseLike<T>): Promise<T> {
    requireCount("sequencer.step", number, 0, false);
    requireFunction("sequencer.step", fn);
    if (this.#taken.has(number))
      throw new InvalidStateError(
        `sequencer.step: step ${number} was used before; each number is for one step`,
      );
    this.#taken.add(number);
    let done = false;
    try {
      if (this.#broken) throw brokenError();
      if (number !== this.#next) await this.#turnOf(number);
      const value = await fn();
      done = true;
      return value;
    } finally {
      if (done) this.#advance();
      else this.#break();
    }
  }

  #turnOf(number: number): Promise<void> {
    return suspend<void>({ kind: "sequencer.step", resource: this }, (waiter) => {
      this.#waiting.set(number, waiter);
      return () => {
        this.#waiting.delete(number);
      };
    });
  }

  #advance(): void {
    this.#next += 1;
    const next = this.#waiting.get(this.#next);
    this.#waiting.delete(this.#next);
    next?.wake();
  }

  #break(): void {
    this.#broken = true;
    for (const waiter of this.#waiting.values()) waiter.fail(brokenError());
    this.#waiting.clear();
  }
}

function brokenError(): BrokenResourceError {
  return new BrokenResourceError(
    "sequencer.step: an earlier step failed or was cancelled, so the order cannot be kept",
  );
}
