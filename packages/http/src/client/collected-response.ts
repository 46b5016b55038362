import type { FieldList } from "../protocol/message.ts";
import type { FieldHeaders } from "../web/field-headers.ts";
import type { ClientResponse } from "./client-response.ts";
import { jsonOf } from "./json-of.ts";
import { StatusError } from "./status-error.ts";

const decoder = new TextDecoder();

/** A response that has come whole: what `client.request` gives. */
export class CollectedResponse {
  /** 200 to 999. */
  readonly status: number;
  /** All of the body. */
  readonly bytes: Uint8Array;
  readonly #response: ClientResponse;

  /** @internal */
  constructor(response: ClientResponse, bytes: Uint8Array) {
    this.status = response.status;
    this.bytes = bytes;
    this.#response = response;
  }

  /** Whether the status is one of success: 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** Immutable. */
  get headers(): FieldHeaders {
    return this.#response.headers;
  }

  /** The field lines, names and values in turn. */
  get fields(): FieldList {
    return this.#response.fields;
  }

  /** The fields that came after the body. */
  get trailers(): FieldList {
    return this.#response.trailers;
  }

  /** Bytes of the body as they came on the network: fewer than `bytes`, if it was compressed. */
  get bytesReceived(): number {
    return this.#response.bytesReceived;
  }

  /** Where it came from, after redirects. */
  get url(): string {
    return this.#response.url;
  }

  /** The redirects that led to it, the first one first. */
  get history(): readonly ClientResponse[] {
    return this.#response.history;
  }

  /** Gives this response if its status is below 400. @throws StatusError for another. */
  raiseForStatus(): this {
    if (this.status < 400) return this;
    const { status, statusText, url, headers, request } = this.#response;
    const { method } = request;
    throw new StatusError({ status, statusText, url, headers, method, bytes: this.bytes });
  }

  /** The body as UTF-8; what is none becomes U+FFFD. */
  text(): string {
    return decoder.decode(this.bytes);
  }

  /** The body as JSON. @throws SyntaxError if it is none; it tells what came from where. */
  json(): unknown {
    return jsonOf(this.text(), this.#response);
  }
}
