/** A web of several hosts in the simulator, for tests. */
import { now, sleep } from "arborio";
import type { SimulatedWorld } from "arborio/sim";
import { type Handler, HttpResponse, openServer } from "@arborio/http";

/** A request, as a site has seen it. */
export interface Seen {
  readonly url: string;
  readonly at: number;
}

/** Web sites, and what was asked of them. */
export class Web {
  readonly seen: Seen[] = [];
  /** Of each site: requests at once, at most. */
  readonly most: Map<string, number> = new Map();
  readonly #world: SimulatedWorld;

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  /** Adds a site with these pages, each of which takes some time; a page is HTML, or a response. */
  async site(name: string, pages: Readonly<Record<string, string | Handler>>): Promise<void> {
    let inFlight = 0;
    const handle: Handler = async (request, context) => {
      const { pathname, search } = new URL(request.url);
      this.seen.push({ url: `${name}${pathname}${search}`, at: now() });
      inFlight += 1;
      this.most.set(name, Math.max(this.most.get(name) ?? 0, inFlight));
      try {
        await sleep(200);
        const page = pages[pathname];
        if (page === undefined) return new HttpResponse("", { status: 404 });
        return typeof page === "string" ? html(page) : await page(request, context);
      } finally {
        inFlight -= 1;
      }
    };
    await this.#world.host(name).run(() => openServer(handle, { port: 80, onError: () => {} }));
  }

  /** What was asked for, in alphabetical order, without `robots.txt`. */
  get pages(): string[] {
    return this.seen
      .map(({ url }) => url)
      .filter((url) => !url.endsWith("/robots.txt"))
      .toSorted();
  }
}

export function html(text: string): HttpResponse {
  return new HttpResponse(text, { headers: { "content-type": "text/html; charset=utf-8" } });
}

/** A page with such links. */
export function links(...urls: string[]): string {
  return urls.map((url) => `<p><a class=x href="${url}">a page</a>`).join("\n");
}
