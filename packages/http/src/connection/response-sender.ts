/**
 * Sends one response after the other: decides how the end of the body is told, builds the head, and sees that what is sent is what the
 * head promised. A body that fails, or has another length, breaks the connection: there is no other way left to tell.
 */
import { Cancelled } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import type { FieldList, RequestHead } from "../protocol/message.ts";
import { REASONS } from "../protocol/reasons.ts";
import { responseHead } from "../protocol/serialize.ts";
import type { BodyProducer } from "../web/body-producer.ts";
import type { ResponseParts } from "../web/response-parts.ts";
import { OutgoingBody } from "./outgoing-body.ts";
import { ReadyHeads } from "./ready-heads.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { Exchange } from "./exchange.ts";
import { utf8Length } from "./wire-outlet.ts";

/** Bodies up to this many bytes are joined with their head; larger ones are handed over as they are. */
const JOINED_BYTES_MAX = 8192;

/** While more requests are there already, answers are collected up to so many bytes. */
const BATCH_BYTES_MAX = 12_288;

/** Fields that tell of the connection, not of the response: the server alone sets them (RFC 9110 §7.6.1). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const ENCODER: TextEncoder = new TextEncoder();

const HEAD_END = "\r\n\r\n";

const READY_HEADS: ReadyHeads = new ReadyHeads();

/** How the peer learns where the body ends. */
export type OutgoingFraming = "none" | "chunked" | "close" | number;

export class ResponseSender {
  readonly #connection: ServerConnection;
  #head: RequestHead | null = null;
  /** Whether the connection shall carry another request. */
  keepAlive = true;
  /** Whether a final head has been sent, or collected to be. */
  headSent = false;
  /** Of the response that was sent last. */
  status = 0;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** A request begins; `null`: what came is none. */
  begin(head: RequestHead | null, keepAlive: boolean): void {
    this.#head = head;
    this.keepAlive = keepAlive;
    this.headSent = false;
    this.status = 0;
  }

  /**
   * Sends a response. If its body fails, the error is reported, and the connection is broken.
   *
   * @returns `null`: nothing has to be waited for, as with most responses.
   */
  send(parts: ResponseParts, exchange: Exchange | null): Promise<void> | null {
    const { payload } = parts;
    this.status = parts.status;
    if (payload !== null && typeof payload !== "string" && !(payload instanceof Uint8Array))
      return this.#sendStream(parts, payload, exchange);
    const body =
      typeof payload === "string" && payload.length > JOINED_BYTES_MAX
        ? ENCODER.encode(payload)
        : payload;
    if (this.#connection.outlet.isWriting || (body !== null && body.length > JOINED_BYTES_MAX))
      return this.#sendWhole(parts, body);
    this.#collectWhole(parts, body);
    return this.#mayCollectMore || this.#connection.outlet.flush()
      ? null
      : this.#connection.drained();
  }

  // Heads ----------------------------------------------------------------------------------------------------------------

  /** The head of a response whose body has so many bytes. */
  #collectHead(parts: ResponseParts, bytes: number): void {
    const { outlet, core } = this.#connection;
    const { status, fields } = parts;
    this.headSent = true;
    if (status === 204 || status === 304) {
      outlet.addLatin1(this.#headText(parts, "none"));
      return;
    }
    const isPlain = this.keepAlive && parts.statusText === "" && this.#head?.version === "1.1";
    const ready = isPlain ? READY_HEADS.find(status, fields, core.date(), readyHeadText) : null;
    if (ready === null) outlet.addLatin1(this.#headText(parts, bytes));
    else outlet.addReadyHead(ready, bytes);
  }

  #headText(parts: ResponseParts, framing: OutgoingFraming): string {
    const { status, statusText, fields } = parts;
    const all: string[] = [];
    let hasDate = false;
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index] as string;
      const lower = name.toLowerCase();
      if (lower === "connection" && /\bclose\b/i.test(fields[index + 1] as string))
        this.keepAlive = false;
      if (CONNECTION_FIELDS.has(lower) || lower === "content-length") continue;
      if (lower === "date") hasDate = true;
      all.push(name, fields[index + 1] as string);
    }
    if (!hasDate) all.push("date", this.#connection.core.date());
    if (typeof framing === "number") all.push("content-length", String(framing));
    else if (framing === "chunked") all.push("transfer-encoding", "chunked");
    else if (framing === "close") this.keepAlive = false;
    if (!this.keepAlive) all.push("connection", "close");
    else if (this.#head?.version === "1.0") all.push("connection", "keep-alive");
    return responseHead(
      "1.1",
      status,
      statusText === "" ? (REASONS[status] ?? "") : statusText,
      all,
    );
  }

  /** Whether the peer expects no body, whatever the response has (RFC 9110 §6.4.1). */
  #isBodiless(status: number): boolean {
    return this.#head?.method === "HEAD" || status === 204 || status === 304;
  }

