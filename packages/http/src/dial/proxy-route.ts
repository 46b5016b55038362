import { basicCredentials } from "../protocol/credentials.ts";
import { SocksHandshake } from "../protocol/socks/socks-handshake.ts";
import { fieldsFrom } from "../web/fields-from.ts";
import type { ProxyLike, ProxyOptions } from "./route-options.ts";
import type { ProxyCredentials, ProxyRoute, ProxyScheme } from "./route.ts";
import { socksVersion } from "./socks-tunnel.ts";
import { tlsOptions } from "./tls-options.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** Ports where the URL has none. SOCKS: RFC 1928 §3. */
const PORTS: Readonly<Record<ProxyScheme, number>> = {
  http: 80,
  https: 443,
  socks5: 1080,
  socks5h: 1080,
  socks4: 1080,
  socks4a: 1080,
};

/** What the requests to a proxy say by themselves. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "transfer-encoding",
  "upgrade",
]);

/**
 * A proxy as routes have it.
 *
 * @throws TypeError, RangeError if it is none. Passwords are not shown.
 */
export function proxyRoute(given: ProxyLike): ProxyRoute | null {
  if (given === null) return null;
  const options: ProxyOptions =
    typeof given === "string" || given instanceof URL ? { url: given } : given;
  if (typeof options !== "object")
    throw new TypeError(`proxy: got ${typeof given}, needs a URL, { url: … } or null`);
  const url = proxyUrl(options.url);
  const scheme = url.protocol.slice(0, -1) as ProxyScheme;
  const isSocks = scheme.startsWith("socks");
  if (isSocks && options.headers !== undefined)
    throw new TypeError(`proxy({ headers }): ${scheme} has none, needs a proxy of http: or https:`);
  if (scheme !== "https" && options.tls !== undefined)
    throw new TypeError(`proxy({ tls }): got a URL of ${scheme}:, needs one of https:`);
  const credentials = credentialsOf(options.credentials, url);
  if (isSocks) requireSocksCredentials(scheme, credentials);
  return {
    scheme,
    host: hostOf(url),
    port: url.port === "" ? PORTS[scheme] : Number(url.port),
    credentials,
    ...(isSocks ? NO_FIELDS : fieldsOf(credentials, options.headers)),
    tls: tlsOptions("proxy({ tls })", options.tls ?? {}),
  };
}

function proxyUrl(given: unknown): URL {
  const schemes = Object.keys(PORTS).join(", ");
  if (typeof given !== "string" && !(given instanceof URL))
    throw new TypeError(`proxy({ url }): got ${typeof given}, needs a URL`);
  if (!URL.canParse(given))
    throw new TypeError("proxy: got no URL, needs one as in http://proxy.example:3128");
  const url = new URL(given);
  // Without its credentials.
  const shown = `${url.protocol}//${url.host}${url.pathname}`;
  if (!Object.hasOwn(PORTS, url.protocol.slice(0, -1)))
    throw new TypeError(`proxy: got a URL of ${url.protocol}, needs one of ${schemes}`);
  if (url.hostname === "") throw new TypeError(`proxy: got ${shown}, needs a host`);
  if (url.port === "0") throw new RangeError(`proxy: got ${shown}, needs a port of 1 to 65535`);
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "")
    throw new TypeError(`proxy: got ${shown} with more behind it, needs a URL without a path`);
  return url;
}

/** As the URL standard has hosts of HTTP: only those have all ways to write a number, and names beyond ASCII, in one form. */
function hostOf({ hostname }: URL): string {
  const plain = `http://${hostname}/`;
  if (!URL.canParse(plain))
    throw new TypeError(`proxy: got the host ${JSON.stringify(hostname)}, needs a name or address`);
  return new URL(plain).hostname.replace(/^\[(.*)\]$/, "$1");
}

function credentialsOf(
  given: ProxyCredentials | undefined,
  { username, password }: URL,
): ProxyCredentials | null {
  if (given !== undefined) {
    if (typeof given?.user === "string" && typeof given.password === "string")
      return { user: given.user, password: given.password };
    throw new TypeError("proxy({ credentials }): needs { user, password }, two strings");
  }
  if (username === "" && password === "") return null;
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    throw new TypeError(
      "proxy: the credentials of the URL have a percent sign that is none of an encoding, needs %25",
    );
  }
}

/** @throws TypeError, RangeError if SOCKS cannot say them. */
function requireSocksCredentials(scheme: ProxyScheme, credentials: ProxyCredentials | null): void {
  if (credentials === null) return;
  void new SocksHandshake({
    version: socksVersion({ scheme }),
    host: "proxy.invalid",
    port: 1,
    credentials,
  });
}

type ProxyFields = Pick<ProxyRoute, "fieldText" | "hasAuthorization">;

const NO_FIELDS: ProxyFields = { fieldText: "", hasAuthorization: false };

function fieldsOf(
  credentials: ProxyCredentials | null,
  headers: HeadersSource | undefined,
): ProxyFields {
  const fields = headers === undefined ? [] : fieldsFrom("proxy({ headers })", headers);
  let text = "";
  let hasAuthorization = false;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const lower = name.toLowerCase();
    if (OWN_FIELDS.has(lower)) {
      throw new TypeError(
        `proxy({ headers }): got ${name}, which the request says by itself, needs others`,
      );
    }
    if (lower === "proxy-authorization") hasAuthorization = true;
    text += `${name}: ${fields[at + 1]}\r\n`;
  }
  if (credentials === null) return { fieldText: text, hasAuthorization };
  if (hasAuthorization)
    throw new TypeError("proxy: got proxy-authorization and credentials, needs one of them");
  const own = basicCredentials(credentials.user, credentials.password);
  return { fieldText: `proxy-authorization: ${own}\r\n${text}`, hasAuthorization: true };
}
