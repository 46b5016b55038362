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

/** Takes URLs apart. */
export class RequestUrls {
  readonly #base: string | undefined;
  readonly #known: Map<string, RequestUrl> = new Map();

  constructor(base: string | undefined) {
    this.#base = base;
  }

  /** @throws TypeError if it is no URL of HTTP, or relative and there is no base. */
  parse(url: string | URL): RequestUrl {
    if (typeof url !== "string") return requestUrlOf(url);
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
    throw new TypeError(
      `fetch: got ${JSON.stringify(url.slice(0, 200))}, needs ${this.#base === undefined ? "an absolute URL, or a client with { base }" : "a URL"}`,
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
      : { user: decodeURIComponent(username), password: decodeURIComponent(password) };
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
