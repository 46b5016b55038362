/** What the options of a client come to: defaults, and errors that say what was wrong. */
import { DEFAULT_PROTOCOL_LIMITS } from "../protocol/limits.ts";
import { checkRequestDefaults } from "./check-fetch-options.ts";
import type { ClientLimits, ClientTimeouts, HttpClientOptions } from "./client-options.ts";
import { CookieJar } from "./cookie-jar.ts";
import { CLIENT_NAMES } from "./fetch-names.ts";
import { requireClientTrace } from "./trace-requests.ts";
import { describe, numbersWith, requireCount, requireKnown } from "./require-option.ts";

const TIMEOUTS: ClientTimeouts = {
  poolMs: Infinity,
  connectMs: 30_000,
  headMs: 60_000,
  bodyMs: 60_000,
  writeMs: 60_000,
  continueMs: 1000,
  idleMs: 15_000,
};

const LIMITS: ClientLimits = {
  ...DEFAULT_PROTOCOL_LIMITS,
  connectionsMax: 100,
  originConnectionsMax: 100,
  redirectsMax: 10,
};

/** Limits below which nothing could be received at all; of others the least is 0. */
const LEAST_LIMITS: Readonly<Partial<Record<string, number>>> = {
  connectionsMax: 1,
  originConnectionsMax: 1,
  startLineBytesMax: 16,
  fieldsMax: 1,
  headBytesMax: 16,
};

/** Deadlines that may be 0: nothing is waited for then. */
const MAY_BE_NOTHING: ReadonlySet<string> = new Set(["poolMs", "continueMs", "idleMs"]);

/** Options with their defaults. */
export interface ResolvedClientOptions {
  readonly limits: ClientLimits;
  readonly timeouts: ClientTimeouts;
  readonly cookies: CookieJar | null;
}

/** @throws TypeError, RangeError for what is none. */
export function resolveClientOptions(
  where: string,
  options: HttpClientOptions,
): ResolvedClientOptions {
  requireKnown(where, options, CLIENT_NAMES);
  checkRequestDefaults(where, options);
  if (options.trace !== undefined) requireClientTrace(where, options.trace);
  const limits = numbersWith(
    `${where}({ limits`,
    LIMITS,
    options.limits,
    (name) => LEAST_LIMITS[name] ?? 0,
  );
  for (const name of ["connectionsMax", "originConnectionsMax", "redirectsMax"] as const)
    requireCount(`${where}({ limits: { ${name} } })`, limits[name], 0);
  const timeouts = timeoutsWith(where, TIMEOUTS, options.timeouts);
  return { limits, timeouts, cookies: jarOf(where, options.cookies) };
}

/** Those of `defaults`, with those that are given in their place. @throws TypeError, RangeError for what is none. */
export function timeoutsWith(
  where: string,
  defaults: ClientTimeouts,
  given: Partial<ClientTimeouts> | undefined,
): ClientTimeouts {
  return numbersWith(`${where}({ timeouts`, defaults, given, (name) =>
    MAY_BE_NOTHING.has(name) ? 0 : 1,
  );
}

function jarOf(where: string, cookies: HttpClientOptions["cookies"]): CookieJar | null {
  if (cookies === undefined || cookies === false) return null;
  if (cookies === true) return new CookieJar();
  if (cookies instanceof CookieJar) return cookies;
  throw new TypeError(
    `${where}({ cookies }): got ${describe(cookies)}, needs true, false or a CookieJar`,
  );
}
