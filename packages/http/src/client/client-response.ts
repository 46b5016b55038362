import { InvalidStateError } from "arborio";
import { streamFromWire, type Wire } from "arborio/lowlevel";
import type { ByteReceiveStream, ByteStream } from "arborio/streams";
import type { FieldList, ResponseHead } from "../protocol/message.ts";
import { BodyReader } from "../web/body-reader.ts";
import { FieldHeaders } from "../web/field-headers.ts";
import { firstField } from "../web/field-names.ts";
import { actAs } from "../web/platform-class.ts";
import { payloadStream } from "../web/payload-stream.ts";
import type { ResponseParts } from "../web/response-parts.ts";
import { textStreamOf } from "../web/text-stream.ts";
import type { ClientRequest } from "./client-request.ts";
import { jsonOf } from "./json-of.ts";
import { passedOn } from "./passed-on.ts";
import { statusErrorOf } from "./status-error.ts";

/** The body of a response: all of it, or what is received from; `null`: there is none. */
export type ResponsePayload = Uint8Array | ByteReceiveStream | null;

/** What a response is made of. */
export interface ResponseSource {
  readonly head: ResponseHead;
  readonly request: ClientRequest;
  readonly payload: ResponsePayload;
  /** The fields that came after the body. */
  readonly trailers?: () => FieldList;
  /** How many bytes of the body may be read, if it is a stream. */
  readonly limit?: { bytesMax: number };
  /** Whether the body had codings, which are undone. */
  readonly isDecoded?: boolean;
  /** What of the exchange goes on. */
  readonly transfer?: Transfer;
  /** The connection, if the server switched to another protocol. */
  readonly upgraded?: UpgradedConnection;
}

/** What goes on while a response is read. */
export interface Transfer {
  /** Bytes of the body that were received, as they came. */
  readonly bytesReceived: number;
  /** Waits until the request has been sent. `null`: it has. */
  sent(): Promise<void> | null;
  /** Somebody sees to it that it is closed, whichever task ends. */
  keep(): void;
}

/** A connection whose protocol was switched. */
export interface UpgradedConnection {
  /** The rest of it. Once. */
  takeWire(): Wire;
  close(): void;
}

/**
 * What is read as a whole has at most so many bytes unless `bodyBytesMax` says otherwise: while it grows, it is in memory twice, and no runtime
 * has text that is longer.
 */
const WHOLE_BYTES_MAX = 1_073_741_824;

const NOTHING = new Uint8Array(0);

/**
 * A response that came: the web's `Response`, but that headers and streams are made when they are first asked for. `instanceof Response`
 * holds. Beyond the web it has the body as an Arborio stream, the raw fields and trailers, and `close`.
 *
 * A body that was not read to its end holds its connection: `using`, or `close()`, gives it back. What is forgotten is given back, with a warning, when
 * the task that fetched it ends.
 *
 * A server may answer before it has received all of the request. If it refuses (a status of 300 or more), the rest is not sent. Else both go on: what reads
 * the whole body (`bytes`, `text`, …) waits for both, a stream ends with the response, `sent` waits for the request, and `close` ends both.
 */
export class ClientResponse implements Response {
  readonly #source: ResponseSource;
  #headers: FieldHeaders | null = null;
  #reader: BodyReader | null = null;
  #isTaken = false;
  /** The body is one of two streams of the same. */
  #isShared = false;
  #stream: ByteReceiveStream | null = null;
  #history: readonly ClientResponse[] = [];

  /** Made by the client, and by middleware that answers itself. */
  constructor(source: ResponseSource) {
    this.#source = source;
  }

  /** 200 to 999; 101 of an upgrade. */
  get status(): number {
    return this.#source.head.status;
  }

  /** The reason phrase; means nothing. */
  get statusText(): string {
    return this.#source.head.reason;
  }

  /** Whether the status is one of success: 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** Immutable. */
  get headers(): FieldHeaders {
    this.#headers ??= new FieldHeaders(this.#source.head.fields, true);
    return this.#headers;
  }

  /** `"default"`. */
  get type(): Response["type"] {
    return "default";
  }

  /** Where it came from, after redirects; without credentials and fragment. */
  get url(): string {
    return this.#source.request.url;
  }

  /** Whether redirects were followed. */
  get redirected(): boolean {
    return this.#history.length > 0;
  }

  // What the web does not have -------------------------------------------------------------------------------------------

  /** The redirects that led to it, the first one first. Their bodies are gone. */
  get history(): readonly ClientResponse[] {
    return this.#history;
  }

  /** @internal */
  set history(responses: readonly ClientResponse[]) {
    this.#history = responses;
  }

  /**
   * Gives this response if its status is below 400; else it is closed, and thrown as an error.
   *
   * @throws StatusError for a status of 400 or more.
   */
  async raiseForStatus(): Promise<this> {
    if (this.status < 400) return this;
    throw await statusErrorOf(this);
  }

  /** The request that it answers: the last one, after redirects. */
  get request(): ClientRequest {
    return this.#source.request;
  }

  /** The version that the server speaks. */
  get httpVersion(): string {
    return this.#source.head.version;
  }

  /** The field lines as they came, names and values in turn. */
  get fields(): FieldList {
    return this.#source.head.fields;
  }

  /** The fields that came after the body. Empty before it has ended. */
  get trailers(): FieldList {
    return this.#source.trailers?.() ?? [];
  }

  /** Bytes of the body that were received, as they came on the network. `Content-Length` tells how many there will be, if the body has no codings. */
  get bytesReceived(): number {
    const { transfer, payload } = this.#source;
    if (transfer !== undefined) return transfer.bytesReceived;
    return payload instanceof Uint8Array ? payload.length : 0;
  }