  // Bodies that are there ------------------------------------------------------------------------------------------------

  /** What `send` does where it has to wait. */
  async #sendWhole(parts: ResponseParts, body: string | Uint8Array | null): Promise<void> {
    const connection = this.#connection;
    const { outlet } = connection;
    if (outlet.isWriting) await connection.drained();
    if (body instanceof Uint8Array && body.length > JOINED_BYTES_MAX) {
      this.#collectHead(parts, body.length);
      if (!outlet.flush()) await connection.drained();
      if (!this.#isBodiless(parts.status) && !outlet.write(body)) await connection.drained();
      return;
    }
    this.#collectWhole(parts, body);
    if (!this.#mayCollectMore && !outlet.flush()) await connection.drained();
  }

  #collectWhole(parts: ResponseParts, body: string | Uint8Array | null): void {
    const { outlet } = this.#connection;
    const bytes = body === null ? 0 : typeof body === "string" ? utf8Length(body) : body.length;
    this.#collectHead(parts, bytes);
    if (body === null || this.#isBodiless(parts.status)) return;
    if (typeof body === "string") outlet.addUtf8(body, bytes);
    else outlet.addBytes(body);
  }

  /** While more requests are there, their answers join; the last of them flushes, before it waits for another. */
  get #mayCollectMore(): boolean {
    const { outlet, parser } = this.#connection;
    return outlet.pending < BATCH_BYTES_MAX && parser.bufferedBytes > 0;
  }

  // Bodies that are made while they are sent -----------------------------------------------------------------------------

  async #sendStream(
    parts: ResponseParts,
    payload: ByteReceiveStream | BodyProducer,
    exchange: Exchange | null,
  ): Promise<void> {
    const connection = this.#connection;
    const { outlet } = connection;
    if (outlet.isWriting) await connection.drained();
    const framing = this.#framingOf(parts);
    this.headSent = true;
    outlet.addLatin1(this.#headText(parts, framing));
    if (this.#isBodiless(parts.status)) {
      if (typeof payload !== "function") payload.close();
      if (!outlet.flush()) await connection.drained();
      return;
    }
    const body = new OutgoingBody(connection, framing);
    try {
      if (typeof payload === "function") await payload(body);
      else await pump(payload, body);
      await body.end(parts.trailers?.() ?? []);
    } catch (error) {
      connection.breakOff();
      if (error instanceof Cancelled || connection.inlet.failure !== null || exchange === null)
        throw error;
      connection.core.report(error, exchange);
    } finally {
      body.close();
    }
  }

  #framingOf(parts: ResponseParts): OutgoingFraming {
    const bytes = parts.payloadBytes ?? announcedLength(parts.fields);
    if (bytes !== undefined) return bytes;
    return this.#head?.version === "1.0" ? "close" : "chunked";
  }
}

/** The head of a response that can be kept, up to the value of `Content-Length`. */
function readyHeadText(status: number, fields: FieldList, date: string): string {
  const all = [...fields, "date", date, "content-length", ""];
  return responseHead("1.1", status, REASONS[status] ?? "", all).slice(0, -HEAD_END.length);
}

/** Sends what a stream gives, and closes it however that ends. */
async function pump(stream: ByteReceiveStream, body: OutgoingBody): Promise<void> {
  try {
    for await (const bytes of stream) await body.send(bytes);
  } finally {
    stream.close();
  }
}

/** What the response itself says of its length: a stream must keep to it. */
function announcedLength(fields: FieldList): number | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    if ((fields[index] as string).toLowerCase() !== "content-length") continue;
    const value = fields[index + 1] as string;
    if (!/^[0-9]{1,15}$/.test(value)) {
      throw new TypeError(`response: got content-length ${JSON.stringify(value)}, needs digits`);
    }
    return Number(value);
  }
  return undefined;
}
