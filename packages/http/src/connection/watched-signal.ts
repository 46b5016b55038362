/** A signal that is listened to while there is something to abort. Nothing is left of it afterwards. */
export class WatchedSignal {
  readonly #onAbort: (reason: unknown) => void;
  #signal: AbortSignal | null = null;

  constructor(onAbort: (reason: unknown) => void) {
    this.#onAbort = onAbort;
  }

  watch(signal: AbortSignal): void {
    if (signal.aborted) return this.#onAbort(signal.reason);
    this.#signal = signal;
    signal.addEventListener("abort", this.#aborted);
  }

  forget(): void {
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#signal = null;
  }

  readonly #aborted = (): void => this.#onAbort(this.#signal?.reason);
}
