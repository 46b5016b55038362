import { parseNoProxy } from "./no-proxy.ts";

/** Through which proxy a URL is to be reached; `null`: through none. */
export type ProxyChooser = (url: URL) => URL | null;

/** What may stand before the host of a proxy. */
const SCHEMES: readonly string[] = [
  "http:",
  "https:",
  "socks4:",
  "socks4a:",
  "socks5:",
  "socks5h:",
];

/** The variables that count, the first first, and the port of a URL that has none. */
const KINDS: ReadonlyMap<string, { readonly names: readonly string[]; readonly port: number }> =
  new Map([
    ["http:", { names: ["http_proxy", "all_proxy"], port: 80 }],
    ["https:", { names: ["https_proxy", "all_proxy"], port: 443 }],
    ["ws:", { names: ["ws_proxy", "http_proxy", "all_proxy"], port: 80 }],
    ["wss:", { names: ["wss_proxy", "https_proxy", "all_proxy"], port: 443 }],
  ]);

/**
 * Chooses proxies by the variables of an environment, as curl, Go and most others do.
 *
 * - `http_proxy` for `http:`, `https_proxy` for `https:`; for `ws:` and `wss:` `ws_proxy` and `wss_proxy`, and without them what `http:`
 *   and `https:` have; `all_proxy` for what has none of its own.
 * - Names in lower case come before those in upper case. What is empty is not there.
 * - `HTTP_PROXY` in upper case counts nothing where there is a `REQUEST_METHOD`: then the program may be a CGI script, and the variable
 *   the field `Proxy` of a request, set by anybody (httpoxy, CVE-2016-5385).
 * - A proxy is a URL with `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`, or a host with its port, which is `http`. User
 *   and password may stand in it.
 * - `no_proxy`: what is reached without, see there. `localhost` is no exception unless it says so.
 *
 * @param environment The variables, by name.
 * @returns the chooser; for other URLs than those it gives `null`. It throws `TypeError` for a URL whose proxy cannot be understood, so that nothing goes without the proxy
 *   that was wanted; the value, which may hold a password, is not shown.
 *
 * Counterpart: `urllib.request.getproxies_environment`; `http.ProxyFromEnvironment` of Go.
 *
 * @example
 * ```ts
 * import { createProxyChooser } from "@arborio/http/protocol";
 *
 * const choose = createProxyChooser({ https_proxy: "http://proxy.example:3128", no_proxy: "localhost,.internal" });
 * console.assert(choose(new URL("https://example.org/"))?.host === "proxy.example:3128");
 * console.assert(choose(new URL("https://db.internal/")) === null);
 * console.assert(choose(new URL("http://example.org/")) === null);
 * ```
 */
export function createProxyChooser(
  environment: Readonly<Record<string, string | undefined>>,
): ProxyChooser {
  // What the variables are later is not asked for.
  const variables = new Map(Object.entries(environment));
  const [, exceptions = ""] = variable(variables, "no_proxy") ?? [];
  const isExempt = parseNoProxy(exceptions);
  return (url) => {
    const { names, port } = KINDS.get(url.protocol) ?? { names: [], port: 0 };
    for (const name of names) {
      const found = variable(variables, name);
      if (found === null) continue;
      return isExempt(hostOf(url), url.port === "" ? port : Number(url.port))
        ? null
        : proxyUrl(...found);
    }
    return null;
  };
}

/** The name under which it was found, and its value. */
function variable(
  variables: ReadonlyMap<string, string | undefined>,
  name: string,
): readonly [name: string, value: string] | null {
  for (const spelling of [name, name.toUpperCase()]) {
    if (spelling === "HTTP_PROXY" && variables.has("REQUEST_METHOD")) continue;
    const value = (variables.get(spelling) ?? "").trim();
    if (value !== "") return [spelling, value];
  }
  return null;
}

function proxyUrl(name: string, value: string): URL {
  const url = URL.parse(/^[A-Za-z][0-9A-Za-z+.-]*:\/\//.test(value) ? value : `http://${value}`);
  if (url === null || url.hostname === "") {
    throw new TypeError(
      `${name}: its value is no URL: one like http://proxy.example:3128 was expected`,
    );
  }
  if (SCHEMES.includes(url.protocol)) return url;
  throw new TypeError(
    `${name}: got a proxy with ${url.protocol}//, needs one of ${SCHEMES.map((one) => `${one}//`).join(", ")}`,
  );
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}
