import { Lock, now, sleepUntil } from "arborio";
import type { ClientRequest } from "../client/client-request.ts";
import type { Middleware } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { KeyedStates, STATES_MAX } from "./keyed-states.ts";
import {
  requireNumber,
  requireCount,
  requireFinite,
  requireFunction,
  requireKnown,
} from "../client/require-option.ts";
import { retryAfterMs } from "../client/retry-after-ms.ts";

/** Options of `limitRate`. */
export interface LimitRateOptions {
  /** Requests that may be sent within `perMs`, on average; at least 1. */
  readonly requestsMax: number;
  /** Milliseconds. Default 1,000. */
  readonly perMs?: number;
  /** Requests that may be sent at once after a while without any; at least 1. Default: `requestsMax`, rounded down. 1 spaces them evenly. */
  readonly burst?: number;
  /**
   * Milliseconds that a request waits at most: one that would wait longer fails with the reason `"refused"`; at once, unless that comes of what the server has
   * asked for while it waited. Default `Infinity`.
   */
  readonly waitMs?: number;
  /**
   * Milliseconds at most that all requests are held back when the server says so: a 429 or 503 with `Retry-After` (RFC 6585 §4). 0: never. Default 60,000.
   */
  readonly retryAfterMsMax?: number;
  /** What is counted together: requests that it gives the same text for. Default: the origin. */
  readonly keyOf?: (request: ClientRequest) => string;
}

/** One bucket of tokens, as the moment at which it would be full (the generic cell rate algorithm). */
interface Bucket {
  fullAt: number;
  /** Until when the server wants to be left alone. */
  pausedUntil: number;
  readonly lock: Lock;
}

const RETRY_AFTER_MS_MAX = 60_000;

/** Statuses with which servers ask for less: RFC 6585 §4, RFC 9110 §15.6.4. */
const TOO_MUCH: ReadonlySet<number> = new Set([429, 503]);

const NAMES: Readonly<Record<keyof LimitRateOptions, true>> = {
  requestsMax: true,
  perMs: true,
  burst: true,
  waitMs: true,
  retryAfterMsMax: true,
  keyOf: true,
};

/**
 * Middleware that holds requests back until they may be sent: a bucket of tokens for each origin, first come, first served. One that is
 * cancelled while it waits has used nothing. A 429 or 503 with `Retry-After` holds back all that come after it. Attempts of `retryRequests` count if this stands behind it, and redirects always do.
 *
 * @throws TypeError, RangeError for wrong options.
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
  requireKnown("limitRate", options, NAMES);
  const { requestsMax, perMs = 1000, burst = Math.floor(requestsMax), keyOf = originOf } = options;
  const { waitMs = Infinity, retryAfterMsMax = RETRY_AFTER_MS_MAX } = options;
  requireFinite("limitRate({ requestsMax })", requestsMax, 1);
  requireFinite("limitRate({ perMs })", perMs, 0);
  requireFinite("limitRate({ burst })", burst, 1);
  requireCount("limitRate({ burst })", burst, 1);
  requireNumber("limitRate({ waitMs })", waitMs, 0);
  requireNumber("limitRate({ retryAfterMsMax })", retryAfterMsMax, 0);
  requireFunction("limitRate({ keyOf })", keyOf);
  const tokenMs = perMs / requestsMax;
  const buckets = new KeyedStates<Bucket>(
    () => ({ fullAt: -Infinity, pausedUntil: -Infinity, lock: new Lock() }),
    STATES_MAX,
    ({ fullAt, pausedUntil, lock }) =>
      Math.max(fullAt, pausedUntil) <= now() && !lock.statistics().locked,
  );
  const freeAt = ({ fullAt, pausedUntil }: Bucket): number =>
    Math.max(fullAt - (burst - 1) * tokenMs, pausedUntil);
  const wouldWaitMs = (bucket: Bucket): number => {
    const { locked, tasksWaiting } = bucket.lock.statistics();
    const before = locked ? 1 + tasksWaiting : 0;
    const from = Math.max(bucket.pausedUntil, now());
    // After a pause there is a token for each, one after the other.
    const tokenAt = Math.max(bucket.fullAt, from) + (before - burst + 1) * tokenMs;
    return Math.max(tokenAt, from) - now();
  };
  return async (request, next) => {
    const bucket = buckets.get(keyOf(request));
    if (wouldWaitMs(bucket) > waitMs) throw refused(request, waitMs);
    const until = now() + waitMs;
    const { pausedUntil } = bucket;
    {
      using _turn = await bucket.lock.acquire();
      // While one waits, a response may say that it has to wait longer.
      for (let at = freeAt(bucket); at > now(); at = freeAt(bucket)) {
        // That timers are late is no reason to give up.
        if (at > until && bucket.pausedUntil !== pausedUntil) throw refused(request, waitMs);
        await sleepUntil(at);
      }
      bucket.fullAt = Math.max(bucket.fullAt, now()) + tokenMs;
    }
    const response = await next(request);
    if (TOO_MUCH.has(response.status)) {
      const asked = Math.min(retryAfterMs(response) ?? 0, retryAfterMsMax);
      bucket.pausedUntil = Math.max(bucket.pausedUntil, now() + asked);
    }
    return response;
  };
}

function refused({ method, url }: ClientRequest, waitMs: number): RequestFailedError {
  return new RequestFailedError(
    `not sent: by the limit of its rate it would have to wait longer than ${waitMs} ms`,
    { phase: "pool", reason: "refused", method, url },
  );
}

function originOf(request: ClientRequest): string {
  return request.origin;
}
