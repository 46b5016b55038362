/**
 * One connection of a client, driving one parser: request, response, and again. The wire's callbacks change state at once and wake whoever
 * waits. Whoever has the connection waits in its own scope; being cancelled there ends the connection, since what comes next
 * belongs to nobody.
 *
 * Invariants: at most one exchange at a time. It is over when its response is, and the upload of its request too; only then is the
 * connection given back, and only if both sides could tell where the messages ended. What comes while there is no exchange makes it useless.
 */
import type { Wire, WireReceiver } from "arborio/lowlevel";
import type { ResponseHead } from "../protocol/message.ts";
import { ProtocolError } from "../protocol/protocol-error.ts";
import { ResponseParser } from "../protocol/response-parser.ts";
import { Awaited } from "./awaited.ts";
import type { ClientCore } from "./client-core.ts";
import { IncomingBody } from "./incoming-body.ts";
import { OutgoingBody } from "./outgoing-body.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { type FailureReason, RequestFailedError } from "./request-failed-error.ts";
import { responseBodyErrors } from "./response-body-errors.ts";
import { Upload } from "./upload.ts";
import { UpgradedWire } from "./upgraded-wire.ts";
import { WireInlet } from "./wire-inlet.ts";
import { utf8Length, WireOutlet } from "./wire-outlet.ts";

/** Bodies up to so many bytes are joined with their head in one write; larger ones are sent beside the wait for the response. */
const JOINED_BYTES_MAX = 8192;

/** So many interim responses are taken for one request: a server needs one or two, and must not keep a client for ever. */
const INTERIM_RESPONSES_MAX = 32;

/** What is left of a response that nobody wants is dropped, to keep the connection, if it has come already and has at most so many bytes. */
const DROPPED_BYTES_MAX = 65_536;

const NOTHING_TAKEN = "the server took too little of the request within writeMs";

export class ClientConnection implements WireReceiver {
  readonly wire: Wire;
  readonly parser: ResponseParser;
  readonly inlet: WireInlet;
  readonly outlet: WireOutlet;
  readonly awaited: Awaited = new Awaited();
  readonly #core: ClientCore;
  #request: OutgoingRequest | null = null;
  #upload: Upload | null = null;
  #head: ResponseHead | null = null;
  #body: IncomingBody | null = null;
  #upgraded: UpgradedWire | null = null;
  #closed = false;
  /** Bytes that had come when the exchange began. */
  #receivedBefore = 0;
  /** Requests that were sent on it. */
  requests = 0;
  /** The pool's: when it has been idle for too long. */
  idleUntil: number = Infinity;

  constructor(wire: Wire, core: ClientCore) {
    this.wire = wire;
    this.#core = core;
    this.parser = new ResponseParser(core.limits);
    this.inlet = new WireInlet(wire, this.parser);
    this.outlet = new WireOutlet(wire, core.buffers, "server");
    core.connectionOpened(this);
    wire.open(this);
  }

  /** Whether it can carry a request now, as far as is known: a server may have ended it, and the news be on its way. */
  get isReusable(): boolean {
    return (
      this.#request === null &&
      !this.#closed &&
      !this.inlet.ended &&
      !this.outlet.isWriting &&
      this.parser.atMessageStart
    );
  }

  /** Whether nothing of a response has come. */
  get isUnanswered(): boolean {
    return this.inlet.bytesReceived === this.#receivedBefore;
  }

  /** Whether no exchange goes on. */
  get isIdle(): boolean {
    return this.#request === null;
  }

  /**
   * Sends a request and waits for the head of its final response. Its body is `body` then; if there is none, the exchange is over.
   *
   * @throws RequestFailedError if there is no such head; what the body of the request throws. Then, and if it is cancelled, the connection is gone.
   */
  async exchange(request: OutgoingRequest): Promise<ResponseHead> {
    const { parser, inlet } = this;
    this.#request = request;
    this.#head = null;
    this.#receivedBefore = inlet.bytesReceived;
    this.requests += 1;
    parser.expect(request.method);
    try {
      this.#send(request);
      for (let interims = 0; ;) {
        const head = parser.readHead();
        if (head === null) {
          this.#requireHope(request);
          await inlet.wait();
        } else if (head.status >= 200 || (head.status === 101 && request.upgrade !== "")) {
          this.awaited.end();
          return this.#begin(head, request);
        } else if (head.status === 101) {
          throw this.#failed("protocol", "a 101, but no other protocol was asked for");
        } else if (++interims > INTERIM_RESPONSES_MAX) {
          throw this.#failed("protocol", `more than ${INTERIM_RESPONSES_MAX} interim responses`);
        } else this.#interim(head, request);
      }
    } catch (error) {
      await this.#abandon();
      if (error instanceof ProtocolError)
        throw this.#failed("protocol", "the response breaks HTTP", error);
      throw error;
    }
  }

