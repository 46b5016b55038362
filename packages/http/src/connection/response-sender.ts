/**
 * Sends one response after the other: decides how the end of the body is told, builds the head, and sees that what is sent is what the
 * head promised. A body that fails, or has another length, breaks the connection: there is no other way left to tell.
 *
 * Invariant: until `headSent` nothing of the response was sent, and another one may take its place.
 */
import { Cancelled } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import type { FieldList, RequestHead } from "../protocol/message.ts";
import { REASONS } from "../protocol/reasons.ts";
import { responseHead } from "../protocol/serialize.ts";
import type { BodyProducer } from "../web/body-producer.ts";
import { HttpError } from "../web/http-error.ts";
import type { ResponseParts } from "../web/response-parts.ts";
import type { Exchange } from "./exchange.ts";
import { OutgoingBody } from "./outgoing-body.ts";
import { ReadyHeads } from "./ready-heads.ts";
import {
  announcedLength,
  type OutgoingFraming,
  offeredUpgrade,
  outgoingFields,
  saysClose,
} from "./response-head.ts";
import type { ServerConnection } from "./server-connection.ts";
import { utf8Length } from "./wire-outlet.ts";

/** Bodies up to this many bytes are joined with their head; larger ones are handed over as they are. */
const JOINED_BYTES_MAX = 8192;

/** While more requests are there already, answers are collected up to so many bytes. */
const BATCH_BYTES_MAX = 12_288;

const ENCODER: TextEncoder = new TextEncoder();

const HEAD_END = "\r\n\r\n";

const NO_FIELDS: FieldList = [];

const READY_HEADS: ReadyHeads = new ReadyHeads();

export class ResponseSender {
  readonly #connection: ServerConnection;
  #head: RequestHead | null = null;
  /** Whether the connection shall carry another request. */
  keepAlive = true;
  /** Whether a final head has been sent, or collected to be. */
  headSent = false;
  /** Whether all of the response has been sent, or collected to be. */
  isComplete = false;
  /** Whether the body failed. */
  hasFailed = false;
  /** Of the response whose head was sent; 0: none was. */
  status = 0;
  /** Its fields; known only where there is a trace. */
  sentFields: FieldList = NO_FIELDS;
  /** Bytes of its body that were sent. */
  bodyBytes = 0;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** A request begins; `null`: what came is none. */
  begin(head: RequestHead | null, keepAlive: boolean): void {
    this.#head = head;
    this.keepAlive = keepAlive;
    this.headSent = false;
    this.isComplete = false;
    this.hasFailed = false;
    this.status = 0;
    this.sentFields = NO_FIELDS;
    this.bodyBytes = 0;
  }

  /**
   * Sends a response. If its body fails, the error is reported, and the connection is broken.
   *
   * @returns `null`: nothing has to be waited for, as with most responses.
   * @throws if there is no response like that; then nothing was sent.
   */
  send(parts: ResponseParts, exchange: Exchange | null): Promise<void> | null {
    const { payload } = parts;
    if (payload !== null && typeof payload !== "string" && !(payload instanceof Uint8Array))
      return this.#sendStream(parts, payload, exchange);
    if (parts.trailers !== null && this.#takesTrailers)
      return this.#sendStream(parts, producerOf(payload), exchange);
    const body =
      typeof payload === "string" && payload.length > JOINED_BYTES_MAX
        ? ENCODER.encode(payload)
        : payload;
    const { outlet } = this.#connection;
    if (outlet.isWriting || (body !== null && body.length > JOINED_BYTES_MAX))
      return this.#sendWhole(parts, body);
    this.#collectWhole(parts, body);
    return this.#mayCollectMore() || outlet.flush() ? null : this.#connection.drained();
  }

  /** Sends a small response at once; what the system does not take goes out when the connection is closed. */
  sendNowait(parts: ResponseParts): void {
    this.keepAlive = false;
    this.#collectWhole(parts, parts.payload as string | null);
    this.#connection.outlet.flush();
  }

  /** Sends the head that switches to another protocol; `""`: a tunnel. */
  async sendSwitch(parts: ResponseParts, protocol: string): Promise<void> {
    const connection = this.#connection;
    const { outlet } = connection;
    const { status, statusText, fields, payload } = parts;
    if (typeof payload === "object" && payload !== null && "close" in payload) payload.close();
    if (outlet.isWriting) await connection.drained();
    const all = outgoingFields(fields, "none", connection.core.date());
    if (protocol !== "") all.push("connection", "upgrade", "upgrade", protocol);
    this.keepAlive = false;
    this.#addHead(status, statusText, all);
    if (!outlet.flush()) await connection.drained();
    this.isComplete = true;
  }

  // Heads ----------------------------------------------------------------------------------------------------------------

  /** The head of a response whose body is there and has so many bytes; `null`: there is none. */
  #collectHead(parts: ResponseParts, bytes: number | null): void {
    const { outlet, core } = this.#connection;
    const { status, fields } = parts;
    this.#requireFinal(status);
    const isPlain =
      this.keepAlive &&
      parts.statusText === "" &&
      this.#head?.version === "1.1" &&
      core.trace === undefined &&
      !this.#isBodiless(status);
    const ready = isPlain ? READY_HEADS.find(status, fields, core.date(), readyHeadText) : null;
    if (ready === null) {
      this.#collectHeadOf(parts, this.#framingOfWhole(status, fields, bytes));
      return;
    }
    outlet.addReadyHead(ready, bytes ?? 0);
    this.headSent = true;
    this.status = status;
  }

