import { ClientResponse } from "../../client/client-response.ts";
import type { FieldList } from "../../protocol/message.ts";

/**
 * What a cache did for a response. `"hit"`: it had it. `"stale"`: it had it, no longer fresh, and gave it all the same. `"revalidated"`: it
 * had it, and the server said that it still holds. `"collapsed"`: another request, on its way already, got it. `"miss"`: it had none that could be used.
 * `"bypassed"`: the request was none for a cache.
 */
export type CacheOutcome = "hit" | "stale" | "revalidated" | "collapsed" | "miss" | "bypassed";

/** What `Cache-Status` (RFC 9211) says of each. */
const MEMBERS: Readonly<Record<CacheOutcome, string>> = {
  hit: "hit",
  stale: "hit; detail=stale",
  revalidated: "fwd=stale; fwd-status=304",
  collapsed: "fwd=uri-miss; collapsed",
  miss: "fwd=uri-miss",
  bypassed: "fwd=bypass",
};

/** As caches on the way call themselves something else, and come before. */
const NAME = "arborio";

/** The fields with what this cache did at the end. */
export function withOutcome(fields: FieldList, outcome: CacheOutcome): FieldList {
  return [...fields, "cache-status", `${NAME}; ${MEMBERS[outcome]}`];
}

/** The response with the outcome among its fields. One whose body somebody has read stays as it is. */
export function marked(response: ClientResponse, outcome: CacheOutcome): ClientResponse {
  if (response.bodyUsed) return response;
  const { source } = response;
  const { head, upgraded } = source;
  if (upgraded !== undefined) return response;
  return new ClientResponse({
    ...source,
    head: { ...head, fields: withOutcome(head.fields, outcome) },
  });
}

/**
 * What the `httpCache` that a response of `client.fetch` or `client.request` came through did for it; `null` if it came through none. The same is
 * among its headers, as `Cache-Status` (RFC 9211).
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { cacheOutcome, httpCache, HttpResponse, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   const headers = { "cache-control": "max-age=60" };
 *   await using server = await openServer(() => new HttpResponse("hello", { headers }), { port: 0 });
 *   await using client = openHttpClient({ base: server.url, middleware: [httpCache()] });
 *   console.assert(cacheOutcome(await client.request("/")) === "miss");
 *   console.assert(cacheOutcome(await client.request("/")) === "hit");
 * });
 * ```
 */
export function cacheOutcome({ fields }: { readonly fields: FieldList }): CacheOutcome | null {
  const last = fields.findLastIndex(
    (name, index) => index % 2 === 0 && name.toLowerCase() === "cache-status",
  );
  if (last < 0) return null;
  const member = fields[last + 1] as string;
  for (const [outcome, text] of Object.entries(MEMBERS))
    if (member === `${NAME}; ${text}`) return outcome as CacheOutcome;
  // Neither had nor asked for: only-if-cached.
  return member.startsWith(`${NAME};`) ? "miss" : null;
}
