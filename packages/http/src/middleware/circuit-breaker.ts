import { Cancelled, now } from "arborio";
import type { ClientRequest } from "../client/client-request.ts";
import type { ClientResponse } from "../client/client-response.ts";
import type { Middleware, Next } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { KeyedStates, STATES_MAX } from "./keyed-states.ts";
import {
  requireNumber,
  requireCount,
  requireFunction,
  requireKnown,
} from "../client/require-option.ts";

/** `closed`: requests pass. `open`: none does. `half-open`: one is on its way, to see whether the origin is back. */
export type CircuitState = "closed" | "open" | "half-open";

/** Options of `circuitBreaker`. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. Default 5. */
  readonly failuresMax?: number;
  /** Milliseconds until one request may try whether the origin is back. Default 30,000. */
  readonly openMs?: number;
  /** Whether a response is a failure. Default: of a status from 500 on, but for 501. */
  readonly isFailure?: (response: ClientResponse) => boolean;
  /** What fails together: requests that it gives the same text for. Default: the origin. */
  readonly keyOf?: (request: ClientRequest) => string;
  /** Is told when a circuit opens, tries whether the origin is back, and closes. */
  readonly onChange?: (key: string, state: CircuitState) => void;
}

/** Middleware that knows how its circuits are. */
export interface CircuitBreaker extends Middleware {
  /** The state of a circuit: of an origin such as `"http://example.org"`, or what `keyOf` gives. */
  stateOf(key: string): CircuitState;
}

const FAILURES_MAX = 5;
const OPEN_MS = 30_000;
const STATUS_NOT_IMPLEMENTED = 501;

/** Failures that tell nothing of the origin. */
const LOCAL_PHASES: ReadonlySet<string> = new Set(["pool", "redirect"]);

interface Circuit {
  /** In a row. */
  failures: number;
  /** How often it has opened and closed: what was sent before tells nothing of how it is now. */
  changes: number;
  /** Until when no request passes; `-Infinity`: it is closed. */
  openUntil: number;
  /** Whether one is on its way to try. */
  isTrying: boolean;
}

const NAMES: Readonly<Record<keyof CircuitBreakerOptions, true>> = {
  failuresMax: true,
  openMs: true,
  isFailure: true,
  keyOf: true,
  onChange: true,
};

/**
 * Middleware that gives up at once on an origin that has failed again and again, and lets one request through after a while to see
 * whether it is back: who waits for an answer gets an error early, and the origin is left in peace. Cancelled requests count as neither, nor do those that were on their way already when the circuit opened.
 *
 * A request that does not pass fails with a `RequestFailedError` of reason `"refused"`.
 *
 * @throws TypeError, RangeError for wrong options.
 *
 * Source: M. Nygard, Release It!, "Circuit Breaker". Counterpart: resilience4j's and Polly's, with a window of a count.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { circuitBreaker, HttpResponse, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(() => new HttpResponse("", { status: 500 }), { port: 0 });
 *   const breaker = circuitBreaker({ failuresMax: 2 });
 *   await using client = openHttpClient({ base: server.url, middleware: [breaker] });
 *   await client.fetch("/");
 *   await client.fetch("/");
 *   console.assert(breaker.stateOf(new URL(server.url).origin) === "open");
 *   const error = await client.fetch("/").catch((e) => e);
 *   console.assert(error.reason === "refused");
 * });
 * ```
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  requireKnown("circuitBreaker", options, NAMES);
  const { failuresMax = FAILURES_MAX, openMs = OPEN_MS } = options;
  const { isFailure = isServerError, keyOf = originOf, onChange = () => {} } = options;
  requireCount("circuitBreaker({ failuresMax })", failuresMax, 1);
  requireNumber("circuitBreaker({ openMs })", openMs, 0);
  for (const [name, hook] of Object.entries({ isFailure, keyOf, onChange }))
    requireFunction(`circuitBreaker({ ${name} })`, hook);
  const circuits = new KeyedStates<Circuit>(
    () => ({ failures: 0, changes: 0, openUntil: -Infinity, isTrying: false }),
    STATES_MAX,
    ({ failures, isTrying }) => failures === 0 && !isTrying,
  );
  const failed = (circuit: Circuit, key: string): void => {
    circuit.failures += 1;
    if (circuit.failures < failuresMax) return;
    circuit.openUntil = now() + openMs;
    circuit.changes += 1;
    onChange(key, "open");
  };
  const succeeded = (circuit: Circuit, key: string): void => {
    circuit.failures = 0;
    if (circuit.openUntil === -Infinity) return;
    circuit.openUntil = -Infinity;
    circuit.changes += 1;
    onChange(key, "closed");
  };

  const middleware = async (request: ClientRequest, next: Next): Promise<ClientResponse> => {
    const key = keyOf(request);
    const circuit = circuits.get(key);
    const isTrial = circuit.openUntil !== -Infinity;
    if (isTrial && (circuit.isTrying || now() < circuit.openUntil)) throw refused(request);
    const { changes } = circuit;
    const counts = (): boolean => circuit.changes === changes;
    if (isTrial) circuit.isTrying = true;
    let response: ClientResponse | null = null;
    try {
      if (isTrial) onChange(key, "half-open");
      response = await next(request);
      const hasFailed = isFailure(response);
      if (counts()) (hasFailed ? failed : succeeded)(circuit, key);
      return response;
    } catch (error) {
      // A function that throws leaves no response behind.
      response?.close();
      if (counts() && tellsOfOrigin(error)) failed(circuit, key);
      throw error;
    } finally {
      if (isTrial) {
        circuit.isTrying = false;
        if (counts()) onChange(key, "open");
      }
    }
  };
  const stateOf = (key: string): CircuitState => {
    const circuit = circuits.peek(key);
    if (circuit === undefined || circuit.openUntil === -Infinity) return "closed";
    return circuit.isTrying ? "half-open" : "open";
  };
  return Object.assign(middleware, { stateOf });
}

function refused({ method, url, origin }: ClientRequest): RequestFailedError {
  return new RequestFailedError(
    `not sent: ${origin} has failed again and again, and it is not yet time to try again`,
    { phase: "pool", reason: "refused", method, url },
  );
}

function tellsOfOrigin(error: unknown): boolean {
  if (error instanceof Cancelled || !(error instanceof RequestFailedError)) return false;
  return !error.isLocal && !LOCAL_PHASES.has(error.phase);
}

function isServerError({ status }: ClientResponse): boolean {
  return status >= 500 && status !== STATUS_NOT_IMPLEMENTED;
}

function originOf(request: ClientRequest): string {
  return request.origin;
}
