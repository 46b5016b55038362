import { wallNow } from "arborio/lowlevel";

/** So many URLs are remembered; beyond them, responses that were on their way are not kept, and those of users not used. */
const URLS_MAX = 1000;

/** That a URL was changed. */
interface Change {
  /** Counted, not measured. */
  readonly moment: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** What is kept by these from the very same millisecond came after it. */
  readonly renewed: Set<string>;
}

/**
 * When URLs were changed: so that a response that was asked for before the change, and comes after it, is not kept; and that nobody gets what was kept before,
 * whoever made the change (RFC 9111 §4.4). The keys of other users are not known, so what is kept by them is told by its time.
 */
export class Invalidations {
  #moment = 0;
  /** Changed up to then: whatever was forgotten. */
  #forgotten: Pick<Change, "moment" | "at"> = { moment: 0, at: -Infinity };
  readonly #changes: Map<string, Change> = new Map();

  /** The moment that a request begins at. */
  begin(): number {
    return this.#moment;
  }

  /** A URL was changed. */
  add(url: string): void {
    this.#changes.delete(url);
    this.#changes.set(url, { moment: ++this.#moment, at: wallNow(), renewed: new Set() });
    if (this.#changes.size <= URLS_MAX) return;
    for (const [oldest, change] of this.#changes) {
      this.#forgotten = change;
      this.#changes.delete(oldest);
      break;
    }
  }

  /** Whether a URL is what it was when the request began. */
  isUnchanged(url: string, begun: number): boolean {
    return (this.#changes.get(url) ?? this.#forgotten).moment <= begun;
  }

  /** What was asked for then, and began after the last change, is kept. */
  renew(url: string, key: string, requestedAt: number): void {
    const change = this.#changes.get(url);
    if (change?.at === requestedAt) change.renewed.add(key);
  }

  /** Whether what is kept by `key`, and was asked for then, is newer than the last change of its URL. */
  isCurrent(url: string, key: string, isAnonymous: boolean, requestedAt: number): boolean {
    const change = this.#changes.get(url);
    // What is kept for nobody in particular was taken out by each change, whoever made it.
    if (change === undefined) return isAnonymous || requestedAt > this.#forgotten.at;
    return requestedAt > change.at || (requestedAt === change.at && change.renewed.has(key));
  }
}
