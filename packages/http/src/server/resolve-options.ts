/** What options come to: defaults, and errors that say what was wrong. */
import { DEFAULT_PROTOCOL_LIMITS } from "../protocol/limits.ts";
import type { HttpRequest } from "../web/http-request.ts";
import type { TrustProxies } from "../ops/forwarded.ts";
import type { ServerTrace } from "../ops/server-trace.ts";
import type {
  HandlingOptions,
  ServerLimits,
  ServerOptions,
  ServerTimeouts,
} from "./server-options.ts";

const LIMITS: ServerLimits = {
  ...DEFAULT_PROTOCOL_LIMITS,
  bodyBytesMax: 1_048_576,
  drainBytesMax: 65_536,
  connectionsMax: 16_384,
  requestsMax: Infinity,
};

/** What options are called: a server whose `hostname` was overlooked would listen on all addresses. */
const NAMES: ReadonlySet<string> = new Set<keyof ServerOptions>([
  "port",
  "host",
  "path",
  "listener",
  "tls",
  "reusePort",
  "backlog",
  "group",
  "graceMs",
  "drainMs",
  "limits",
  "timeouts",
  "halfClose",
  "trustProxies",
  "debug",
  "onError",
  "trace",
]);

/** Limits below which nothing could be served at all; of others the least is 0. */
const LEAST_LIMITS: Readonly<Partial<Record<string, number>>> = {
  connectionsMax: 1,
  requestsMax: 1,
  startLineBytesMax: 16,
  fieldsMax: 1,
  headBytesMax: 16,
};

const TIMEOUTS: ServerTimeouts = {
  headMs: 10_000,
  bodyMs: 30_000,
  idleMs: 75_000,
  writeMs: 30_000,
  handlerMs: Infinity,
};

const HOOKS: readonly string[] = [
  "connectionOpen",
  "connectionClose",
  "requestStart",
  "requestError",
  "requestEnd",
];

/** Options with their defaults. */
export interface Handling {
  readonly limits: ServerLimits;
  readonly timeouts: ServerTimeouts;
  readonly halfClose: boolean;
  readonly trustProxies: TrustProxies;
  readonly debug: boolean;
  readonly onError: (error: unknown, request: Request | null) => void;
  readonly trace: ServerTrace | undefined;
}

/**
 * `where` was given the options.
 *
 * @throws TypeError, RangeError for what is none.
 */
export function resolveHandling(
  where: string,
  handler: unknown,
  options: HandlingOptions,
): Handling {
  if (typeof handler !== "function") {
    const example = hasFetch(handler) ? "app.fetch" : '(request) => new HttpResponse("hello")';
    throw new TypeError(`${where}: got ${describe(handler)}, needs a handler: ${example}`);
  }
  requireObject(`${where}(handler, options)`, options);
  for (const name of Object.keys(options)) {
    if (NAMES.has(name)) continue;
    const known = [...NAMES].join(", ");
    throw new TypeError(`${where}({ ${name} }): there is no such option; there are ${known}`);
  }
  const { halfClose = false, debug = false, onError = logError, trace } = options;
  requireFlag(`${where}({ halfClose })`, halfClose);
  requireFlag(`${where}({ debug })`, debug);
  if (typeof onError !== "function")
    throw new TypeError(`${where}({ onError }): got ${describe(onError)}, needs a function`);
  if (trace !== undefined) requireTrace(`${where}({ trace`, trace);
  const limits = withDefaults(`${where}({ limits`, LIMITS, options.limits, LEAST_LIMITS, 0);
  const { connectionsMax } = limits;
  if (!Number.isInteger(connectionsMax) && connectionsMax !== Infinity) {
    throw new RangeError(
      `${where}({ limits: { connectionsMax } }): got ${connectionsMax}, needs a whole number, or Infinity`,
    );
  }
  return {
    limits,
    timeouts: withDefaults(`${where}({ timeouts`, TIMEOUTS, options.timeouts, {}, 1),
    halfClose,
    trustProxies: options.trustProxies ?? 0,
    debug,
    onError,
    trace,
  };
}

/** What a server does with errors unless told otherwise. The fields of the request stay out of logs: credentials are among them. */
function logError(error: unknown, request: Request | null): void {
  if (request === null) console.error("HTTP server:", error);
  else console.error(`HTTP server: ${request.method} ${(request as HttpRequest).target}:`, error);
}

/** @throws TypeError, RangeError if `value` is not a number from `least` on, `Infinity` with them. */
export function requireNumber(where: string, value: unknown, least: number): void {
  if (typeof value !== "number")
    throw new TypeError(`${where}: got ${describe(value)}, needs a number`);
  if (!(value >= least)) throw new RangeError(`${where}: got ${value}, needs at least ${least}`);
}

/** @throws TypeError if it is none. */
export function requireObject(where: string, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`${where}: got ${describe(value)}, needs an object`);
}

function requireFlag(where: string, value: unknown): void {
  if (typeof value !== "boolean")
    throw new TypeError(`${where}: got ${describe(value)}, needs true or false`);
}

function requireTrace(where: string, trace: unknown): void {
  requireObject(`${where} })`, trace);
  for (const hook of HOOKS) {
    const value = (trace as Record<string, unknown>)[hook];
    if (value !== undefined && typeof value !== "function")
      throw new TypeError(`${where}: { ${hook} } }): got ${describe(value)}, needs a function`);
  }
}

function withDefaults<T extends object>(
  where: string,
  defaults: T,
  given: Partial<T> | undefined,
  least: Readonly<Partial<Record<string, number>>>,
  leastOfOthers: number,
): T {
  if (given === undefined) return defaults;
  requireObject(`${where} })`, given);
  const all: Record<string, unknown> = { ...(defaults as Record<string, unknown>) };
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const place = `${where}: { ${key} } })`;
    if (!(key in defaults)) {
      const known = Object.keys(defaults).join(", ");
      throw new TypeError(`${place}: there is no such option; there are ${known}`);
    }
    requireNumber(place, value, least[key] ?? leastOfOthers);
    all[key] = value;
  }
  return all as T;
}

function hasFetch(value: unknown): boolean {
  return typeof (value as { readonly fetch?: unknown } | null | undefined)?.fetch === "function";
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null
    ? Object.prototype.toString.call(value)
    : String(value);
}
