/** Options of middleware that do not exist: they would be overlooked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { circuitBreaker } from "./circuit-breaker.ts";
import { digestAuth } from "./digest-auth.ts";
import { httpCache } from "./http-cache.ts";
import { limitRate } from "./limit-rate.ts";
import { publicAddressesOnly } from "./public-addresses-only.ts";
import { retryRequests } from "./retry-requests.ts";

const wrong: readonly (readonly [string, (options: never) => unknown, object])[] = [
  ["retryRequests({ attempts })", retryRequests, { attempts: 3 }],
  ["limitRate({ max })", limitRate, { requestsMax: 1, max: 3 }],
  ["circuitBreaker({ failures })", circuitBreaker, { failures: 3 }],
  ["httpCache({ ttl })", httpCache, { ttl: 3 }],
  ["digestAuth({ username })", digestAuth, { user: "a", password: "b", username: "c" }],
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
