import type { Credentials } from "../client/client-options.ts";
import { describe, requireKnown } from "../client/require-option.ts";
import { netrcCredentials, type NetrcEntry, parseNetrc } from "../protocol/netrc.ts";

/** Options of `netrcAuth`. */
export interface NetrcAuthOptions {
  /** Whether URLs of `http:`, on whose way everybody can read passwords, get none. Default `false`, as with curl. */
  readonly httpsOnly?: boolean;
}

const NAMES: Readonly<Record<keyof NetrcAuthOptions, true>> = { httpsOnly: true };

/**
 * User and password by host, as a netrc file has them: for the option `auth` of a client or a request. Each URL gets what the file has for its
 * host, be it asked for or redirected to, and nothing of another host's. Credentials in a URL and an `Authorization` among the
 * headers come first. A file knows hosts, not ports: all ports of a host get the same.
 *
 * For a client with a `base` it is asked about that origin alone, as any `auth` of a client is.
 *
 * @param netrc Text of the file, or its entries.
 * @throws SyntaxError, RangeError if the text is no netrc. No password is shown.
 * @throws TypeError for wrong options.
 *
 * Counterpart: `curl --netrc`, `aiohttp.ClientSession(trust_env=True)`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse, netrcAuth, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(
 *     ({ headers }) => new HttpResponse(headers.get("authorization")),
 *     { host: "127.0.0.1", port: 0 },
 *   );
 *   const auth = netrcAuth('machine 127.0.0.1 login Aladdin password "open sesame"');
 *   await using client = openHttpClient({ auth });
 *   const response = await client.request(server.url);
 *   console.assert(response.text() === "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
 * });
 * ```
 */
export function netrcAuth(
  netrc: string | readonly NetrcEntry[],
  options: NetrcAuthOptions = {},
): (url: string) => Credentials | null {
  requireKnown("netrcAuth", options, NAMES);
  const { httpsOnly = false } = options;
  if (typeof httpsOnly !== "boolean")
    throw new TypeError(
      `netrcAuth({ httpsOnly }): got ${describe(httpsOnly)}, needs true or false`,
    );
  if (typeof netrc !== "string" && !Array.isArray(netrc))
    throw new TypeError(
      `netrcAuth: got ${describe(netrc)}, needs the text of a netrc file, or a list of entries`,
    );
  const entries = typeof netrc === "string" ? parseNetrc(netrc) : [...netrc];
  return (url) => {
    const { protocol, hostname } = new URL(url);
    if (httpsOnly && protocol !== "https:") return null;
    return netrcCredentials(entries, hostname.replace(/^\[|\]$/g, ""));
  };
}
