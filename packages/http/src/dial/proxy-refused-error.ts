import { FieldHeaders } from "../web/field-headers.ts";
import type { ResponseHead } from "../protocol/message.ts";

/**
 * The `cause` of a `RequestFailedError` in the phase `"proxy"`: a proxy does not connect to the server, and says so by a response.
 * Counterpart: `aiohttp.ClientHttpProxyError`.
 *
 * @example A server that is no proxy
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse, openHttpClient, openServer, ProxyRefusedError } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(() => new HttpResponse("hello"), { port: 0 });
 *   await using client = openHttpClient({ proxy: server.url });
 *   const error = await client.fetch("https://example.org/").catch((e) => e);
 *   console.assert(error.reason === "refused-by-proxy" && error.cause instanceof ProxyRefusedError);
 *   console.assert(error.cause.status >= 400);
 * });
 * ```
 */
export class ProxyRefusedError extends Error {
  /** `"ProxyRefusedError"`. */
  override readonly name: string = "ProxyRefusedError";
  /** Of its response: 407 if it wants other credentials, or any at all. */
  readonly status: number;
  /** The fields of its response: a 407 has `proxy-authenticate`. */
  readonly headers: Headers;

  /** @internal */
  constructor(message: string, { status, fields }: ResponseHead) {
    super(message);
    this.status = status;
    this.headers = new FieldHeaders(fields.slice(), true);
  }
}