  #collectHeadOf(parts: ResponseParts, framing: OutgoingFraming): void {
    const { status, statusText, fields } = parts;
    const all = outgoingFields(fields, framing, this.#connection.core.date());
    if (framing === "close" || saysClose(fields)) this.keepAlive = false;
    const options: string[] = [];
    if (!this.keepAlive) options.push("close");
    else if (this.#head?.version === "1.0") options.push("keep-alive");
    const upgrade = offeredUpgrade(fields);
    if (upgrade !== undefined) {
      options.push("upgrade");
      all.push("upgrade", upgrade);
    }
    if (options.length > 0) all.push("connection", options.join(", "));
    this.#addHead(status, statusText, all);
  }

  #addHead(status: number, statusText: string, fields: FieldList): void {
    const reason = statusText === "" ? (REASONS[status] ?? "") : statusText;
    const text = responseHead("1.1", status, reason, fields);
    this.#connection.outlet.addLatin1(text);
    this.headSent = true;
    this.status = status;
    this.sentFields = fields;
  }

  /** Refuses what would make the client take what follows for something else than a response. */
  #requireFinal(status: number): void {
    if (status < 200) {
      throw new TypeError(
        `a handler gave a response with status ${status}, needs 200 to 599, or what context.upgrade gives`,
      );
    }
    if (status < 300 && this.#head?.method === "CONNECT")
      throw new HttpError(501, "there are no tunnels here", { expose: true });
  }

