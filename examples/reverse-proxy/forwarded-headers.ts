import { HttpError, type RequestContext } from "@arborio/http";

/** Names this proxy in `Via`, by which it knows its own requests again. */
const NAME = "arborio-proxy";

/**
 * The headers of a request as they are passed on. Of what concerns the one connection only (RFC 9110 §7.6.1), the HTTP client keeps nothing. What the
 * client says of itself in `Forwarded` and `X-Forwarded-…` may be made up: they are written anew, with what the server knows of it, and what proxies
 * in front have told that the server trusts.
 *
 * @throws HttpError if the request was here before.
 */
export function forwardedHeaders(request: Request, { client }: RequestContext): Headers {
  const { address, scheme, host } = client;
  const via = request.headers.get("via");
  if (via?.includes(NAME)) throw new HttpError(508, "the request has come back to this proxy");

  const headers = new Headers(request.headers);
  headers.set("via", via === null ? `1.1 ${NAME}` : `${via}, 1.1 ${NAME}`);
  headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-proto", scheme);
  headers.set("x-forwarded-host", host);
  const node = address.includes(":") ? `[${address}]` : address;
  headers.set("forwarded", `for="${node}";host="${host}";proto=${scheme}`);
  return headers;
}
