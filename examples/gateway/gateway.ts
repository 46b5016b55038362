import { now } from "arborio";
import {
  type CircuitBreaker,
  circuitBreaker,
  type Handler,
  type HttpCache,
  httpCache,
  type HttpClient,
  HttpError,
  HttpResponse,
  openHttpClient,
  retryRequests,
} from "@arborio/http";
import { fetchOverview, type Part } from "./overview.ts";

/** What a gateway is told. */
export interface GatewayOptions {
  readonly parts: readonly Part[];
  /** Milliseconds in which it answers, with what it has then. */
  readonly deadlineMs: number;
  /** Milliseconds that one attempt to get a part may take: a fraction of the deadline, so that there is time for another. */
  readonly attemptMs: number;
}

/** So long a service that has failed again and again is left in peace, in milliseconds. */
const CIRCUIT_OPEN_MS = 5000;

/** Answers `/overview` with what several services say, and `/circuits` with how they are. */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #client: HttpClient;
  readonly #cache: HttpCache = httpCache();
  readonly #breaker: CircuitBreaker = circuitBreaker({ openMs: CIRCUIT_OPEN_MS });

  constructor(options: GatewayOptions) {
    const { attemptMs } = options;
    this.#options = options;
    this.#client = openHttpClient({
      // While a service answers badly, what it said in the last minute will do.
      headers: { "cache-control": "stale-if-error=60" },
      timeouts: { connectMs: attemptMs, headMs: attemptMs, bodyMs: attemptMs },
      // Outermost first: what is cached asks nobody, and each attempt counts for the breaker.
      middleware: [
        this.#cache,
        retryRequests({ attemptsMax: 2, delayMs: () => 20 }),
        this.#breaker,
      ],
    });
  }

  readonly handle: Handler = async ({ method, url }) => {
    if (method !== "GET" && method !== "HEAD")
      throw new HttpError(405, "there is only GET here", { headers: { allow: "GET, HEAD" } });
    const { pathname, search } = new URL(url);
    if (pathname === "/overview") return await this.#overview(search);
    if (pathname === "/circuits") return HttpResponse.json(this.#circuits());
    throw new HttpError(404, `there is no ${pathname}`);
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.close();
  }

  async #overview(search: string): Promise<Response> {
    const began = now();
    const { parts, deadlineMs } = this.#options;
    const asked = parts.map(({ name, urls }) => ({ name, urls: urls.map((url) => url + search) }));
    const overview = await fetchOverview(this.#client, asked, deadlineMs);
    const hasSome = Object.values(overview).some(({ state }) => state === "ok");
    const body = { tookMs: Math.round(now() - began), parts: overview };
    return HttpResponse.json(body, { status: hasSome ? 200 : 503 });
  }

  #circuits(): unknown {
    const origins = new Set(
      this.#options.parts.flatMap(({ urls }) => urls).map((url) => new URL(url).origin),
    );
    const circuits = [...origins].map((origin) => [origin, this.#breaker.stateOf(origin)]);
    return { circuits: Object.fromEntries(circuits), cache: this.#cache.statistics() };
  }
}
