/**
 * Which download goes next. Decided in one place, synchronously: the first in order whose host has room, so that a slow host holds up
 * nobody but itself.
 */
export class DownloadQueue<Item> {
  readonly #waiting: { readonly item: Item; readonly host: string }[];
  readonly #running: Map<string, number> = new Map();
  readonly #max: number;
  readonly #perHost: number;
  #total = 0;

  constructor(
    items: readonly Item[],
    options: {
      readonly hostOf: (item: Item) => string;
      /** Downloads at a time. */
      readonly concurrency: number;
      /** Of them, from one host. */
      readonly limitPerHost: number;
    },
  ) {
    this.#waiting = items.map((item) => ({ item, host: options.hostOf(item) }));
    this.#max = options.concurrency;
    this.#perHost = options.limitPerHost;
  }

  /**
   * Takes the next download that may begin now.
   *
   * @returns the download, and what to call when it is over; `undefined` if none may begin.
   */
  take(): { readonly item: Item; readonly release: () => void } | undefined {
    if (this.#total >= this.#max) return undefined;
    const index = this.#waiting.findIndex(({ host }) => this.#countOf(host) < this.#perHost);
    const [next] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (next === undefined) return undefined;
    const { item, host } = next;
    this.#total += 1;
    this.#running.set(host, this.#countOf(host) + 1);
    let isOver = false;
    return {
      item,
      release: () => {
        if (isOver) return;
        isOver = true;
        this.#total -= 1;
        this.#running.set(host, this.#countOf(host) - 1);
      },
    };
  }

  #countOf(host: string): number {
    return this.#running.get(host) ?? 0;
  }
}
