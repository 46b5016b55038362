/** Options of middleware that do not exist, or are of another kind: they would be overlooked, or fail the first request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { circuitBreaker } from "./circuit-breaker.ts";
import { digestAuth } from "./digest-auth.ts";
import { createMemoryCacheStore } from "./cache/memory-cache-store.ts";
import { httpCache } from "./http-cache.ts";
import { limitRate } from "./limit-rate.ts";
import { netrcAuth } from "./netrc-auth.ts";
import { publicAddressesOnly } from "./public-addresses-only.ts";
import { retryRequests } from "./retry-requests.ts";

const wrong: readonly (readonly [string, (options: never) => unknown, object])[] = [
  ["retryRequests({ attempts })", retryRequests, { attempts: 3 }],
  ["limitRate({ max })", limitRate, { requestsMax: 1, max: 3 }],
  ["circuitBreaker({ failures })", circuitBreaker, { failures: 3 }],
  ["httpCache({ ttl })", httpCache, { ttl: 3 }],
  ["digestAuth({ username })", digestAuth, { user: "a", password: "b", username: "c" }],
  ["createMemoryCacheStore({ entries })", createMemoryCacheStore, { entries: 1 }],
  ["netrcAuth({ https })", (options: never) => netrcAuth("", options), { https: true }],
  ["publicAddressesOnly({ block })", publicAddressesOnly, { block: [] }],
];

for (const [where, make, options] of wrong) {
  void test(`${where}: there is no such option`, () => {
    const message = `${where}: there is no such option; there are `;
    const isSaid = (error: unknown): boolean => String(error).startsWith(`TypeError: ${message}`);
    assert.throws(() => make(options as never), isSaid);
    assert.throws(() => make(null as never), /got null, needs an object/);
  });
}

const digest = { user: "a", password: "b" };
const kinds: readonly (readonly [make: () => unknown, message: string])[] = [
  [() => retryRequests({ methods: "GET" as never }), '({ methods }): got "GET", needs a list'],
  [() => retryRequests({ methods: ["a b"] }), '({ method }): got "a b", needs a token'],
  [() => retryRequests({ statuses: 503 as never }), "({ statuses }): got 503, needs a list"],
  [
    () => retryRequests({ statuses: ["503"] as never }),
    '({ statuses }): got "503", needs a number',
  ],
  [() => retryRequests({ delayMs: 5 as never }), "({ delayMs }): got 5, needs a function"],
  [() => retryRequests({ mayPass: true as never }), "({ mayPass }): got true, needs a function"],
  [() => retryRequests({ onRetry: null as never }), "({ onRetry }): got null, needs a function"],
  [() => circuitBreaker({ onChange: 1 as never }), "({ onChange }): got 1, needs a function"],
  [() => circuitBreaker({ isFailure: 1 as never }), "({ isFailure }): got 1, needs a function"],
  [() => circuitBreaker({ keyOf: "a" as never }), '({ keyOf }): got "a", needs a function'],
  [() => limitRate({ requestsMax: 1, keyOf: "a" as never }), '({ keyOf }): got "a", needs'],
  [() => httpCache({ onError: 1 as never }), "({ onError }): got 1, needs a function"],
  [() => httpCache({ group: {} as never }), "({ group }): got [object Object], needs a TaskGroup"],
  [() => digestAuth({ ...digest, origins: "http://a" as never }), '({ origins }): got "http://a"'],
  [() => digestAuth({ ...digest, protectBody: "no" as never }), '({ protectBody }): got "no"'],
  [() => netrcAuth(undefined as never), ": got undefined, needs the text of a netrc file"],
  [() => netrcAuth("", { httpsOnly: 1 as never }), "({ httpsOnly }): got 1, needs true or false"],
];

for (const [make, message] of kinds) {
  void test(`middleware: ${message}`, () => {
    const isSaid = (error: unknown): boolean =>
      error instanceof TypeError && error.message.includes(message);
    assert.throws(make, isSaid);
  });
}
