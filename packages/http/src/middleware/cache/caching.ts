import type { TaskGroup } from "arborio";
import type { ClientRequest } from "../../client/client-request.ts";
import type { ClientResponse } from "../../client/client-response.ts";
import type { Next } from "../../client/middleware.ts";
import { RequestFailedError } from "../../connection/request-failed-error.ts";
import { firstField } from "../../web/field-names.ts";
import type { Directives } from "./cache-control.ts";
import { cacheKey, flightKey, isCacheable } from "./cache-key.ts";
import { type CacheOutcome, marked } from "./cache-outcome.ts";
import { CachePolicy, requestDirectives } from "./cache-policy.ts";
import type { CachedResponse, CacheStore } from "./cache-store.ts";
import { notCached, responseOf } from "./cached-response.ts";
import { Flight } from "./flight.ts";
import { type Asking, Forwarding, type Landed } from "./forwarding.ts";
import { Refreshing } from "./refreshing.ts";
import { ResponseCache } from "./response-cache.ts";

/** How often a cache did what. */
type CacheCounts = Readonly<Record<CacheOutcome, number>>;

/** What a cache is made of. */
export interface CachingOptions {
  readonly store: CacheStore;
  readonly entryBytesMax: number;
  readonly group: TaskGroup | null;
  readonly onError: (error: unknown) => void;
}