  /** The body of the response, `null` if it has none. */
  get body(): IncomingBody | null {
    return this.#body;
  }

  // Sending --------------------------------------------------------------------------------------------------------------

  #send(request: OutgoingRequest): void {
    const { outlet } = this;
    const { method, target, fieldText, payload, timeouts } = request;
    const line = `${method} ${target} HTTP/1.1\r\n${fieldText}`;
    this.awaited.begin("head", this.#core.due(timeouts.headMs));
    if (payload === null) {
      outlet.addLatin1(`${line}${lengthOfNothing(method)}\r\n`);
    } else {
      const isWhole = typeof payload === "string" || payload instanceof Uint8Array;
      const bytes = isWhole
        ? typeof payload === "string"
          ? utf8Length(payload)
          : payload.length
        : request.payloadBytes;
      const isJoined =
        isWhole &&
        (bytes as number) <= JOINED_BYTES_MAX &&
        !request.expectsContinue &&
        request.trailers === null;
      if (!isJoined) return this.#startUpload(request, line, bytes);
      outlet.addLatin1(`${line}content-length: ${bytes}\r\n\r\n`);
      if (typeof payload === "string") outlet.addUtf8(payload, bytes as number);
      else outlet.addBytes(payload);
    }
    this.#flush();
  }

  /** What the system does not take at once it takes while the response is waited for. */
  #flush(): void {
    if (this.outlet.flush()) return;
    this.outlet.overdueAt = this.#core.due(this.#timeouts.writeMs);
  }

  #startUpload(request: OutgoingRequest, line: string, bytes: number | undefined): void {
    const { payload, trailers, expectsContinue, timeouts } = request;
    const isChunked = bytes === undefined || trailers !== null;
    const framing = isChunked ? "transfer-encoding: chunked" : `content-length: ${bytes}`;
    const expect = expectsContinue ? "expect: 100-continue\r\n" : "";
    this.outlet.addLatin1(`${line}${framing}\r\n${expect}\r\n`);
    this.#flush();
    const body = new OutgoingBody(this, "request body", isChunked ? "chunked" : bytes);
    const source =
      typeof payload === "string" || payload instanceof Uint8Array
        ? (sink: OutgoingBody) => sink.send(payload)
        : payload;
    if (source === null) return;
    this.#upload = new Upload(body, source as never, trailers, this.#uploadEnded);
    this.#upload.start(expectsContinue);
    this.awaited.begin("head", expectsContinue ? this.#core.due(timeouts.continueMs) : Infinity);
  }

  readonly #uploadEnded = (): void => {
    // The response is due from now on.
    if (this.awaited.what === "head")
      this.awaited.begin("head", this.#core.due(this.#timeouts.headMs));
    this.inlet.wake();
  };

  /** `outlet.drained()` with its deadline. */
  drained(): Promise<void> {
    return this.outlet.drained(this.#core.due(this.#timeouts.writeMs));
  }

  // Waiting for the head -------------------------------------------------------------------------------------------------

  /** Throws if no response will come. */
  #requireHope({ timeouts }: OutgoingRequest): void {
    const { inlet, awaited } = this;
    const upload = this.#upload;
    if (inlet.failure !== null || inlet.ended) {
      throw this.#failed(
        inlet.failure?.message === NOTHING_TAKEN ? "timeout" : "disconnected",
        inlet.failure?.message === NOTHING_TAKEN
          ? NOTHING_TAKEN
          : "the connection ended before there was a response",
        inlet.failure ?? undefined,
      );
    }
    if (upload !== null && upload.failure !== null)
      throw this.#failed("request-body", "the body of the request failed", upload.failure.error);
    if (!awaited.isOverdue) return;
    if (upload?.isWaiting === true) {
      // A server that does not know the expectation says nothing; it gets the body now.
      awaited.begin("head", Infinity);
      upload.proceed();
      return;
    }
    throw this.#failed("timeout", `there was no response within ${timeouts.headMs} ms`);
  }

  #interim(head: ResponseHead, { onInterim }: OutgoingRequest): void {
    if (head.status === 100 && this.#upload?.isWaiting === true) {
      this.awaited.begin("head", Infinity);
      this.#upload.proceed();
    }
    onInterim?.(head);
  }

  #begin(head: ResponseHead, request: OutgoingRequest): ResponseHead {
    this.#head = head;
    const { framing } = head;
    if (head.status === 101 || (request.method === "CONNECT" && head.status < 300)) {
      this.#body = null;
      return head;
    }
    // Who refuses does not want the rest of the body; nobody knows what it would be taken for.
    if (this.#upload !== null && !this.#upload.hasEnded && head.status >= 300) this.#upload.cut();
    if (framing === 0) {
      this.#body = null;
      this.#complete();
    } else {
      const limits = { bodyBytesMax: Infinity, drainBytesMax: 0 };
      this.#body = new IncomingBody(this, framing, limits, responseBodyErrors(request));
    }
    return head;
  }

  // The body of the response ---------------------------------------------------------------------------------------------

  /** All of the body if it has come whole; then the exchange is over. */
  takeWholeNowait(): Uint8Array | null {
    const bytes = this.#body?.wholeNowait() ?? null;
    if (bytes !== null) this.#complete();
    return bytes;
  }

  bodyAwaited(): void {
    this.awaited.begin("body", this.#core.due(this.#timeouts.bodyMs));
  }

  bodyAwaitedNoMore(): boolean {
    return this.awaited.end();
  }

  bodyEnded(): Promise<void> | null {
    const upload = this.#upload;
    if (upload !== null && !upload.hasEnded) return this.#endUpload(upload);
    this.#complete();
    return null;
  }

  /** A server that has answered, and goes on reading, gets all of the request. */
  async #endUpload(upload: Upload): Promise<void> {
    if (this.#head?.keepAlive === true && this.#head.status < 300) await upload.wait();
    else await upload.stop();
    this.#complete();
  }

  /** Nobody wants the rest of it: dropped, if it is here; else the connection is closed. */
  bodyClosed(): void {
    if (this.#request === null) return;
    try {
      for (let dropped = 0; !this.parser.bodyDone && dropped < DROPPED_BYTES_MAX;) {
        const piece = this.parser.readBody(DROPPED_BYTES_MAX);
        if (piece === null) break;
        dropped += piece.length;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    if (this.parser.bodyDone && (this.#upload === null || this.#upload.hasEnded)) this.#complete();
    else this.close();
  }

  /** Both messages are over. */
  #complete(): void {
    const head = this.#head;
    const isWhole = this.#upload === null || this.#upload.isComplete;
    const isKept = head !== null && head.keepAlive && isWhole && this.parser.bodyDone;
    this.#body?.detach();
    this.#body = null;
    this.#upload = null;
    if (this.#closed) return;
    if (!isKept) return this.close();
    this.#request = null;
    this.#core.connectionIdle(this);
  }

  // Another protocol -----------------------------------------------------------------------------------------------------

  /** The rest of the connection, after a 101 or the 2xx to a CONNECT. Who takes it closes it, and with it this connection. */
  takeWire(): Wire {
    this.wire.pause();
    const onClose = (): void => this.close();
    const wire = new UpgradedWire(this.wire, this.parser.takeRest(), this.inlet.ended, onClose);
    this.#upgraded = wire;
    return wire;
  }

  // Ending ---------------------------------------------------------------------------------------------------------------

  /** Ends it at once, whatever goes on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const wasComplete = this.#upload === null || this.#upload.isComplete;
    this.#upload?.cut();
    this.#body?.detach();
    this.outlet.release();
    // A server is not to take a part of a request for the whole.
    if (this.#upgraded === null) this.wire.close(!wasComplete);
    else this.#upgraded.breakOff(new Error("the client was closed"));
    this.#core.connectionClosed(this);
  }

  /** Closes it, and waits for who makes the body of the request. */
  async #abandon(): Promise<void> {
    const upload = this.#upload;
    this.close();
    await upload?.stop();
  }

  #failed(reason: FailureReason, message: string, cause?: unknown): RequestFailedError {
    const { method, url } = this.#request as OutgoingRequest;
    return new RequestFailedError(message, { phase: "head", reason, method, url, cause });
  }

  get #timeouts(): OutgoingRequest["timeouts"] {
    return (this.#request as OutgoingRequest).timeouts;
  }

  /** Looks at the deadlines; called by the sweep. */
  sweep(now: number): void {
    if (this.awaited.sweep(now)) this.inlet.wake();
    if (now >= this.outlet.overdueAt) this.failed(new Error(NOTHING_TAKEN));
  }

  // What the wire tells --------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    if (this.#upgraded !== null) this.#upgraded.received(bytes);
    else this.inlet.received(bytes);
    // Nobody has asked: it cannot be told what that answers.
    if (this.#request === null) this.close();
  }

  ended(): void {
    if (this.#upgraded !== null) return this.#upgraded.ended();
    this.inlet.end();
    if (this.#request === null) this.close();
  }

  written(): void {
    if (this.#upload === null) this.outlet.overdueAt = Infinity;
    this.outlet.written();
    this.#upgraded?.written();
  }

  failed(error: Error): void {
    if (this.#upgraded !== null) return this.#upgraded.failed(error);
    this.inlet.fail(error);
    this.outlet.fail(error);
    if (this.#request === null) this.close();
  }
}

/** Methods that have a body as a rule say that there is none (RFC 9110 §8.6). */
function lengthOfNothing(method: string): string {
  return method === "POST" || method === "PUT" || method === "PATCH" ? "content-length: 0\r\n" : "";
}
