import {
  abandonOnCancel,
  Cancelled,
  type CancelScope,
  currentScope,
  failAfter,
  gather,
  Lock,
  now,
  TimeoutError,
} from "arborio";
import type { Handler } from "../server/handler.ts";
import { HttpResponse } from "../web/http-response.ts";

/** Tells whether something works that the server needs: fails by throwing, or by giving `false`. The signal aborts when its time is over. */
export type HealthCheck = (signal: AbortSignal) => unknown;

/** Options of `createHealthChecks`. */
export interface HealthChecksOptions {
  /** What must work for the server to be ready, under names that the answer shows. Default: nothing, it is ready when it runs. */
  readonly checks?: Readonly<Record<string, HealthCheck>>;
  /** Milliseconds that a check may take. Default 5,000. */
  readonly timeoutMs?: number;
  /** Milliseconds for which the answers of checks are used again, however many ask. Default 1,000. */
  readonly cacheMs?: number;
  /**
   * Milliseconds for which a check that has worked may fail before the server is not ready: so that a moment's failure of what all
   * servers need does not take all of them away at once. Default 0.
   */
  readonly gracePeriodMs?: number;
  /** Gets what a check failed with, each time. The client learns only which failed. Default: nobody does. */
  readonly onFailure?: (name: string, error: unknown) => void;
}

/** How a check came out. */
export type HealthStatus = "ok" | "failed" | "timed-out";

const TIMEOUT_MS = 5000;
const CACHE_MS = 1000;
const LIVE_PATH = "/healthz";
const READY_PATH = "/readyz";

/**
 * End points that tell a load balancer, or Kubernetes, how the server is: alive (it answers), and ready (all checks work, and no
 * shutdown has asked).
 *
 * Readiness ends as soon as a shutdown asks the scope in which this was called, or the request's: make it in `main`, and give the
 * server time (`drainMs`) in which it still takes connections, so that the balancer sees it before they are refused. Checks run beside
 * one another, one round at a time; a check whose time is over is cancelled, and not waited for.
 *
 * @throws RangeError if a number of milliseconds is below 0 or none; TypeError if a check is no function.
 *
 * @example Ready while the database is
 * ```ts
 * import { run } from "arborio";
 * import { createHealthChecks, HttpResponse } from "@arborio/http";
 *
 * await run(async () => {
 *   const database = { ping: async () => "pong" };
 *   const health = createHealthChecks({ checks: { database: () => database.ping() } });
 *   const handler = health.wrap(() => new HttpResponse("hello"));
 *   const response = await health.ready();
 *   console.assert(response.status === 200 && typeof handler === "function");
 * });
 * ```
 */
export function createHealthChecks(options: HealthChecksOptions = {}): HealthChecks {
  return new HealthChecks(options);
}

/** Answers those who ask how the server is. Made by `createHealthChecks`. */
export class HealthChecks {
  readonly #checks: readonly (readonly [string, HealthCheck])[];
  readonly #timeoutMs: number;
  readonly #cacheMs: number;
  readonly #gracePeriodMs: number;
  readonly #onFailure: (name: string, error: unknown) => void;
  /** The program's: a shutdown asks it first. */
  readonly #scope: CancelScope;
  /** Held by who runs the checks; the others wait for what comes out. */
  readonly #running = new Lock();
  #outcome: Readonly<Record<string, HealthStatus>> = {};
  #checkedAt = -Infinity;
  /** When each check has worked last. */
  readonly #workedAt: Map<string, number> = new Map();

  /** @internal */
  constructor(options: HealthChecksOptions) {
    this.#checks = Object.entries(options.checks ?? {});
    for (const [name, check] of this.#checks) {
      if (typeof check !== "function") {
        throw new TypeError(
          `createHealthChecks({ checks }): got ${typeof check} for ${JSON.stringify(name)}, needs a function`,
        );
      }
    }
    this.#timeoutMs = requireMs("timeoutMs", options.timeoutMs ?? TIMEOUT_MS);
    this.#cacheMs = requireMs("cacheMs", options.cacheMs ?? CACHE_MS);
    this.#gracePeriodMs = requireMs("gracePeriodMs", options.gracePeriodMs ?? 0);
    this.#onFailure = options.onFailure ?? (() => {});
    this.#scope = currentScope();
  }

  /** 200: the process runs, and answers. */
  live(): HttpResponse {
    return answer(200, { status: "alive" });
  }

  /** 200 if the server should get requests; 503 with the names of the checks that fail, or since a shutdown has asked. */
  async ready(): Promise<HttpResponse> {
    if (this.#isShuttingDown()) return answer(503, { status: "shutting-down" });
    const checks = await this.#results();
    // It may have asked while the checks ran.
    if (this.#isShuttingDown()) return answer(503, { status: "shutting-down" });
    const isReady = Object.entries(checks).every((check) => this.#isForgiven(...check));
    return answer(isReady ? 200 : 503, { status: isReady ? "ready" : "not-ready", checks });
  }

  /**
   * A handler that answers GET and HEAD of two paths, and leaves all else to `handler`.
   *
   * @param paths default `/healthz` and `/readyz`.
   */
  wrap(
    handler: Handler,
    {
      live = LIVE_PATH,
      ready = READY_PATH,
    }: { readonly live?: string; readonly ready?: string } = {},
  ): Handler {
    return (request, context) => {
      const path = pathOf(request.url);
      if (path !== live && path !== ready) return handler(request, context);
      if (request.method !== "GET" && request.method !== "HEAD")
        return new HttpResponse(null, { status: 405, headers: { allow: "GET, HEAD" } });
      return path === live ? this.live() : this.ready();
    };
  }

  #isShuttingDown(): boolean {
    return this.#scope.shuttingDown || currentScope().shuttingDown;
  }

  async #results(): Promise<Readonly<Record<string, HealthStatus>>> {
    using _turn = await this.#running.acquire();
    if (now() - this.#checkedAt < this.#cacheMs) return this.#outcome;
    const outcome = await gather(
      Object.fromEntries(this.#checks.map(([name, check]) => [name, () => this.#run(name, check)])),
    );
    this.#outcome = outcome;
    this.#checkedAt = now();
    return outcome;
  }

  async #run(name: string, check: HealthCheck): Promise<HealthStatus> {
    try {
      const result = await failAfter(this.#timeoutMs, () => abandonOnCancel(check));
      if (result === false) throw new Error(`the check ${JSON.stringify(name)} gave false`);
      this.#workedAt.set(name, now());
      return "ok";
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      this.#onFailure(name, error);
      return error instanceof TimeoutError ? "timed-out" : "failed";
    }
  }

  #isForgiven(name: string, status: HealthStatus): boolean {
    if (status === "ok") return true;
    const workedAt = this.#workedAt.get(name);
    return workedAt !== undefined && now() - workedAt < this.#gracePeriodMs;
  }
}

function answer(status: number, body: object): HttpResponse {
  return HttpResponse.json(body, { status, headers: { "cache-control": "no-store" } });
}

/** Of an absolute URL, without parsing it: every request comes through here. */
function pathOf(url: string): string {
  const begin = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.slice(begin).search(/[?#]/);
  return end < 0 ? url.slice(begin) : url.slice(begin, begin + end);
}

function requireMs(name: string, ms: number): number {
  if (ms >= 0) return ms;
  throw new RangeError(`createHealthChecks({ ${name} }): got ${ms}, needs milliseconds from 0 on`);
}