/** Methods that change nothing (RFC 9110 §9.2.1; QUERY: draft-ietf-httpbis-safe-method-w-body). Unknown ones may. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);

interface OnItsWay {
  readonly url: string;
  readonly flight: Flight<Landed>;
}

/** Decides for each request whether it is answered from what is kept, joins another, or is sent. */
export class Caching {
  readonly #cache: ResponseCache;
  readonly #forwarding: Forwarding;
  readonly #refreshing: Refreshing;
  /** Requests that others may join, by what they have in common. */
  readonly #onTheirWay: Map<string, OnItsWay> = new Map();
  readonly #counts: Record<CacheOutcome, number> = {
    hit: 0,
    stale: 0,
    revalidated: 0,
    collapsed: 0,
    miss: 0,
    bypassed: 0,
  };

  constructor({ store, entryBytesMax, group, onError }: CachingOptions) {
    this.#cache = new ResponseCache(store, onError);
    this.#forwarding = new Forwarding(this.#cache, entryBytesMax);
    this.#refreshing = new Refreshing(this.#forwarding, group, entryBytesMax, onError);
  }

  async handle(request: ClientRequest, next: Next): Promise<ClientResponse> {
    const { response, outcome } = await this.#handled(request, next);
    this.#counts[outcome] += 1;
    return response;
  }

  statistics(): CacheCounts {
    return Object.freeze({ ...this.#counts });
  }

  async #handled(request: ClientRequest, next: Next): Promise<Answer> {
    const { method } = request;
    if (!SAFE.has(method)) return answer(await this.#change(request, next), "bypassed");
    const asked = requestDirectives(request.fields);
    if ((method !== "GET" && method !== "HEAD") || !isCacheable(request, asked)) {
      if (asked.has("only-if-cached")) return answer(notCached(request), "miss");
      return answer(marked(await next(request), "bypassed"), "bypassed");
    }
    const asking = { request, next, asked, key: cacheKey(request) };
    const found = await this.#find(asking);
    const use = found === null ? "after-asking" : new CachePolicy(found).useFor(asked);
    if (found !== null && use === "now") return this.#kept(found, request);
    if (found !== null && use === "meanwhile" && this.#refreshing.start(asking, found))
      return this.#kept(found, request);
    if (asked.has("only-if-cached")) return answer(notCached(request), "miss");
    if (method === "HEAD") return answer(await this.#head(asking, found), "miss");
    return await this.#join(asking, found);
  }

  /** What is kept, unless it is to be got anew, or is larger than is wanted. */
  async #find({ request, key }: Asking): Promise<CachedResponse | null> {
    const { cache, bodyBytesMax = Infinity } = request.options;
    if (cache === "reload") return null;
    const found = await this.#cache.find(key, request);
    return found === null || found.bytes.length > bodyBytesMax ? null : found;
  }

  #kept(found: CachedResponse, request: ClientRequest): Answer {
    const outcome = new CachePolicy(found).freshSeconds > 0 ? "hit" : "stale";
    return answer(responseOf(found, request, outcome), outcome);
  }

  /** Sends it, or waits for an equal one that is on its way. */
  async #join(asking: Asking, found: CachedResponse | null): Promise<Answer> {
    const { request, asked } = asking;
    const key = wantsOwn(asked) ? null : flightKey(asking.key, request);
    if (key === null) return await this.#forwarding.forward(asking, found, null);
    const other = this.#onTheirWay.get(key);
    if (other === undefined)
      return await this.#forwarding.forward(asking, found, this.#open(key, request.url));
    const landing = await other.flight.follow();
    if (landing.kind === "failed") throw landing.error;
    if (landing.kind === "lead")
      return await this.#forwarding.forward(asking, found, landing.flight);
    if (landing.kind === "landed") {
      const { response, isReplacement } = landing.value;
      if (isReplacement || new CachePolicy(response).useFor(asked) !== "after-asking")
        return answer(responseOf(response, request, "collapsed"), "collapsed");
    }
    return await this.#forwarding.forward(asking, found, null);
  }

  #open(key: string, url: string): Flight<Landed> {
    const flight = new Flight<Landed>(() => {
      if (this.#onTheirWay.get(key)?.flight === flight) this.#onTheirWay.delete(key);
    });
    this.#onTheirWay.set(key, { url, flight });
    return flight;
  }

  /** Passes on; what is kept is forgotten if the answer tells that it is no longer so: RFC 9111 §4.3.5. */
  async #head(
    { request, next, key }: Asking,
    found: CachedResponse | null,
  ): Promise<ClientResponse> {
    const response = await next(request);
    try {
      const isOther = (name: string): boolean => {
        const now = firstField(response.fields, name);
        return now !== null && now !== firstField(found?.fields ?? [], name);
      };
      if (
        found !== null &&
        response.status === 200 &&
        (isOther("etag") || isOther("last-modified"))
      )
        await this.#cache.forget(key);
      return marked(response, "miss");
    } catch (error) {
      response.close();
      throw error;
    }
  }

  /** Sends what may change something. */
  async #change(request: ClientRequest, next: Next): Promise<ClientResponse> {
    let response: ClientResponse;
    try {
      response = await next(request);
    } catch (error) {
      // Nobody knows whether it was done.
      if (error instanceof RequestFailedError && !error.isLocal)
        await this.#invalidate(request, [request.url]);
      throw error;
    }
    try {
      if (response.status < 400) {
        const places = ["location", "content-location"].map((name) =>
          firstField(response.fields, name),
        );
        await this.#invalidate(request, [request.url, ...places]);
      }
      return marked(response, "bypassed");
    } catch (error) {
      response.close();
      throw error;
    }
  }

  async #invalidate(request: ClientRequest, places: readonly (string | null)[]): Promise<void> {
    for (const place of places) {
      if (place === null || !URL.canParse(place, request.url)) continue;
      const url = new URL(place, request.url);
      url.hash = url.username = url.password = "";
      // Of another origin it may say nothing: RFC 9111 §4.4.
      if (url.origin !== request.origin) continue;
      for (const [key, other] of this.#onTheirWay)
        if (other.url === url.href) this.#onTheirWay.delete(key);
      await this.#cache.invalidate(request, url.href);
    }
  }
}

/** A response with what was done for it. */
export interface Answer {
  readonly response: ClientResponse;
  readonly outcome: CacheOutcome;
}

function answer(response: ClientResponse, outcome: CacheOutcome): Answer {
  return { response, outcome };
}

/** Whether it is to be asked for after now, so that what is on its way does not do. */
function wantsOwn(asked: Directives): boolean {
  return asked.has("no-cache") || asked.get("max-age") === 0;
}
