import { FieldHeaders } from "../web/field-headers.ts";
import type { ResponseHead } from "../protocol/message.ts";

/** The `cause` of a `RequestFailedError` in the phase `"proxy"`: a proxy does not connect to the server, and says so by a response. */
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
