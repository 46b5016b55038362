import type { FieldList } from "../protocol/message.ts";
import { BodyReader } from "./body-reader.ts";
import { FieldHeaders } from "./field-headers.ts";
import { firstField } from "./field-names.ts";
import { fieldsFrom, pairsOf } from "./fields-from.ts";
import { type BodySource, contentOf, lengthOf, type Payload, TEXT_TYPE } from "./payload.ts";
import { actAs } from "./platform-class.ts";
import { textStreamOf } from "./text-stream.ts";
import type { HeadersSource } from "./headers-source.ts";

/** Options of `HttpResponse`: the web's, and trailers. */
export interface HttpResponseInit extends ResponseInit {
  /**
   * Called when the body has been sent: gives the fields to send after it, where the protocol and the client allow for them; as
   * headers, or names and values in turn. Default `null`: none.
   */
  readonly trailers?: (() => HeadersSource | FieldList) | null;
}

// Frozen, by which the sender knows that their head can be kept.
const NO_FIELDS: FieldList = Object.freeze([]);
const TEXT_FIELDS: FieldList = Object.freeze(["content-type", TEXT_TYPE]);
const JSON_TYPE = "application/json";
const JSON_FIELDS: FieldList = Object.freeze(["content-type", JSON_TYPE]);

/** Statuses that cannot have a body: RFC 9110 §15. */
const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([101, 204, 205, 304]);
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * A response that is made at next to no cost: the web's `Response`, but that headers and streams are made only when they are asked for.
 * `instanceof Response` holds. Beyond the web it takes Arborio's streams, async iterables and producers as bodies, and trailers.
 *
 * Bytes are not copied: do not change them before they are sent. A response of text or bytes may be given more than once.
 *
 * @throws RangeError if the status is none of a response: 101, or a whole number from 200 to 599.
 * @throws TypeError if the body cannot be sent, or not with this status, or a field or the reason cannot be written.
 *
 * @example Text, JSON, and a body that is made while it is sent
 * ```ts
 * import { HttpResponse } from "@arborio/http";
 *
 * const text = new HttpResponse("hello", { status: 201 });
 * const json = HttpResponse.json({ hello: "world" });
 * const lines = new HttpResponse(async (sink) => {
 *   for (let count = 1; count <= 3; count += 1) await sink.send(`line ${count}\n`);
 * });
 * console.assert((await text.text()) === "hello");
 * console.assert((await json.json()).hello === "world");
 * console.assert((await lines.text()) === "line 1\nline 2\nline 3\n");
 * ```
 */
export class HttpResponse implements Response {
  #status: number = 200;
  #statusText: string = "";
  #fields: FieldList;
  #headers: FieldHeaders | null = null;
  #body: Payload | ReadableStream;
  #reader: BodyReader | null = null;
  /** What a web stream was made into, to be sent. */
  #taken: Payload = null;
  #payloadBytes: number | undefined = undefined;
  #trailers: (() => HeadersSource | FieldList) | null = null;

  /** A response with this body: 200, unless `init` says otherwise. */
  constructor(body?: BodySource, init?: HttpResponseInit) {
    if (typeof body === "string") {
      this.#body = body;
      this.#fields = init === undefined ? TEXT_FIELDS : this.#begin(init, TEXT_TYPE);
    } else if (body === null || body === undefined) {
      this.#body = null;
      this.#fields = init === undefined ? NO_FIELDS : this.#begin(init, "");
    } else {
      const content = contentOf("new HttpResponse", body);
      this.#body = content.body;
      this.#payloadBytes = content.bytes;
      this.#fields = this.#begin(init ?? null, content.type);
    }
  }

