import type { TaskGroup } from "arborio";
import type { Middleware } from "../client/middleware.ts";
import { Caching } from "./cache/caching.ts";
import type { CacheOutcome } from "./cache/cache-outcome.ts";
import type { CacheStore } from "./cache/cache-store.ts";
import { createMemoryCacheStore } from "./cache/memory-cache-store.ts";
import { describe, requireCount, requireFunction, requireKnown } from "../client/require-option.ts";

/** Options of `httpCache`. */
export interface HttpCacheOptions {
  /** Where responses are kept. Default: a memory store of its own, with its defaults. */
  readonly store?: CacheStore;
  /** Bytes of a body at most; larger ones pass through. Default 5,242,880 (5 MiB). */
  readonly entryBytesMax?: number;
  /**
   * Where responses are asked for again in the background that may be used meanwhile (`stale-while-revalidate`, RFC 5861 §3). What such a request makes fail
   * is told `onError`. Default: nowhere; then who asks waits.
   */
  readonly group?: TaskGroup | null;
  /** Is told of errors that fail no request: of the store, and of middleware in the background. Default: a warning of the first. */
  readonly onError?: (error: unknown) => void;
}

/** How often a cache did what, by outcome. */
export type HttpCacheStatistics = Readonly<Record<CacheOutcome, number>>;

/** Middleware that knows what it has done. */
export interface HttpCache extends Middleware {
  /** A frozen snapshot. */
  statistics(): HttpCacheStatistics;
}

const ENTRY_BYTES_MAX = 5_242_880;

const NAMES: Readonly<Record<keyof HttpCacheOptions, true>> = {
  store: true,
  entryBytesMax: true,
  group: true,
  onError: true,
};

/**
 * Middleware that keeps responses and answers from them, as the cache of one user (RFC 9111; not shared, so that `private` is kept): as long as the server
 * says that they are fresh; after that it asks whether they still hold, by `ETag` and `Last-Modified`. `Vary`, `Age`, `no-store`, `no-cache`, `must-revalidate`,
 * `immutable`, `stale-if-error`, `stale-while-revalidate` (with `group`) and the directives of requests are followed, `only-if-cached` and
 * `fetch({ cache: "no-store" | "reload" | "no-cache" })` too. `cacheOutcome(response)` tells what it did.
 *
 * - A response to GET is kept when its body was read to its end, not before, and only if it is whole. One with codings that were not undone, a partial
 *   one (206) and one whose end is that of the connection are not kept. HEAD is answered from what is kept for GET.
 * - Requests with `Range` or a condition of their own, with a body, or with `tls`, `fingerprints`, `proxy`, `socketPath` or `localHost` of their own pass by.
 * - Who asks with another `Authorization`, `Cookie` or `Host`, or with `credentials: "omit"`, gets no response of others. What a cookie jar adds,
 *   or middleware behind this, is not seen here: use one cache for one jar, as a browser does. Responses that vary by it are not kept. `Set-Cookie` is not kept.
 * - Equal requests at the same time become one. If that is cancelled, the next one goes on in its place, first come, first served; if it fails, all
 *   do. If there is nothing in it for the others, they ask for themselves, all at once.
 * - Other methods than the safe ones forget what is kept for their URL, and for `Location` and `Content-Location`, whomever it is kept for; what is on its way
 *   is not kept then.
 *
 * Redirects pass it one by one. Place it before `retryRequests` and `limitRate`, so that what is kept costs nothing there.
 *
 * @throws TypeError, RangeError for wrong options.
 *
 * Source: RFC 9111, RFC 5861, RFC 8246, RFC 9211. Counterpart: none in aiohttp; `requests-cache`, `hishel`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { httpCache, HttpResponse, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   let asked = 0;
 *   const headers = { "cache-control": "max-age=60" };
 *   await using server = await openServer(() => new HttpResponse(`${++asked}`, { headers }), { port: 0 });
 *   await using client = openHttpClient({ base: server.url, middleware: [httpCache()] });
 *   for (let count = 0; count < 3; count++)
 *     console.assert((await client.request("/")).text() === "1");
 * });
 * ```
 */
export function httpCache(options: HttpCacheOptions = {}): HttpCache {
  requireKnown("httpCache", options, NAMES);
  const { store = createMemoryCacheStore(), entryBytesMax = ENTRY_BYTES_MAX } = options;
  const { group = null, onError = warnOnce() } = options;
  requireCount("httpCache({ entryBytesMax })", entryBytesMax, 0);
  requireFunction("httpCache({ onError })", onError);
  if (group !== null && typeof group.startSoon !== "function")
    throw new TypeError(`httpCache({ group }): got ${describe(group)}, needs a TaskGroup, or null`);
  for (const name of ["get", "set", "delete"] as const) {
    if (typeof store?.[name] !== "function")
      throw new TypeError(`httpCache({ store }): got one without ${name}(), needs a CacheStore`);
  }
  const caching = new Caching({ store, entryBytesMax, group, onError });
  const middleware: Middleware = (request, next) => caching.handle(request, next);
  return Object.assign(middleware, { statistics: () => caching.statistics() });
}

function warnOnce(): (error: unknown) => void {
  let isWarned = false;
  return (error) => {
    if (isWarned) return;
    isWarned = true;
    console.warn("httpCache: requests go on without it; further errors are not shown:", error);
  };
}
