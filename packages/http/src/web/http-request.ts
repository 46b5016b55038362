import type { ByteReceiveStream } from "arborio/streams";
import type { FieldList, RequestHead } from "../protocol/message.ts";
import { BodyReader } from "./body-reader.ts";
import { collectForm } from "./collect-form.ts";
import { FieldHeaders } from "./field-headers.ts";
import { firstField } from "./field-names.ts";
import { formLimits } from "./form-limits.ts";
import { InvalidJsonError } from "./http-error.ts";
import { actAs } from "./platform-class.ts";
import type { RequestBody } from "./request-body.ts";
import { requestUrl } from "./request-url.ts";
import { textStreamOf } from "./text-stream.ts";

/** What a request is made of: given by the connection, looked at when it is asked for. */
export interface RequestSource {
  readonly head: RequestHead;
  readonly scheme: "http" | "https";
  /** The authority for clients that name none, which HTTP/1.0 allows: `"127.0.0.1:8000"`. */
  readonly fallbackHost: string;
  /** What the client called the server, where a proxy that is trusted knows it better than the head. */
  readonly host?: string | undefined;
  /** `null`: there is none. */
  readonly body: RequestBody | null;
  /** Aborts when the request is over before its response is. Called at most once for each request made of it. */
  signal(): AbortSignal;
}

/**
 * A request that came: the web's `Request`, but that headers, URL, body and signal are made when they are first asked for. `instanceof
 * Request` holds. Beyond the web it has the body as an Arborio stream, the raw fields, the limit of the body, and its trailers.
 *
 * The methods that read the body throw `HttpError`s that are the right answers if the body is at fault: `BodyTooLargeError` over the
 * limit, `InvalidJsonError` (also a `SyntaxError`) if it is not JSON, 400 and 415 for forms.
 *
 * A platform's own request is made from it by `new Request(request.url, request)`. `new Request(request)` works on Bun only, since Node
 * and Deno look into private parts of their own class there, unless `patchGlobalRequest` was called.
 */
export class HttpRequest implements Request {
  readonly #source: RequestSource;
  #url: string | null = null;
  #headers: FieldHeaders | null = null;
  #signal: AbortSignal | null = null;
  #reader: BodyReader | null = null;

  /** Made by the server. */
  constructor(source: RequestSource) {
    this.#source = source;
  }

  /** As it was sent: methods are case-sensitive. */
  get method(): string {
    return this.#source.head.method;
  }

  /** Absolute and normalised, as the web has it. @throws HttpError 400 if what the client sent is no URL. */
  get url(): string {
    this.#url ??= requestUrl(this.#source);
    return this.#url;
  }

  /** Immutable. */
  get headers(): FieldHeaders {
    this.#headers ??= new FieldHeaders(this.#source.head.fields, true);
    return this.#headers;
  }

  /** Aborts when the client has left, a deadline has passed, or the server gives up: when the handler's scope is cancelled. */
  get signal(): AbortSignal {
    this.#signal ??= this.#source.signal();
    return this.#signal;
  }

  // What the web does not have -------------------------------------------------------------------------------------------

  /** The field lines as they came, names and values in turn. */
  get fields(): FieldList {
    return this.#source.head.fields;
  }

  /** The request target as it came: not decoded, not normalised. */
  get target(): string {
    return this.#source.head.target;
  }

  /**
   * The body as a stream with backpressure: the client is asked for more only as it is received. `null` if there is none.
   *
   * @throws TypeError if it was read already.
   */
  get bodyStream(): ByteReceiveStream | null {
    return this.#content.payload("bodyStream") as ByteReceiveStream | null;
  }

  /** Bytes of the body as announced; `undefined` if that is not known before it has come, 0 if there is none. */
  get bodyBytes(): number | undefined {
    const { body } = this.#source;
    return body === null ? 0 : body.length;
  }

