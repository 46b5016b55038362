import { currentEffectiveDeadline, currentScope, exponentialBackoff, now, sleep } from "arborio";
import { drop } from "../client/follow-redirects.ts";
import type { ClientRequest } from "../client/client-request.ts";
import type { ClientResponse } from "../client/client-response.ts";
import type { Middleware } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { firstField } from "../web/field-names.ts";
import { KeyedStates, STATES_MAX } from "./keyed-states.ts";
import {
  requireNumber,
  requireCount,
  requireFunction,
  requireKnown,
  requireList,
} from "../client/require-option.ts";
import { normalizedMethod } from "../client/check-fetch-options.ts";
import { retryAfterMs } from "../client/retry-after-ms.ts";

/** Options of `retryRequests`. */
export interface RetryRequestsOptions {
  /** Attempts at most, with the first. Default 3. */
  readonly attemptsMax?: number;
  /**
   * Methods that may be tried again. Default: those of which twice is as good as once (RFC 9110 §9.2.2). A request with an `Idempotency-Key` is
   * tried again whatever its method is, since that says that the server knows it when it sees it twice.
   */
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
  /**
   * Whether another attempt may not meet what this one met; instead of `statuses`, and of the failures that are. `outcome` is not to be read or closed.
   */
  readonly mayPass?: (outcome: ClientResponse | RequestFailedError) => boolean;
  /** Is told of each attempt that is made again, before it is waited for. */
  readonly onRetry?: (retry: RequestRetry) => void;
}

/** A request is about to be sent again. */
export interface RequestRetry {
  /** What is to be sent again. */
  readonly request: ClientRequest;
  /** Which attempt has failed: 1, 2, …. */
  readonly attempt: number;
  /** What it met; a response is closed afterwards. */
  readonly outcome: ClientResponse | RequestFailedError;
  /** Milliseconds until the next one. */
  readonly waitMs: number;
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

const NAMES: Readonly<Record<keyof RetryRequestsOptions, true>> = {
  attemptsMax: true,
  methods: true,
  statuses: true,
  delayMs: true,
  retryAfterMsMax: true,
  budget: true,
  mayPass: true,
  onRetry: true,
};

/**
 * Middleware that sends requests again that failed for a reason that may pass: the connection could not be made or broke, a deadline of the
 * client passed, or the status says so. Only requests that may be sent twice, with a body that can be sent twice.
 * The last response, or error, is given as it is; so is one after which the deadline around, or a shutdown, leaves no time for another attempt.
 * An attempt is over when the head of its response is there: a body that breaks off later is the reader's.
 *
 * @throws TypeError, RangeError for wrong options.
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
  requireKnown("retryRequests", options, NAMES);
  const { attemptsMax = ATTEMPTS_MAX, retryAfterMsMax = RETRY_AFTER_MS_MAX } = options;
  const { budget = BUDGET, delayMs = defaultDelay(), onRetry = () => {} } = options;
  const { methods: named = IDEMPOTENT, statuses = STATUSES } = options;
  requireList("retryRequests({ methods })", named);
  requireList("retryRequests({ statuses })", statuses);
  for (const status of statuses) requireCount("retryRequests({ statuses })", status, 100);
  const methods = new Set(named.map((method) => normalizedMethod("retryRequests", method)));
  const { mayPass = passing(statuses) } = options;
  for (const [name, hook] of Object.entries({ delayMs, mayPass, onRetry }))
    requireFunction(`retryRequests({ ${name} })`, hook);
  requireCount("retryRequests({ attemptsMax })", attemptsMax, 1);
  requireNumber("retryRequests({ retryAfterMsMax })", retryAfterMsMax, 0);
  requireNumber("retryRequests({ budget })", budget, 0);
  const budgets = new KeyedStates<Budget>(
    () => ({ attempts: BUDGET_RESERVE }),
    STATES_MAX,
    ({ attempts }) => attempts >= BUDGET_RESERVE,
  );
  /** Milliseconds to wait for the next attempt; `null`: there is to be none. */
  const waitFor = (attempt: number, outcome: Outcome, left: Budget): number | null => {
    if (attempt >= attemptsMax || left.attempts < 1 || !mayPass(outcome)) return null;
    const asked = outcome instanceof RequestFailedError ? 0 : (retryAfterMs(outcome) ?? 0);
    if (asked > retryAfterMsMax) return null;
    // On top of it, so that those who were told the same do not come at the same moment.
    const ownMs = delayMs(attempt);
    requireNumber(`retryRequests({ delayMs }): what it gave for attempt ${attempt}`, ownMs, 0);
    const waitMs = asked + ownMs;
    const hasTime = now() + waitMs < currentEffectiveDeadline() && !currentScope().shuttingDown;
    return hasTime ? waitMs : null;
  };

  return async (request, next) => {
    const isRepeatable =
      methods.has(request.method) || firstField(request.fields, "idempotency-key") !== null;
    if (!isRepeatable || !request.isReplayable) return await next(request);
    const left = budgets.get(request.origin);
    left.attempts = Math.min(BUDGET_RESERVE, left.attempts + budget);
    for (let attempt = 1; ; attempt++) {
      const outcome = await outcomeOf(request, next);
      try {
        const waitMs = waitFor(attempt, outcome, left);
        if (waitMs === null) return resultOf(outcome);
        left.attempts -= 1;
        onRetry({ request, attempt, outcome, waitMs });
        if (!(outcome instanceof RequestFailedError)) await drop(outcome);
        await sleep(waitMs);
      } catch (error) {
        if (!(outcome instanceof RequestFailedError)) outcome.close();
        throw error;
      }
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

function passing(statuses: readonly number[]): (outcome: Outcome) => boolean {
  const known = new Set(statuses);
  return (outcome) =>
    outcome instanceof RequestFailedError
      ? PASSING_FAILURES.has(outcome.reason)
      : known.has(outcome.status);
}

function resultOf(outcome: Outcome): ClientResponse {
  if (outcome instanceof RequestFailedError) throw outcome;
  return outcome;
}

function defaultDelay(): (attempt: number) => number {
  return exponentialBackoff({ initialMs: 100, maxMs: 10_000, jitter: 0.5 });
}
