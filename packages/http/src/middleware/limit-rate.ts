import { Lock, now, sleepUntil } from "arborio";
import type { ClientRequest } from "../client/client-request.ts";
import type { Middleware } from "../client/middleware.ts";
import { KeyedStates, STATES_MAX } from "./keyed-states.ts";
import { requireAtLeast, requireCount } from "./options.ts";

/** Options of `limitRate`. */
export interface LimitRateOptions {
  /** Requests that may be sent within `perMs`, on average; at least 1. */
  readonly requestsMax: number;
  /** Milliseconds. Default 1,000. */
  readonly perMs?: number;
  /** Requests that may be sent at once after a while without any; at least 1. Default: `requestsMax`. 1 spaces them evenly. */
  readonly burst?: number;
  /** What is counted together: requests that it gives the same text for. Default: the origin. */
  readonly keyOf?: (request: ClientRequest) => string;
}

/** One bucket of tokens, as the moment at which it would be full (the generic cell rate algorithm). */
interface Bucket {
  fullAt: number;
  readonly lock: Lock;
}

/**
 * Middleware that holds requests back until they may be sent: a bucket of tokens for each origin, first come, first served. One that is
 * cancelled while it waits has used nothing. Attempts of `retryRequests` count if this stands behind it, and redirects always do.
 *
 * @throws RangeError for wrong options.
 *
 * @example Two requests in a second, evenly
 * ```ts
 * import { now, run } from "arborio";
 * import { simulator } from "arborio/sim";
 * import { HttpResponse, limitRate, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(
 *   async () => {
 *     await using server = await openServer(() => new HttpResponse("hello"), { port: 0 });
 *     const middleware = [limitRate({ requestsMax: 2, burst: 1 })];
 *     await using client = openHttpClient({ base: server.url, middleware });
 *     const start = now();
 *     for (let count = 0; count < 5; count++) await client.request("/");
 *     console.assert(now() - start >= 2000);
 *   },
 *   { backend: simulator() },
 * );
 * ```
 */
export function limitRate(options: LimitRateOptions): Middleware {
  const { requestsMax, perMs = 1000, burst = requestsMax, keyOf = originOf } = options;
  requireAtLeast("limitRate({ requestsMax })", requestsMax, 1);
  requireAtLeast("limitRate({ perMs })", perMs, 0);
  requireCount("limitRate({ burst })", burst, 1);
  const tokenMs = perMs / requestsMax;
  const buckets = new KeyedStates<Bucket>(
    () => ({ fullAt: -Infinity, lock: new Lock() }),
    STATES_MAX,
    ({ fullAt, lock }) => fullAt <= now() && !lock.statistics().locked,
  );
  return async (request, next) => {
    const bucket = buckets.get(keyOf(request));
    {
      using _turn = await bucket.lock.acquire();
      await sleepUntil(bucket.fullAt - (burst - 1) * tokenMs);
      bucket.fullAt = Math.max(bucket.fullAt, now()) + tokenMs;
    }
    return await next(request);
  };
}

function originOf(request: ClientRequest): string {
  return request.origin;
}
