import type { FieldHeaders } from "../web/field-headers.ts";
import type { ClientResponse } from "./client-response.ts";

/**
 * The server did not begin the WebSocket that was asked for: it refused, or its answer is no good handshake.
 *
 * Counterpart: `aiohttp.WSServerHandshakeError`.
 */
export class WebSocketHandshakeError extends Error {
  /** The name of the class. */
  override readonly name: string = "WebSocketHandshakeError";
  /** Of the response. */
  readonly status: number;
  /** Of the response. */
  readonly headers: FieldHeaders;
  /** Where it came from. */
  readonly url: string;

  /** Made by the client. */
  constructor({ status, headers, url }: ClientResponse, wrong: string) {
    super(`${url} gave no WebSocket: ${wrong}`);
    this.status = status;
    this.headers = headers;
    this.url = url;
  }
}
