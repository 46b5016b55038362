/** So many URLs are remembered; beyond them, responses that were on their way are not kept. */
const URLS_MAX = 1000;

/**
 * When URLs were changed, so that a response that was asked for before the change, and comes after it, is not kept. Moments are counted, not
 * measured.
 */
export class Invalidations {
  #moment = 0;
  /** Changed up to then: whatever was forgotten. */
  #forgotten = 0;
  readonly #moments: Map<string, number> = new Map();

  /** The moment that a request begins at. */
  begin(): number {
    return this.#moment;
  }

  /** A URL was changed. */
  add(url: string): void {
    this.#moments.delete(url);
    this.#moments.set(url, ++this.#moment);
    if (this.#moments.size <= URLS_MAX) return;
    for (const [oldest, moment] of this.#moments) {
      this.#forgotten = moment;
      this.#moments.delete(oldest);
      break;
    }
  }

  /** Whether a URL is what it was when the request began. */
  isUnchanged(url: string, begun: number): boolean {
    return (this.#moments.get(url) ?? this.#forgotten) <= begun;
  }
}
