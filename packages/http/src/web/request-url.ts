import { HttpError } from "./http-error.ts";
import type { RequestHead } from "../protocol/message.ts";

/** What the URL of a request is made of. */
interface UrlSource {
  readonly head: RequestHead;
  readonly scheme: string;
  readonly fallbackHost: string;
  readonly host?: string | undefined;
}

/** A path, perhaps with a query, that the URL parser would leave as it is: no dot segments, nothing to be encoded. */
const PLAIN_TARGET = /^(?:\/(?!\.)[\w\-.~!$&()*+,;=:@]*)+(?:\?[\w\-.~!$&()*+,;=:@/?%]*)?$/;

/** What ends an authority, or hides another one in it. */
const NOT_IN_AUTHORITY = /[/?#\\@]/;

const ORIGIN = /^[^/]*\/\/[^/]*/;

/** The last authority and the origin it gives: most requests of a server have the same. */
let lastKey = "";
let lastOrigin = "";

/**
 * The URL of a request (RFC 9110 §7.1, RFC 9112 §3.3), normalised as by the web's `URL`.
 *
 * @throws HttpError 400 if it is none.
 */
export function requestUrl(source: UrlSource): string {
  const { head, scheme, fallbackHost, host } = source;
  const { target, authority } = head;
  const origin = originOf(scheme, host ?? (authority === "" ? fallbackHost : authority));
  if (target.startsWith("/")) {
    const url = origin + target;
    return PLAIN_TARGET.test(target) ? url : parsed(url);
  }
  // The asterisk of OPTIONS and the authority of CONNECT stand for an empty path.
  if (target === "*" || head.method === "CONNECT") return `${origin}/`;
  const url = parsed(target);
  return host === undefined ? url : origin + url.replace(ORIGIN, "");
}

function originOf(scheme: string, authority: string): string {
  const key = `${scheme}://${authority}`;
  if (key === lastKey) return lastOrigin;
  if (NOT_IN_AUTHORITY.test(authority)) throw notAUrl();
  const url = parsed(key);
  lastKey = key;
  lastOrigin = url.slice(0, -1);
  return lastOrigin;
}

function parsed(url: string): string {
  if (!URL.canParse(url)) throw notAUrl();
  return new URL(url).href;
}

function notAUrl(): HttpError {
  return new HttpError(400, "the host and target of the request are no URL");
}
