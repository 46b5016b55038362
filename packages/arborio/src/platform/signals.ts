/** Signals of the system to this process. */
export interface Signals {
  /**
   * Calls `received` each time one of these signals comes, instead of the host's default, until the returned function is called.
   * Does not keep the process alive.
   *
   * @throws RangeError if there is no such signal here, or no program can handle it.
   */
  listen(names: readonly string[], received: (name: string) => void): () => void;
  /** Sends a signal to this process, as if it came from outside. */
  raise(name: string): void;
  /** The number of a signal, for the exit code 128 + n; 0 if there is none of this name. */
  numberOf(name: string): number;
}
