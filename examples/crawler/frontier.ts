import { absolute } from "./links.ts";

/** A page to visit. */
export interface Page {
  readonly url: string;
  /** Links from where the crawl began. */
  readonly depth: number;
}

/** How a visit came out. */
export type Outcome =
  | { readonly status: number; readonly bytes: number; readonly links: number }
  | { readonly skipped: string }
  /** It will be visited again when the crawl goes on. */
  | { readonly failed: string };

/** One line of the journal: a page was found, or visited. */
export type JournalEntry = { readonly found: string; readonly depth: number } | VisitedEntry;
export type VisitedEntry = { readonly visited: string } & Outcome;

/** What keeps the state of a crawl, line by line: so it can be stopped at any time, and go on. */
export type Journal = (entry: JournalEntry) => void;

/** How far a crawl goes. */
export interface FrontierLimits {
  readonly depthMax: number;
  readonly pagesMax: number;
}

/** All pages that a crawl knows of, and which of them it has visited. */
export class Frontier {
  readonly #limits: FrontierLimits;
  readonly #journal: Journal;
  /** Hosts on which it began; those below them belong to it. */
  readonly #hosts: ReadonlySet<string>;
  readonly #pages: Map<string, Page> = new Map();
  readonly #visited: Set<string> = new Set();

  /** @param entries of the journal, if the crawl goes on. */
  constructor(
    seeds: readonly string[],
    limits: FrontierLimits,
    journal: Journal,
    entries: Iterable<JournalEntry> = [],
  ) {
    this.#limits = limits;
    this.#journal = journal;
    this.#hosts = new Set(seeds.map((url) => new URL(url).hostname));
    for (const entry of entries) {
      if ("found" in entry) this.#pages.set(entry.found, { url: entry.found, depth: entry.depth });
      else if (!("failed" in entry)) this.#visited.add(entry.visited);
    }
    for (const seed of seeds) this.add(seed, 0);
  }

  /** Pages that are left to visit. */
  get left(): readonly Page[] {
    return [...this.#pages.values()].filter(({ url }) => !this.#visited.has(url));
  }

  get visitedCount(): number {
    return this.#visited.size;
  }

  /** Gives the page if it is new, and to be visited. */
  add(url: string, depth: number): Page | undefined {
    const { depthMax, pagesMax } = this.#limits;
    const known = absolute(url);
    if (known === undefined || this.#pages.has(known) || !this.#isHere(known)) return undefined;
    if (depth > depthMax || this.#pages.size >= pagesMax) return undefined;
    const page = { url: known, depth };
    this.#pages.set(known, page);
    this.#journal({ found: known, depth });
    return page;
  }

  /** A page was visited. */
  settle({ url }: Page, outcome: Outcome): void {
    if (!("failed" in outcome)) this.#visited.add(url);
    this.#journal({ visited: url, ...outcome });
  }

  #isHere(url: string): boolean {
    const { hostname } = new URL(url);
    return [...this.#hosts].some((host) => hostname === host || hostname.endsWith(`.${host}`));
  }
}