  /** Whether `Content-Encoding` was undone; it is not among the fields any more. */
  get isDecoded(): boolean {
    return this.#source.isDecoded === true;
  }

  /**
   * Waits until nothing more of the request is sent: most often that is so already.
   *
   * @throws RequestFailedError if what makes its body has failed.
   */
  async sent(): Promise<void> {
    await this.#source.transfer?.sent();
  }

  /** The body as a stream, always the same; `null` if there is none. @throws TypeError if it was read already, in another way. */
  get bodyStream(): ByteReceiveStream | null {
    if (this.#stream !== null) return this.#stream;
    const payload = this.#content.payload("bodyStream");
    this.#stream = payload === null ? null : payloadStream(payload);
    return this.#stream;
  }

  /**
   * The connection, if the server switched to the protocol that `upgrade` asked for, or has made a tunnel. It is yours to close.
   *
   * @throws InvalidStateError if it did not, or the stream was taken before.
   */
  takeStream(): ByteStream {
    const { upgraded } = this.#source;
    if (upgraded === undefined || this.#isTaken) {
      throw new InvalidStateError(
        `response.takeStream: ${upgraded === undefined ? `the status is ${this.status}, needs 101: the server did not switch` : "it was taken before"}`,
      );
    }
    this.#isTaken = true;
    return streamFromWire(upgraded.takeWire(), "upgraded connection");
  }

  /** @internal All of the body, if it came with the head. */
  get whole(): Uint8Array | null {
    const { payload } = this.#source;
    if (payload === null) return NOTHING;
    return payload instanceof Uint8Array ? payload : null;
  }

  /** @internal The head and body as they are. @throws TypeError if the body was read already. */
  get source(): ResponseSource {
    if (this.#reader === null) return this.#source;
    // Of a response that was cloned it is one of two streams.
    return { ...this.#source, payload: this.#reader.payload("source") as ResponsePayload };
  }

  /**
   * Gives the connection back: what was not read of the body is dropped, what was not sent of the request is not sent. Does nothing if both are over. A
   * response and its clones have one connection, which is given back when all of them are closed or read.
   */
  close(): void {
    const { payload } = this.#source;
    if (this.#isShared) this.#content.close();
    else if (payload !== null && !(payload instanceof Uint8Array)) payload.close();
    if (!this.#isTaken) this.#source.upgraded?.close();
  }

  /** @internal Whoever calls it closes the response: it is not taken for forgotten when the task ends that fetched it. */
  keep(): void {
    this.#source.transfer?.keep();
  }

  /** @internal For a server whose handler passes it on. @throws TypeError if the body was read already. */
  passOn(): ResponseParts {
    const { payload, head, trailers, upgraded } = this.#source;
    if (upgraded !== undefined)
      throw new TypeError("a handler gave the response to an upgrade, needs one that can be sent");
    return passedOn(head, payload === null ? null : this.#content.payload("send"), trailers);
  }

  /** `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  // The body -------------------------------------------------------------------------------------------------------------

  /** As the web's: made on first use; reading it is reading the body. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#source.payload === null ? null : this.#content.web;
  }

  /** Whether the body was read, or is being read. */
  get bodyUsed(): boolean {
    return this.#source.payload !== null && this.#content.used;
  }

  /** All of the body. */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const { transfer } = this.#source;
    if (transfer === undefined) return this.#content.bytes();
    return this.#whole(transfer, (content) => content.bytes());
  }

  /** All of the body. */
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  /** All of the body, as UTF-8, whatever its type says; what is none becomes U+FFFD. */
  text(): Promise<string> {
    const { transfer } = this.#source;
    if (transfer === undefined) return this.#content.text();
    return this.#whole(transfer, (content) => content.text());
  }

  /** All of the body, as JSON. @throws SyntaxError if it is none; it tells what came from where. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as the web declares it
  async json(): Promise<any> {
    return jsonOf(await this.text(), this);
  }

  /** All of the body, with its type. */
  async blob(): Promise<Blob> {
    return new Blob([await this.bytes()], { type: this.#type });
  }

  /** All of the body, as a form. @throws TypeError if it is none. */
  async formData(): Promise<FormData> {
    const bytes = await this.bytes();
    return new Response(bytes, { headers: { "content-type": this.#type } }).formData();
  }

  /** The body as text. */
  textStream(): ReadableStream<string> {
    return textStreamOf(this.#content, "textStream");
  }

  /** A second response with the same body. What one of them has read and the other has not is kept in memory. @throws TypeError if the body was read. */
  clone(): ClientResponse {
    const clone = new ClientResponse(this.#source);
    clone.#history = this.#history;
    if (this.#source.payload === null) return clone;
    clone.#reader = this.#content.tee();
    this.#isShared = true;
    clone.#isShared = true;
    return clone;
  }

  /** Reads all of a body that is still to come. */
  async #whole<T>(transfer: Transfer, read: (content: BodyReader) => Promise<T>): Promise<T> {
    const { limit } = this.#source;
    if (limit?.bytesMax === Infinity) limit.bytesMax = WHOLE_BYTES_MAX;
    const whole = await read(this.#content);
    await transfer.sent();
    return whole;
  }

  get #content(): BodyReader {
    this.#reader ??= new BodyReader("response", this.#source.payload);
    return this.#reader;
  }

  get #type(): string {
    return firstField(this.fields, "content-type") ?? "";
  }
}

actAs(ClientResponse, Response, ({ status, statusText, url, headers, bodyUsed }) => ({
  status,
  statusText,
  url,
  headers,
  bodyUsed,
}));
