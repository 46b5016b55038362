import { parseCookie, parseSetCookie, stringifySetCookie } from "cookie";
import { isToken } from "../protocol/characters.ts";
import { isName } from "./field-names.ts";
import { HttpRequest } from "./http-request.ts";

/** Options of `setCookie`. */
export interface CookieOptions {
  /** How long the client keeps it, in milliseconds; fractions of seconds are rounded up. Default: until the client is closed. */
  readonly maxAgeMs?: number;
  /** The domain whose hosts get it all. Default: only the host that sets it. */
  readonly domain?: string;
  /** Below which path it is sent. Default `"/"`. */
  readonly path?: string;
  /** Whether it is sent over TLS only. Default `false`; what needs it says so by an error. */
  readonly secure?: boolean;
  /** Whether it is kept from scripts of the page. Default `true`. */
  readonly httpOnly?: boolean;
  /** Whether it is sent with requests that other sites cause: `"lax"`: only where a link is followed. Default `"lax"`. */
  readonly sameSite?: "strict" | "lax" | "none";
  /** Whether there is one for each site in which this one is embedded (CHIPS). Default `false`. */
  readonly partitioned?: boolean;
}

/** Which cookie `deleteCookie` deletes: its domain and path are part of its identity. */
export type CookieScope = Pick<CookieOptions, "domain" | "path" | "secure" | "partitioned">;

/** Clients ignore cookies whose name and value are longer together: RFC 6265bis §5.6. */
const COOKIE_BYTES_MAX = 4096;

/** Where they may be set: at a response, or at headers for one. */
export type CookieTarget = Headers | { readonly headers: Headers };

/**
 * The cookies of a request, by name. Lenient, as clients are: what is no cookie is skipped, of two with one name the first counts, and
 * values that are percent-encoded are decoded.
 *
 * @example One cookie
 * ```ts
 * import { getCookies } from "@arborio/http";
 *
 * const request = new Request("http://localhost/", { headers: { cookie: "session=8f3a; theme=dark" } });
 * console.assert(getCookies(request).get("session") === "8f3a");
 * ```
 */
export function getCookies(request: Request): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const line of cookieLines(request)) {
    for (const [name, value] of Object.entries(parseCookie(line))) {
      if (name !== "" && value !== undefined && !cookies.has(name)) cookies.set(name, value);
    }
  }
  return cookies;
}

function cookieLines(request: Request): readonly string[] {
  if (!(request instanceof HttpRequest)) {
    const line = request.headers.get("cookie");
    return line === null ? [] : [line];
  }
  const { fields } = request;
  return fields.filter(
    (_, index) => index % 2 === 1 && isName(fields[index - 1] as string, "cookie"),
  );
}

/**
 * Sets a cookie at a response or at headers, in place of one with the same name, domain and path set before. The value may be any
 * text: what a cookie cannot hold is percent-encoded. Defaults are the careful ones: not for scripts, not for requests that other
 * sites cause.
 *
 * @throws TypeError if name, domain or path cannot be written; if the name begins with `__Secure-` or `__Host-` and the options are not
 *   what that promises; if `sameSite: "none"` or `partitioned` is without `secure`: clients would ignore the cookie.
 * @throws RangeError if it is larger than clients take, or `maxAgeMs` is no number.
 *
 * Source: RFC 6265, and RFC 6265bis for prefixes and `SameSite`.
 *
 * @example A session
 * ```ts
 * import { HttpResponse, setCookie } from "@arborio/http";
 *
 * const response = new HttpResponse("welcome");
 * setCookie(response, "__Host-session", "8f3a…", { secure: true, maxAgeMs: 3_600_000 });
 * console.assert(response.headers.getSetCookie().length === 1);
 * ```
 */
