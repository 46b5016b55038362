/** Which signal asked the program to end. `run` acts on signals by itself; this one only remembers, for the exit code. */

import { constants } from "node:os";
import process from "node:process";

const NAMES = ["SIGINT", "SIGTERM"] as const;

export class FirstSignal implements Disposable {
  #name: NodeJS.Signals | undefined;
  readonly #listener: (name: NodeJS.Signals) => void;

  /** @param onSignal called once, at the first one. */
  constructor(onSignal: (name: NodeJS.Signals) => void) {
    this.#listener = (name) => {
      if (this.#name !== undefined) return;
      this.#name = name;
      onSignal(name);
    };
    for (const name of NAMES) process.on(name, this.#listener);
  }

  /** What a shell reports for a program that the signal killed; `undefined` if none came. */
  get exitCode(): number | undefined {
    return this.#name === undefined ? undefined : 128 + constants.signals[this.#name];
  }

  [Symbol.dispose](): void {
    for (const name of NAMES) process.removeListener(name, this.#listener);
  }
}