  /** So many bytes the body may have. May be set, up or down, before it is read; more is a `BodyTooLargeError`, 413. */
  get bodyBytesMax(): number {
    return this.#source.body?.bytesMax ?? Infinity;
  }

  set bodyBytesMax(bytes: number) {
    if (!(typeof bytes === "number" && bytes >= 0)) {
      throw new RangeError(
        `request.bodyBytesMax: got ${String(bytes)}, needs a number of bytes from 0 on`,
      );
    }
    if (this.#source.body !== null) this.#source.body.bytesMax = bytes;
  }

  /** The fields that came after the body. Empty before it has ended. */
  get trailers(): FieldList {
    return this.#source.body?.trailers ?? [];
  }

  // The body -------------------------------------------------------------------------------------------------------------

  /** As the web's: made on first use; reading it is reading the body. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#source.body === null ? null : this.#content.web;
  }

  /** Whether the body was read, or is being read. */
  get bodyUsed(): boolean {
    return this.#source.body !== null && this.#content.used;
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
    const content = this.#content;
    const text = content.textNowait("json") ?? (await content.textLater());
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new InvalidJsonError(`the body is not JSON: ${(error as Error).message}`);
    }
  }

  /** All of the body, with its type. */
  async blob(): Promise<Blob> {
    return new Blob([await this.#content.bytes()], { type: this.#type });
  }

  /** As `readForm`, which takes limits. */
  async formData(): Promise<FormData> {
    const type = firstField(this.#source.head.fields, "content-type");
    const stream = this.#content.payload("formData") as ByteReceiveStream | null;
    return collectForm(stream, type, formLimits("request.formData", {}));
  }

  /** The body as text. */
  textStream(): ReadableStream<string> {
    return textStreamOf(this.#content, "textStream");
  }

  /**
   * A second request with the same body. What one of them has read and the other has not is kept in memory, up to `bodyBytesMax`.
   *
   * @throws TypeError if the body was read.
   */
  clone(): HttpRequest {
    const clone = new HttpRequest(this.#source);
    if (this.#source.body !== null) clone.#reader = this.#content.tee();
    clone.#signal = this.#signal;
    return clone;
  }

  get #content(): BodyReader {
    this.#reader ??= new BodyReader("request", this.#source.body);
    return this.#reader;
  }

  get #type(): string {
    return firstField(this.#source.head.fields, "content-type") ?? "";
  }

  // What is the same for every request that came -------------------------------------------------------------------------

  /** As of a request that came: there is nothing to decide. */
  get duplex(): "half" {
    return "half";
  }

  /** As of a request that came: there is nothing to decide. */
  get cache(): Request["cache"] {
    return "default";
  }

  /** As of a request that came: there is nothing to decide. */
  get credentials(): Request["credentials"] {
    return "same-origin";
  }

  /** As of a request that came: there is nothing to decide. */
  get destination(): Request["destination"] {
    return "";
  }

  /** As of a request that came: there is nothing to decide. */
  get integrity(): string {
    return "";
  }

  /** As of a request that came: there is nothing to decide. */
  get keepalive(): boolean {
    return false;
  }

  /** As of a request that came: there is nothing to decide. */
  get mode(): Request["mode"] {
    return "cors";
  }

  /** As of a request that came: there is nothing to decide. */
  get redirect(): Request["redirect"] {
    return "follow";
  }

  /** As of a request that came: there is nothing to decide. */
  get referrer(): string {
    return "about:client";
  }

  /** As of a request that came: there is nothing to decide. */
  get referrerPolicy(): Request["referrerPolicy"] {
    return "";
  }

  /** As of a request that came: there is nothing to decide. */
  get isReloadNavigation(): boolean {
    return false;
  }

  /** As of a request that came: there is nothing to decide. */
  get isHistoryNavigation(): boolean {
    return false;
  }
}

actAs(HttpRequest, Request, ({ method, url, headers, bodyUsed }) => ({
  method,
  url,
  headers,
  bodyUsed,
}));