export function setCookie(
  target: CookieTarget,
  name: string,
  value: string,
  options: CookieOptions = {},
): void {
  const { path = "/", domain, httpOnly = true, sameSite = "lax", maxAgeMs } = options;
  const { secure = false, partitioned = false } = options;
  requireNameAndValue(name, value);
  requireWhatClientsTake(name, { ...options, path, secure, sameSite, partitioned });
  const line = stringifySetCookie({
    name,
    value,
    path,
    secure,
    httpOnly,
    sameSite,
    partitioned,
    ...(domain === undefined ? {} : { domain }),
    ...(maxAgeMs === undefined ? {} : { maxAge: secondsOf(maxAgeMs) }),
  });
  replace("getSetCookie" in target ? target : target.headers, line);
}

/**
 * Makes the client forget a cookie. Name, domain, path and `partitioned` must be those it was set with.
 *
 * @throws as `setCookie`.
 */
export function deleteCookie(target: CookieTarget, name: string, scope: CookieScope = {}): void {
  const secure = scope.secure ?? (prefixOf(name) !== "" || scope.partitioned === true);
  setCookie(target, name, "", { ...scope, secure, maxAgeMs: 0 });
}

function requireNameAndValue(name: string, value: string): void {
  if (typeof name !== "string" || typeof value !== "string") {
    throw new TypeError(
      `setCookie: got a ${typeof name} as the name and a ${typeof value} as the value, needs strings`,
    );
  }
  if (!isToken(name)) {
    throw new TypeError(
      `setCookie: got the name ${JSON.stringify(name.slice(0, 80))}, needs a token: letters, digits and !#$%&'*+-.^_\`|~`,
    );
  }
  if (!value.isWellFormed()) {
    throw new TypeError("setCookie: got a value with half of a surrogate pair, needs text");
  }
}

/** What clients would ignore without a word. */
function requireWhatClientsTake(name: string, options: CookieOptions): void {
  const prefix = prefixOf(name);
  const where = `setCookie(…, "${name}")`;
  if (prefix !== "" && options.secure !== true) {
    throw new TypeError(`${where}: the prefix ${prefix} needs { secure: true }`);
  }
  if (prefix === "__Host-" && (options.domain !== undefined || options.path !== "/")) {
    throw new TypeError(`${where}: the prefix __Host- needs the path "/" and no domain`);
  }
  if (options.secure === true) return;
  if (options.sameSite === "none") {
    throw new TypeError(`${where}: sameSite: "none" needs { secure: true }`);
  }
  if (options.partitioned === true) {
    throw new TypeError(`${where}: partitioned needs { secure: true }`);
  }
}

/** Clients take them in any case. */
function prefixOf(name: string): "" | "__Secure-" | "__Host-" {
  const lower = name.toLowerCase();
  if (lower.startsWith("__host-")) return "__Host-";
  return lower.startsWith("__secure-") ? "__Secure-" : "";
}

function secondsOf(ms: number): number {
  const seconds = Math.ceil(ms / 1000);
  if (Number.isSafeInteger(seconds)) return Math.max(seconds, 0);
  throw new RangeError(
    `setCookie({ maxAgeMs }): got ${String(ms)}, needs a number of milliseconds`,
  );
}

/** Two of the same would leave it to the client which one counts: RFC 6265 §4.1.1. */
function replace(headers: Headers, line: string): void {
  const pairBytes = line.indexOf(";");
  if (pairBytes > COOKIE_BYTES_MAX) {
    throw new RangeError(
      `setCookie: got a cookie of ${pairBytes} bytes, needs at most ${COOKIE_BYTES_MAX}: clients ignore larger ones`,
    );
  }
  const identity = identityOf(line);
  const lines = headers.getSetCookie();
  const others = lines.filter((other) => identityOf(other) !== identity);
  if (others.length < lines.length) {
    headers.delete("set-cookie");
    for (const other of others) headers.append("set-cookie", other);
  }
  headers.append("set-cookie", line);
}

function identityOf(line: string): string {
  const { name, domain = "", path = "" } = parseSetCookie(line);
  return JSON.stringify([name, domain.toLowerCase(), path]);
}
