import type { Signals } from "../platform/signals.ts";
import { describeValue } from "../core/arguments.ts";
import type { VirtualClock } from "./clock.ts";

/** The signals of Linux that programs handle, with their numbers. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGQUIT", 3],
  ["SIGUSR1", 10],
  ["SIGUSR2", 12],
  ["SIGPIPE", 13],
  ["SIGALRM", 14],
  ["SIGTERM", 15],
  ["SIGCHLD", 17],
  ["SIGCONT", 18],
  ["SIGTSTP", 20],
  ["SIGWINCH", 28],
]);

/** No program can handle these. */
const KILL: ReadonlyMap<string, number> = new Map([
  ["SIGKILL", 9],
  ["SIGSTOP", 19],
]);

/** Signals to a simulated host. */
export class HostSignals implements Signals {
  readonly #clock: VirtualClock;
  readonly #unheard: (name: string) => void;
  readonly #listeners: Set<{ names: ReadonlySet<string>; received: (name: string) => void }> =
    new Set();

  /** @param unheard is told of signals that nobody listens for. */
  constructor(clock: VirtualClock, unheard: (name: string) => void) {
    this.#clock = clock;
    this.#unheard = unheard;
  }

  listen(names: readonly string[], received: (name: string) => void): () => void {
    for (const name of names)
      if (!NUMBERS.has(name))
        throw new RangeError(`no program can handle ${describeValue(name)} here`);
    const listener = { names: new Set(names), received };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @throws RangeError if there is no such signal, or no program can handle it. */
  raise(name: string): void {
    if (!NUMBERS.has(name)) {
      throw new RangeError(
        `signal: got ${describeValue(name)}, needs one that programs can handle, such as "SIGTERM"`,
      );
    }
    this.#clock.after(1, () => {
      const listeners = [...this.#listeners].filter(({ names }) => names.has(name));
      for (const { received } of listeners) received(name);
      if (listeners.length === 0) this.#unheard(name);
    });
  }

  numberOf(name: string): number {
    return NUMBERS.get(name) ?? KILL.get(name) ?? 0;
  }
}
