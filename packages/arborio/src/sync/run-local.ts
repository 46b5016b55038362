import { ambientScope } from "../core/ambient.ts";
import { requireFunction } from "../core/arguments.ts";

/**
 * A variable that each run has for itself: pools, caches and counters that would be module globals, were it not for runs
 * side by side and for the simulator, whose seeds need every run to begin alike. Outside runs, the host has one.
 * Counterpart: `anyio.lowlevel.RunVar`.
 *
 * @example A counter for each run
 * ```ts
 * import { run } from "arborio";
 * import { RunLocal } from "arborio/lowlevel";
 *
 * const requests = new RunLocal(() => 0);
 * await run(() => requests.set(requests.get() + 1));
 * await run(() => console.assert(requests.get() === 0));
 * ```
 */
export class RunLocal<T> {
  readonly #create: () => T;

  /**
   * Makes a variable.
   *
   * @param create makes the value a run begins with, when it first asks for it.
   */
  constructor(create: () => T) {
    requireFunction("new RunLocal", create);
    this.#create = create;
  }

  /** The value of this run. Synchronous; works from any context. */
  get(): T {
    const { locals } = ambientScope().runState;
    if (locals.has(this)) return locals.get(this) as T;
    const value = this.#create();
    locals.set(this, value);
    return value;
  }

  /** Sets the value of this run. Synchronous; works from any context. */
  set(value: T): void {
    ambientScope().runState.locals.set(this, value);
  }
}
