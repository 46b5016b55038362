import { describe } from "./require-option.ts";

/** A URL taken apart once, as requests need it. */
export interface RequestUrl {
  /** Whole, without credentials and fragment. */
  readonly href: string;
  /** `"http://example.org"`. */
  readonly origin: string;
  readonly scheme: "http" | "https";
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** For the field `Host`: with the port unless it is the scheme's. */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  /** With its `#`; `""` if there is none. */
  readonly fragment: string;
  /** Decoded; `null` if there are none. */
  readonly credentials: { readonly user: string; readonly password: string } | null;
}

/** So many URLs are kept apart, since programs ask the same few again and again. */
const KNOWN_MAX = 256;

/** Longer ones are not kept. In characters. */
const KNOWN_CHARACTERS_MAX = 512;

/** Of a URL that is none, so many characters are shown. */
const SHOWN_CHARACTERS_MAX = 200;

/** It was meant as a whole one, so a `base` would not help. */
const ABSOLUTE = /^https?:/i;

/** Takes URLs apart. */
export class RequestUrls {
  readonly #base: string | undefined;
  readonly #known: Map<string, RequestUrl> = new Map();

  constructor(base: string | undefined) {
    this.#base = base;
  }

  /** @throws TypeError if it is no URL of HTTP, or relative and there is no base. */
  parse(url: string | URL): RequestUrl {
    if (typeof url !== "string") return requestUrlOf(urlOf(url));
    const known = this.#known.get(url);
    if (known !== undefined) return known;
    const parsed = requestUrlOf(this.#absolute(url));
    if (url.length > KNOWN_CHARACTERS_MAX) return parsed;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(url, parsed);
    return parsed;
  }

  #absolute(url: string): URL {
    if (URL.canParse(url, this.#base)) return new URL(url, this.#base);
    if (ABSOLUTE.test(url))
      throw new TypeError(`fetch: got ${shownUrl(url)}, needs a valid host and port`);
    throw new TypeError(
      `fetch: got ${shownUrl(url)}, needs ${this.#base === undefined ? "an absolute URL, or a client with { base }" : "a URL"}`,
    );
  }
}

/** @throws TypeError if it is no URL of HTTP. */
export function requestUrlOf(url: URL): RequestUrl {
  const { protocol, hostname, port, host, pathname, search, hash, username, password } = url;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(`fetch: got a URL of ${protocol}, needs http: or https:`);
  }
  const scheme = protocol === "https:" ? "https" : "http";
  const origin = `${protocol}//${host}`;
  const target = pathname + search;
  const credentials =
    username === "" && password === ""
      ? null
      : { user: percentDecoded(username), password: percentDecoded(password) };
  return {
    href: origin + target,
    origin,
    scheme,
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: port === "" ? (scheme === "https" ? 443 : 80) : Number(port),
    authority: host,
    target,
    fragment: hash,
    credentials,
  };
}

/** Of another class than the platform's, it is taken by its text. @throws TypeError if it is none. */
function urlOf(url: unknown): URL {
  if (url instanceof URL) return url;
  const text = typeof url === "object" && url !== null ? String(url) : "";
  if (URL.canParse(text)) return new URL(text);
  throw new TypeError(`fetch: got ${describe(url)}, needs a URL as text, a URL or a Request`);
}

/** The same with more in its query. */
export function withQuery(url: RequestUrl, params: URLSearchParams): RequestUrl {
  const added = params.toString();
  if (added === "") return url;
  const joint = url.target.includes("?") ? (/[?&]$/.test(url.target) ? "" : "&") : "?";
  return {
    ...url,
    href: url.href + joint + added,
    target: url.target + joint + added,
  };
}

/**
 * What relative URLs are relative to.
 *
 * @throws TypeError if it is no absolute URL of HTTP, or its last part would be lost.
 */
export function requireBase(where: string, base: unknown): URL {
  const text = String(base);
  if (!URL.canParse(text))
    throw new TypeError(`${where}({ base }): got ${shownUrl(text)}, needs an absolute URL`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new TypeError(`${where}({ base }): got a URL of ${url.protocol}, needs http: or https:`);
  if (url.pathname.endsWith("/") && url.search === "" && url.hash === "") return url;
  throw new TypeError(
    `${where}({ base }): got ${shownUrl(text)}, needs a path that ends with "/", and no query: "a" relative to "/v1" is "/a" (RFC 3986 §5.2), relative to "/v1/" it is "/v1/a"`,
  );
}

/** A URL in a message, without what may be credentials in it. */
export function shownUrl(url: string): string {
  const shown = url.replace(/\/\/[^/?#]*@/, "//…@");
  return JSON.stringify(
    shown.length > SHOWN_CHARACTERS_MAX ? `${shown.slice(0, SHOWN_CHARACTERS_MAX)}…` : shown,
  );
}

/** What is not percent-encoded UTF-8 is taken as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
