import { exponentialBackoff, sleep } from "arborio";
import { wallNow } from "arborio/lowlevel";
import type { ClientRequest } from "../client/client-request.ts";
import type { ClientResponse } from "../client/client-response.ts";
import type { Middleware } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { parseHttpDate } from "../protocol/http-date.ts";
import { parseRetryAfter } from "../protocol/retry-after.ts";
import { KeyedStates, STATES_MAX } from "./keyed-states.ts";
import { requireAtLeast, requireCount } from "./options.ts";

/** Options of `retryRequests`. */
export interface RetryRequestsOptions {
  /** Attempts at most, with the first. Default 3. */
  readonly attemptsMax?: number;
  /** Methods that may be tried again: those of which twice is as good as once (RFC 9110 §9.2.2). Default: all of those. */
  readonly methods?: readonly string[];
  /** Statuses that another attempt may not meet. Default 408, 429, 500, 502, 503 and 504. */
  readonly statuses?: readonly number[];
  /** Milliseconds to wait after the first attempt, the second, …. Default: 100, 200, 400, … at most 10,000, up to half of it left to chance. */
  readonly delayMs?: (attempt: number) => number;
  /**
   * Milliseconds that the server may ask to wait (`Retry-After`, RFC 9110 §10.2.3). If it asks for more, its response is given as it is. Default 60,000.
   */
  readonly retryAfterMsMax?: number;
  /**
   * Further attempts for each request to an origin, on average, so that an origin that is down is not asked three times as much as one that
   * is not. Some more are allowed at first. Default 0.2; `Infinity`: no such limit.
   */
  readonly budget?: number;
}

/** Methods that may be sent again (RFC 9110 §9.2.2; QUERY: RFC 9110 would call it safe). */
const IDEMPOTENT: readonly string[] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"];

const STATUSES: readonly number[] = [408, 429, 500, 502, 503, 504];

const ATTEMPTS_MAX = 3;
const RETRY_AFTER_MS_MAX = 60_000;

/** A tenth is what gRPC allows, a fifth Finagle. */
const BUDGET = 0.2;
/** So many further attempts are allowed to an origin at once, and at first. */
const BUDGET_RESERVE = 10;

/** Failures that another attempt may not meet. */
const PASSING_FAILURES: ReadonlySet<string> = new Set(["timeout", "unreachable", "disconnected"]);

/** What an origin has left. */
interface Budget {
  attempts: number;
}

/**
 * Middleware that sends requests again that failed for a reason that may pass: the connection could not be made or broke, a deadline of the
 * client passed, or the status says so. Only requests that may be sent twice, with a body that can be sent twice.
 * The last response, or error, is given as it is.
 *
 * @throws RangeError for wrong options.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse, openHttpClient, openServer, retryRequests } from "@arborio/http";
 *
 * await run(async () => {
 *   let asked = 0;
 *   await using server = await openServer(
 *     () => new HttpResponse("", { status: ++asked < 3 ? 503 : 200 }),
 *     { port: 0 },
 *   );
 *   await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
 *   console.assert((await client.fetch("/")).status === 200);
 *   console.assert(asked === 3);
 * });
 * ```
 */
export function retryRequests(options: RetryRequestsOptions = {}): Middleware {
  const { attemptsMax = ATTEMPTS_MAX, retryAfterMsMax = RETRY_AFTER_MS_MAX } = options;
  const { budget = BUDGET, delayMs = defaultDelay() } = options;
  const methods = new Set(options.methods ?? IDEMPOTENT);
  const statuses = new Set(options.statuses ?? STATUSES);
  requireCount("retryRequests({ attemptsMax })", attemptsMax, 1);
  requireAtLeast("retryRequests({ retryAfterMsMax })", retryAfterMsMax, 0);
  requireAtLeast("retryRequests({ budget })", budget, 0);
  const budgets = new KeyedStates<Budget>(
    () => ({ attempts: BUDGET_RESERVE }),
    STATES_MAX,
    ({ attempts }) => attempts >= BUDGET_RESERVE,
  );

  return async (request, next) => {
    if (!methods.has(request.method) || !request.isReplayable) return await next(request);
    const left = budgets.get(request.origin);
    left.attempts = Math.min(BUDGET_RESERVE, left.attempts + budget);
    const mayRetry = (attempt: number): boolean => attempt < attemptsMax && left.attempts >= 1;
    for (let attempt = 1; ; attempt++) {
      const outcome = await outcomeOf(request, next);
      if (!mayRetry(attempt) || !mayPass(outcome, statuses)) return resultOf(outcome);
      const asked = outcome instanceof RequestFailedError ? null : retryAfterMs(outcome);
      if (asked !== null && asked > retryAfterMsMax) return resultOf(outcome);
      if (!(outcome instanceof RequestFailedError)) outcome.close();
      left.attempts -= 1;
      await sleep(Math.max(asked ?? 0, delayMs(attempt)));
    }
  };
}

type Outcome = ClientResponse | RequestFailedError;

async function outcomeOf(
  request: ClientRequest,
  next: (request: ClientRequest) => Promise<ClientResponse>,
): Promise<Outcome> {
  try {
    return await next(request);
  } catch (error) {
    if (error instanceof RequestFailedError) return error;
    throw error;
  }
}

function mayPass(outcome: Outcome, statuses: ReadonlySet<number>): boolean {
  return outcome instanceof RequestFailedError
    ? PASSING_FAILURES.has(outcome.reason)
    : statuses.has(outcome.status);
}

function resultOf(outcome: Outcome): ClientResponse {
  if (outcome instanceof RequestFailedError) throw outcome;
  return outcome;
}

/** What the server asks to wait; `null` if it asks for nothing that can be understood. */
function retryAfterMs({ headers }: ClientResponse): number | null {
  const value = headers.first("retry-after");
  if (value === null) return null;
  // By the server's own clock, if it tells.
  const date = headers.first("date");
  return parseRetryAfter(value, (date === null ? null : parseHttpDate(date)) ?? wallNow());
}

function defaultDelay(): (attempt: number) => number {
  return exponentialBackoff({ initialMs: 100, maxMs: 10_000, jitter: 0.5 });
}
