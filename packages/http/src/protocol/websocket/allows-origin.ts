/** Which pages may connect: a list of origins (`"https://app.example.org"`), a function that decides, or `"any"`. */
export type AllowedOrigins = "any" | readonly string[] | ((origin: string) => boolean);

/**
 * Whether a page of this origin may connect. Browsers let every page open a WebSocket to every server, with the server's cookies, so the
 * server has to look (RFC 6455 §10.2: cross-site WebSocket hijacking).
 *
 * @param origin value of the field `Origin`; `null` if there is none: no browser, so no cookies of somebody else's.
 * @param host the host, with its port, that the request is for.
 * @param allowed beside the pages of `host` itself. Default: none.
 *
 * @example
 * ```ts
 * import { allowsOrigin } from "@arborio/http/protocol";
 *
 * console.assert(allowsOrigin("https://example.org", "example.org"));
 * console.assert(!allowsOrigin("https://evil.test", "example.org"));
 * ```
 */
export function allowsOrigin(
  origin: string | null,
  host: string,
  allowed: AllowedOrigins = [],
): boolean {
  if (origin === null || allowed === "any") return true;
  if (typeof allowed === "function") return allowed(origin);
  const normal = origin.toLowerCase();
  if (allowed.some((one) => one.toLowerCase() === normal)) return true;
  return isOf(normal, host.toLowerCase());
}

/** By host and port alone: behind a proxy a server need not know whether the page came by HTTPS. */
function isOf(origin: string, host: string): boolean {
  const [, scheme, authority] = /^(https?):\/\/([^/?#@]+)$/.exec(origin) ?? [];
  if (scheme === undefined || authority === undefined || host === "") return false;
  return withoutPort(authority, scheme) === withoutPort(host, scheme);
}

function withoutPort(authority: string, scheme: string): string {
  const port = scheme === "https" ? ":443" : ":80";
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
}
