import { isToken, trimSpace } from "../protocol/characters.ts";
import { requireAuth } from "./authorization.ts";
import { checkRequestBodyOptions } from "./body-options.ts";
import type { FetchOptions, RequestDefaults } from "./client-options.ts";
import { CookieJar } from "./cookie-jar.ts";
import { FETCH_NAMES } from "./fetch-names.ts";
import {
  describe,
  requireCount,
  requireKnown,
  requireObject,
  requireOneOf,
} from "./require-option.ts";
import { responseBodiesOf } from "./response-bodies.ts";

const REDIRECT = ["follow", "manual", "error"];

/** Methods that `fetch` writes in upper case; it leaves others as they are. */
const NORMALIZED: ReadonlySet<string> = new Set([
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "POST",
  "PUT",
]);

/** @throws TypeError, RangeError for what is no option of a request, or cannot be honoured. */
export function checkFetchOptions(options: FetchOptions): void {
  requireObject("fetch(url, options)", options);
  requireKnown("fetch", options, FETCH_NAMES);
  checkRequestDefaults("fetch", options);
  checkRequestBodyOptions("fetch", options);
  const { redirectsMax, cookies, credentials, cache, integrity, upgrade, signal } = options;
  if (redirectsMax !== undefined) requireCount("fetch({ redirectsMax })", redirectsMax, 0);
  if (cookies !== undefined) requireCookies(cookies);
  if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal))
    throw new TypeError(`fetch({ signal }): got ${describe(signal)}, needs an AbortSignal`);
  if (upgrade !== undefined && !isProtocolList(upgrade))
    throw new TypeError(`fetch({ upgrade }): got ${describe(upgrade)}, needs a protocol's name`);
  if (credentials !== undefined)
    requireOneOf("fetch({ credentials })", credentials, ["omit", "same-origin", "include"]);
  if (cache !== undefined) {
    if (cache === "force-cache" || cache === "only-if-cached") {
      throw new TypeError(
        `fetch({ cache: "${cache}" }): a client has no cache of its own, so this cannot be honoured; needs another, or a middleware that caches`,
      );
    }
    requireOneOf("fetch({ cache })", cache, ["default", "no-store", "reload", "no-cache"]);
  }
  if (integrity !== undefined && integrity !== "") {
    throw new TypeError(
      "fetch({ integrity }): it cannot be honoured, since a body is given before all of it is there; read the body and compare its digest",
    );
  }
}

/** Names, with versions or without: RFC 9110 §7.8. */
function isProtocolList(upgrade: unknown): boolean {
  if (typeof upgrade !== "string") return false;
  return upgrade
    .split(",")
    .flatMap((protocol) => trimSpace(protocol).split("/", 2))
    .every(isToken);
}

function requireCookies(cookies: unknown): void {
  requireObject("fetch({ cookies })", cookies);
  if (cookies instanceof CookieJar)
    throw new TypeError(
      "fetch({ cookies }): got a CookieJar, needs a record of names and values; a jar is the client's: openHttpClient({ cookies: jar })",
    );
}

/** @throws TypeError, RangeError for what is none. */
export function checkRequestDefaults(where: string, options: RequestDefaults): void {
  const { auth, redirect, raiseForStatus, middleware, tls } = options;
  if (auth !== undefined) requireAuth(`${where}({ auth })`, auth);
  if (redirect !== undefined) requireOneOf(`${where}({ redirect })`, redirect, REDIRECT);
  if (tls !== undefined) requireObject(`${where}({ tls })`, tls);
  if (
    raiseForStatus !== undefined &&
    typeof raiseForStatus !== "boolean" &&
    typeof raiseForStatus !== "function"
  ) {
    throw new TypeError(
      `${where}({ raiseForStatus }): got ${describe(raiseForStatus)}, needs true, false, or a function of the response`,
    );
  }
  responseBodiesOf(where, options);
  if (middleware === undefined) return;
  if (!Array.isArray(middleware) || middleware.some((one) => typeof one !== "function")) {
    throw new TypeError(
      `${where}({ middleware }): got ${describe(middleware)}, needs a list of functions (request, next) => response`,
    );
  }
}

/** A method as `fetch` has it. @throws TypeError if it is none, or has a way of its own. */
export function normalizedMethod(where: string, method: string): string {
  if (NORMALIZED.has(method)) return method;
  if (typeof method !== "string" || !isToken(method)) {
    throw new TypeError(`${where}({ method }): got ${describe(method)}, needs a token`);
  }
  const upper = method.toUpperCase();
  if (upper === "CONNECT")
    throw new TypeError(`${where}({ method }): got CONNECT, which only proxies are asked with`);
  return NORMALIZED.has(upper) ? upper : method;
}