  /** A response with `data` as JSON. @throws TypeError if it cannot be written as JSON. */
  static json(data: unknown, init?: HttpResponseInit): HttpResponse {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) {
      throw new TypeError(`HttpResponse.json: got ${typeof data}, needs what JSON can express`);
    }
    const response = new HttpResponse(null);
    response.#body = text;
    response.#fields = init === undefined ? JSON_FIELDS : response.#begin(init, JSON_TYPE);
    return response;
  }

  /**
   * Sends the client elsewhere. Unlike the web's it takes relative URLs too, and its headers may be changed.
   *
   * @param status 301, 302, 303, 307 or 308. Default 302.
   * @throws RangeError if the status is none of those.
   */
  static redirect(url: string | URL, status: number = 302): HttpResponse {
    if (!REDIRECT_STATUSES.has(status)) {
      throw new RangeError(
        `HttpResponse.redirect: got status ${String(status)}, needs 301, 302, 303, 307 or 308`,
      );
    }
    const response = new HttpResponse(null);
    response.#status = status;
    response.#fields = ["location", locationOf(String(url))];
    return response;
  }

  /** What `fetch` gives for a failure of the network. It cannot be sent. */
  static error(): HttpResponse {
    const response = new HttpResponse(null);
    response.#status = 0;
    return response;
  }

  // The head -------------------------------------------------------------------------------------------------------------

  /** 101, or 200 to 599. */
  get status(): number {
    return this.#status;
  }

  /** The reason phrase; `""`: the usual one is sent. */
  get statusText(): string {
    return this.#statusText;
  }

  /** Whether the status is one of success: 200 to 299. */
  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  /** Made on first use. May be changed until the response is sent. */
  get headers(): FieldHeaders {
    this.#headers ??= new FieldHeaders(this.#fields.slice(), false);
    return this.#headers;
  }

  /** `"default"`, or `"error"` of `HttpResponse.error()`. */
  get type(): Response["type"] {
    return this.#status === 0 ? "error" : "default";
  }

  /** `""`: it was not fetched. */
  get url(): string {
    return "";
  }

  /** `false`: it was not fetched. */
  get redirected(): boolean {
    return false;
  }

  // For who sends it -----------------------------------------------------------------------------------------------------

  /** The field lines, names and values in turn, in the order they were set. Not to be changed. */
  get fields(): FieldList {
    return this.#headers === null ? this.#fields : this.#headers.fields;
  }

  /** @internal What is to be sent as the body. @throws TypeError if it was read already. */
  get payload(): Payload {
    const body = this.#body;
    if (this.#reader === null && !(body instanceof ReadableStream)) return body;
    this.#taken ??= this.#content.payload("payload");
    return this.#taken;
  }

  /** @internal Bytes of a body that is a stream, if they are known before it is read. */
  get payloadBytes(): number | undefined {
    if (this.#payloadBytes !== undefined || !(this.#body instanceof ReadableStream)) {
      return this.#payloadBytes;
    }
    return lengthOf(this.payload);
  }

  /** Gives the fields to send after the body; `null`: none. */
  get trailers(): (() => FieldList) | null {
    const give = this.#trailers;
    return give === null ? null : () => fieldsFrom("HttpResponse trailers", pairsOf(give()));
  }

  // The body -------------------------------------------------------------------------------------------------------------

  /** As the web's: made on first use; reading it is reading the body. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#content.web;
  }

  /** Whether the body was read, or is being read. */
  get bodyUsed(): boolean {
    return this.#content.used;
  }

  /** All of the body. */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#content.bytes();
  }

  /** All of the body. */
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#content.bytes()).buffer;
  }

  /** All of the body, as UTF-8; what is none becomes U+FFFD. */
  text(): Promise<string> {
    return this.#content.text();
  }

  /** All of the body, as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as the web declares it
  async json(): Promise<any> {
    return JSON.parse(await this.#content.text());
  }

  /** All of the body, with its type. */
  async blob(): Promise<Blob> {
    return new Blob([await this.#content.bytes()], { type: this.#type });
  }

  /** All of the body, as a form. */
  async formData(): Promise<FormData> {
    const bytes = await this.#content.bytes();
    return new Response(bytes, { headers: { "content-type": this.#type } }).formData();
  }

  /** The body as text. */
  textStream(): ReadableStream<string> {
    return textStreamOf(this.#content, "textStream");
  }

  /** A second response with the same body. @throws TypeError if the body was read. */
  clone(): HttpResponse {
    const reader = this.#content.tee();
    const clone = new HttpResponse(null);
    clone.#status = this.#status;
    clone.#statusText = this.#statusText;
    clone.#fields = this.fields.slice();
    clone.#body = this.#body;
    clone.#reader = reader;
    clone.#payloadBytes = this.#payloadBytes;
    clone.#trailers = this.#trailers;
    return clone;
  }

  get #content(): BodyReader {
    this.#reader ??= new BodyReader("response", this.#body);
    return this.#reader;
  }

  get #type(): string {
    return firstField(this.fields, "content-type") ?? "";
  }

  /** Takes over the options. Gives the fields, with the type of the body unless the user gave one. */
  #begin(init: HttpResponseInit | null, type: string): FieldList {
    // The web takes null for no options, too.
    const { status = 200, statusText = "", headers, trailers } = init ?? {};
    if (!(Number.isInteger(status) && ((status >= 200 && status <= 599) || status === 101))) {
      throw new RangeError(
        `new HttpResponse: got status ${String(status)}, needs 101 or a whole number from 200 to 599`,
      );
    }
    if (!REASON.test(statusText)) {
      throw new TypeError(
        "new HttpResponse: got a statusText with control characters or such beyond ISO 8859-1, needs one line of text",
      );
    }
    if (this.#body !== null && NULL_BODY_STATUSES.has(status)) {
      throw new TypeError(`new HttpResponse: got a body with status ${status}, needs null`);
    }
    this.#status = status;
    this.#statusText = String(statusText);
    if (trailers !== undefined) this.#trailers = trailers;
    const fields = headers === undefined ? [] : fieldsFrom("new HttpResponse", headers);
    if (type !== "" && firstField(fields, "content-type") === null)
      fields.push("content-type", type);
    return fields;
  }
}

/** As the web writes it, where it is absolute; else with what no field may hold percent-encoded. */
function locationOf(url: string): string {
  if (URL.canParse(url)) return new URL(url).href;
  return url.replace(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(text.toWellFormed()));
}

actAs(HttpResponse, Response, ({ status, statusText, headers, bodyUsed }) => ({
  status,
  statusText,
  headers,
  bodyUsed,
}));