  /** Whether the peer expects no body, whatever the response has (RFC 9110 §6.4.1). */
  #isBodiless(status: number): boolean {
    return this.#head?.method === "HEAD" || status === 204 || status === 304;
  }

  #framingOfWhole(status: number, fields: FieldList, bytes: number | null): OutgoingFraming {
    if (status === 204) return "none";
    const announced = announcedLength(fields);
    // What a GET would have got; nothing is said where that is not known (RFC 9110 §8.6).
    if (this.#isBodiless(status)) return announced ?? bytes ?? "none";
    const actual = bytes ?? 0;
    if (announced === undefined || announced === actual) return actual;
    throw new TypeError(
      `a handler gave a response with content-length ${announced}, but its body has ${actual} bytes; leave it out, the server sets it`,
    );
  }

  #framingOfStream(parts: ResponseParts): OutgoingFraming {
    if (parts.status === 204 || parts.status === 304) return "none";
    if (parts.trailers !== null && this.#takesTrailers) return "chunked";
    const bytes = parts.payloadBytes ?? announcedLength(parts.fields);
    if (bytes !== undefined) return bytes;
    return this.#head?.version === "1.0" ? "close" : "chunked";
  }

  /** Only what is sent in chunks can have trailers (RFC 9112 §7.1.2). */
  get #takesTrailers(): boolean {
    return this.#head?.version === "1.1" && this.#head.method !== "HEAD";
  }

  // Bodies that are there ------------------------------------------------------------------------------------------------

  /** What `send` does where it has to wait. */
  async #sendWhole(parts: ResponseParts, body: string | Uint8Array | null): Promise<void> {
    const connection = this.#connection;
    const { outlet } = connection;
    if (outlet.isWriting) await connection.drained();
    if (!(body instanceof Uint8Array && body.length > JOINED_BYTES_MAX)) {
      this.#collectWhole(parts, body);
      if (!this.#mayCollectMore() && !outlet.flush()) await connection.drained();
      return;
    }
    this.#collectHead(parts, body.length);
    if (!outlet.flush()) await connection.drained();
    if (!this.#isBodiless(parts.status)) {
      await outlet.writeInPieces(body, () => connection.drained());
      this.bodyBytes = body.length;
    }
    this.isComplete = true;
  }

  #collectWhole(parts: ResponseParts, body: string | Uint8Array | null): void {
    const { outlet } = this.#connection;
    const isText = typeof body === "string";
    const bytes = body === null ? null : isText ? utf8Length(body) : body.length;
    this.#collectHead(parts, bytes);
    this.isComplete = true;
    if (body === null || bytes === null || this.#isBodiless(parts.status)) return;
    if (isText) outlet.addUtf8(body, bytes);
    else outlet.addBytes(body);
    this.bodyBytes = bytes;
  }

  /** While more requests are there, their answers join; the last of them flushes, before it waits for another. */
  #mayCollectMore(): boolean {
    const { outlet, parser, core } = this.#connection;
    if (outlet.pending >= BATCH_BYTES_MAX || parser.bufferedBytes === 0) return false;
    // Unless a handler takes its time.
    if (!outlet.isLate) core.lateFlusher.add(outlet);
    return true;
  }

  // Bodies that are made while they are sent -----------------------------------------------------------------------------

  async #sendStream(
    parts: ResponseParts,
    payload: ByteReceiveStream | BodyProducer,
    exchange: Exchange | null,
  ): Promise<void> {
    const connection = this.#connection;
    const { outlet, core } = connection;
    try {
      if (outlet.isWriting) await connection.drained();
      this.#requireFinal(parts.status);
      const framing = this.#framingOfStream(parts);
      this.#collectHeadOf(parts, framing);
      if (this.#isBodiless(parts.status)) {
        if (!outlet.flush()) await connection.drained();
      } else {
        // The head goes with the first piece, unless that takes its time.
        if (!outlet.isLate) core.lateFlusher.add(outlet);
        await this.#sendBody(
          parts,
          payload,
          new OutgoingBody(connection, "response body", framing),
          exchange,
        );
      }
      this.isComplete = !this.hasFailed;
    } finally {
      if (typeof payload !== "function") payload.close();
    }
  }

  async #sendBody(
    parts: ResponseParts,
    payload: ByteReceiveStream | BodyProducer,
    body: OutgoingBody,
    exchange: Exchange | null,
  ): Promise<void> {
    const connection = this.#connection;
    try {
      if (typeof payload === "function") await payload(body);
      else for await (const bytes of payload) await body.send(bytes);
      await body.end(parts.trailers);
    } catch (error) {
      connection.breakOff();
      if (error instanceof Cancelled || connection.inlet.failure !== null) throw error;
      this.hasFailed = true;
      connection.reportFailure(error, exchange);
    } finally {
      this.bodyBytes = body.bytesSent;
      body.close();
    }
  }
}

/** The head of a response that can be kept, up to the value of `Content-Length`. */
function readyHeadText(status: number, fields: FieldList, date: string): string {
  const all = [...fields, "date", date, "content-length", ""];
  return responseHead("1.1", status, REASONS[status] ?? "", all).slice(0, -HEAD_END.length);
}

/** A body that is there, as one that is made: trailers come only after those. */
function producerOf(payload: string | Uint8Array | null): BodyProducer {
  return async (sink) => {
    if (payload !== null) await sink.send(payload);
  };
}
