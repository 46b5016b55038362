import { wallNow } from "arborio/lowlevel";
import type { ClientRequest } from "../../client/client-request.ts";
import { ClientResponse } from "../../client/client-response.ts";
import type { Next } from "../../client/middleware.ts";
import { RequestFailedError } from "../../connection/request-failed-error.ts";
import type { Directives } from "./cache-control.ts";
import { varyFields } from "./cache-key.ts";
import { type CacheOutcome, marked } from "./cache-outcome.ts";
import { CachePolicy } from "./cache-policy.ts";
import type { CachedResponse } from "./cache-store.ts";
import { isAbout, mergedResponse, responseOf } from "./cached-response.ts";
import type { Flight } from "./flight.ts";
import { RecordedBody } from "./recorded-body.ts";
import type { Begun, ResponseCache } from "./response-cache.ts";

/** A request that came to the cache. */
export interface Asking {
  readonly request: ClientRequest;
  readonly next: Next;
  /** Its directives. */
  readonly asked: Directives;
  /** What its response is kept by. */
  readonly key: string;
}

/** What there is for all who asked for the same. */
export interface Landed {
  readonly response: CachedResponse;
  /** Whether it stands in for an error, though it is no longer fresh. */
  readonly isReplacement: boolean;
}

/** Statuses that a response which was kept may stand in for: RFC 5861 §4. */
const ERRORS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** So long, in milliseconds, others wait for a body that one of them has got; then each asks for itself. A body may have no end. */
const READ_AHEAD_MS = 1000;

interface Forwarded {
  readonly response: ClientResponse;
  readonly outcome: CacheOutcome;
}

/** Sends requests, asks whether what is kept still holds, and keeps what comes. */
export class Forwarding {
  readonly #cache: ResponseCache;
  readonly #entryBytesMax: number;

  constructor(cache: ResponseCache, entryBytesMax: number) {
    this.#cache = cache;
    this.#entryBytesMax = entryBytesMax;
  }

  /**
   * @param found What is kept, and cannot be used as it is.
   * @param flight Who waits for the same.
   */
  async forward(
    asking: Asking,
    found: CachedResponse | null,
    flight: Flight<Landed> | null,
  ): Promise<Forwarded> {
    try {
      return await this.#ask(asking, found, flight);
    } catch (error) {
      if (error instanceof RequestFailedError && !error.isLocal)
        flight?.end({ kind: "failed", error });
      throw error;
    } finally {
      flight?.abandon();
    }
  }

  async #ask(
    asking: Asking,
    found: CachedResponse | null,
    flight: Flight<Landed> | null,
  ): Promise<Forwarded> {
    const { request, next, asked } = asking;
    const policy = found === null ? null : new CachePolicy(found);
    const validators = policy?.validators ?? {};
    const isConditional = Object.keys(validators).length > 0;
    const begun = this.#cache.begin(wallNow());
    const mayReplaceError = policy?.mayReplaceError(asked) === true;
    let response: ClientResponse;
    try {
      response = await next(isConditional ? request.with({ headers: validators }) : request);
    } catch (error) {
      if (!isOutage(error) || found === null || !mayReplaceError) throw error;
      return landed(found, request, "stale", flight);
    }
    try {
      if (found !== null && isConditional && response.status === 304)
        return await this.#confirmed(asking, found, response, begun, flight);
      if (found !== null && mayReplaceError && ERRORS.has(response.status)) {
        response.close();
        return landed(found, request, "stale", flight);
      }
      return await this.#received(asking, response, begun, flight);
    } catch (error) {
      response.close();
      throw error;
    }
  }

  /** What is kept still holds. */
  async #confirmed(
    asking: Asking,
    found: CachedResponse,
    response: ClientResponse,
    begun: Begun,
    flight: Flight<Landed> | null,
  ): Promise<Forwarded> {
    const { request, key } = asking;
    const { head } = response.source;
    response.close();
    if (!isAbout(found, head)) {
      // It speaks of another one, so nobody has what was asked for.
      await this.#cache.forget(key);
      return await this.#ask(asking, null, flight);
    }
    const merged = mergedResponse(found, head, begun.at);
    // The news may say by what it was chosen; that it is the one for this request is known.
    const vary = varyFields(merged.fields, request.fields, response.request.fields);
    const isKept = vary !== null && new CachePolicy(merged).isStorable;
    if (isKept) await this.#cache.keep(key, request, { ...merged, vary }, begun);
    else await this.#cache.forget(key);
    if (vary === null) flight?.end({ kind: "apart" });
    return landed(merged, request, "revalidated", flight);
  }

  async #received(
    { request, key }: Asking,
    response: ClientResponse,
    begun: Begun,
    flight: Flight<Landed> | null,
  ): Promise<Forwarded> {
    // What a middleware behind this has read, nobody can keep.
    const source = response.bodyUsed ? null : response.source;
    const storable = source && this.#cache.storable(request, response.request, source.head, begun);
    if (source === null || storable === null) {
      flight?.end({ kind: "apart" });
      // What was kept is no longer so, whatever this one is.
      if (response.status < 500) await this.#cache.forget(key);
      return missed(response);
    }
    const { payload } = source;
    const keep = async (bytes: Uint8Array): Promise<void> => {
      const kept = { ...storable, bytes };
      await this.#cache.keep(key, request, kept, begun);
      flight?.end({ kind: "landed", value: { response: kept, isReplacement: false } });
    };
    if (payload === null || payload instanceof Uint8Array) {
      if (payload !== null && payload.length > this.#entryBytesMax) flight?.end({ kind: "apart" });
      else await keep(payload === null ? new Uint8Array(0) : payload.slice());
      return missed(response);
    }
    const body = new RecordedBody(payload, this.#entryBytesMax);
    if (flight?.hasFollowers === true) {
      const whole = await body.readAhead(READ_AHEAD_MS);
      if (whole !== null) {
        await keep(whole.slice());
        return missed(new ClientResponse({ ...source, payload: whole }));
      }
    }
    flight?.end({ kind: "apart" });
    return missed(new ClientResponse({ ...source, payload: body.stream(keep) }));
  }
}

function missed(response: ClientResponse): Forwarded {
  return { response: marked(response, "miss"), outcome: "miss" };
}

function landed(
  response: CachedResponse,
  request: ClientRequest,
  outcome: "revalidated" | "stale",
  flight: Flight<Landed> | null,
): Forwarded {
  flight?.end({ kind: "landed", value: { response, isReplacement: outcome === "stale" } });
  return { response: responseOf(response, request, outcome), outcome };
}

/** Whether there is nothing to be had of the server now, as it is, or as a circuit breaker between has it. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof RequestFailedError)) return false;
  return !error.isLocal || (error.phase === "pool" && error.reason === "refused");
}
