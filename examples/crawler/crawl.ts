/**
 * The heart: a task for each site, and in it as many as may visit its pages at once.
 *
 *     crawl
 *     └─ task group
 *        ├─ "http://a.test"      reads robots.txt, then
 *        │  ├─ visitor           takes pages from the site's queue, one after the other
 *        │  └─ visitor
 *        └─ "http://b.test"
 *           └─ …
 */
import { currentScope, soft, type TaskGroup, taskGroup } from "arborio";
import { wallNow } from "arborio/lowlevel";
import { type ClientResponse, type HttpClient, RequestFailedError } from "@arborio/http";
import { parseRetryAfter } from "@arborio/http/protocol";
import type { Frontier, Outcome, Page } from "./frontier.ts";
import { linksIn } from "./links.ts";
import { fetchRobots, type Robots } from "./robots.ts";
import { Site } from "./site.ts";

/** How to behave. */
export interface CrawlOptions {
  readonly client: HttpClient;
  readonly frontier: Frontier;
  /** By this name `robots.txt` knows the crawler. */
  readonly agent: string;
  /** Requests to one site at once. */
  readonly perSite: number;
  /** Milliseconds from one request to a site to the next, at least. */
  readonly everyMs: number;
  /** Bytes of a page; larger ones are not read to the end. */
  readonly pageBytesMax: number;
}

/**
 * Visits all pages of the frontier, and those that they lead to, until there are none left. Asked to shut down, it begins nothing new and
 * finishes what is under way; what was not visited stays in the frontier.
 */
export async function crawl(options: CrawlOptions): Promise<void> {
  await taskGroup((group) => {
    const crawling = new Crawling(group, options);
    for (const page of options.frontier.left) crawling.add(page);
  });
}

class Crawling {
  readonly #group: TaskGroup;
  readonly #options: CrawlOptions;
  readonly #sites: Map<string, Site> = new Map();
  /** Pages that were added and not visited yet: when there are none, no page can be found any more. */
  #pending = 0;

  constructor(group: TaskGroup, options: CrawlOptions) {
    this.#group = group;
    this.#options = options;
  }

  add(page: Page): void {
    this.#pending += 1;
    this.#siteOf(page).add(page);
  }

  #siteOf({ url }: Page): Site {
    const { origin } = new URL(url);
    const known = this.#sites.get(origin);
    if (known !== undefined) return known;
    const site = new Site(origin, this.#options.everyMs);
    this.#sites.set(origin, site);
    this.#group.startSoon(() => this.#crawlSite(site), { name: origin });
    return site;
  }

  async #crawlSite(site: Site): Promise<void> {
    if (currentScope().shuttingDown) return;
    await site.turn();
    const { client, agent, perSite } = this.#options;
    const robots = await fetchRobots(client, site.origin, agent);
    await taskGroup((visitors) => {
      for (let count = 0; count < perSite; count++)
        visitors.startSoon(() => this.#visitAll(site, robots), { name: "visitor" });
    });
  }

  async #visitAll(site: Site, robots: Robots | undefined): Promise<void> {
    for (;;) {
      // Soft: a shutdown ends the waiting, but not a visit.
      const page = await soft(() => site.next());
      if (page === undefined || currentScope().shuttingDown) return;
      const outcome = await this.#visit(page, site, robots);
      this.#options.frontier.settle(page, outcome);
      this.#pending -= 1;
      if (this.#pending === 0) for (const other of this.#sites.values()) other.close();
    }
  }

  async #visit(page: Page, site: Site, robots: Robots | undefined): Promise<Outcome> {
    const { client, pageBytesMax } = this.#options;
    if (robots === undefined) return { failed: "robots.txt cannot be had" };
    const { pathname, search } = new URL(page.url);
    if (!robots.allows(pathname + search)) return { skipped: "robots.txt" };
    try {
      // A redirect is a link like others: it may lead to another site, with rules and limits of its own.
      const options = { redirect: "manual", bodyBytesMax: pageBytesMax } as const;
      using response = await client.fetch(page.url, options);
      return await this.#read(page, site, response);
    } catch (error) {
      if (!(error instanceof RequestFailedError)) throw error;
      // It would be so the next time, too.
      return error.reason === "too-large" ? { skipped: "too large" } : { failed: error.reason };
    }
  }

  /** Reads a page and adds what it leads to. What is no HTML is not read: leaving the response closes it. */
  async #read({ url, depth }: Page, site: Site, response: ClientResponse): Promise<Outcome> {
    const { status, headers } = response;
    if (status === 429 || status >= 500) {
      site.pause(parseRetryAfter(headers.get("retry-after") ?? "", wallNow()) ?? 0);
      return { failed: `status ${status}` };
    }
    const location = headers.get("location");
    if (status >= 300 && status < 400 && location !== null && URL.canParse(location, url)) {
      this.#addLinks([new URL(location, url).href], depth);
      return { status, bytes: 0, links: 1 };
    }
    const isHtml = /^text\/html\b/i.test(headers.get("content-type") ?? "");
    if (!response.ok || !isHtml) return { status, bytes: 0, links: 0 };
    const links = linksIn(await response.text(), url);
    this.#addLinks(links, depth + 1);
    return { status, bytes: response.bytesReceived, links: links.length };
  }

  #addLinks(urls: readonly string[], depth: number): void {
    for (const url of urls) {
      const page = this.#options.frontier.add(url, depth);
      if (page !== undefined) this.add(page);
    }
  }
}
