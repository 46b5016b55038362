/**
 * One connection of a client, driving one parser: request, response, and again. The wire's callbacks change state at once and wake whoever
 * waits. Whoever has the connection waits in its own scope; being cancelled there ends the connection, since what comes next
 * belongs to nobody.
 *
 * Invariants: at most one exchange at a time. It is over when its response is, and the upload of its request too; only then is the
 * connection given back, and only if both sides could tell where the messages ended and nothing came behind them. What comes while there
 * is no exchange makes it useless. A body or an upload of an exchange that is over touches nothing here any more.
 */
import { InternalError } from "arborio";
import type { Wire, WireReceiver } from "arborio/lowlevel";
import type { ResponseHead } from "../protocol/message.ts";
import { ResponseParser } from "../protocol/response-parser.ts";
import { Awaited } from "./awaited.ts";
import type { ClientCore } from "./client-core.ts";
import { isFinal, requireHope, takeInterim } from "./final-head.ts";
import { IncomingBody } from "./incoming-body.ts";
import { OutgoingBody } from "./outgoing-body.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import { addRequestHead } from "./request-head.ts";
import { responseBodyErrors } from "./response-body-errors.ts";
import { connectionGone, headFailure, Stopped } from "./stopped.ts";
import { DROPPED_MS, UnwantedRest } from "./unwanted-rest.ts";
import { Upload } from "./upload.ts";
import { type UpgradedWire, upgradedWire } from "./upgraded-wire.ts";
import { WatchedSignal } from "./watched-signal.ts";
import { WireInlet } from "./wire-inlet.ts";
import { WireOutlet } from "./wire-outlet.ts";

export class ClientConnection implements WireReceiver {
  readonly wire: Wire;
  readonly parser: ResponseParser;
  readonly inlet: WireInlet;
  readonly outlet: WireOutlet;
  readonly awaited: Awaited = new Awaited();
  readonly #core: ClientCore;
  #request: OutgoingRequest | null = null;
  #upload: Upload | null = null;
  /** Of the last response, `null` before it has come. */
  head: ResponseHead | null = null;
  #body: IncomingBody | null = null;
  /** The response was received to its end; the request is still being sent. */
  #isReceived = false;
  readonly #rest: UnwantedRest;
  readonly #signal: WatchedSignal = new WatchedSignal((reason) =>
    this.#end(new Stopped("aborted", "the request was aborted", reason)),
  );
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
    this.#rest = new UnwantedRest(this.parser);
    this.inlet = new WireInlet(wire, this.parser);
    this.outlet = new WireOutlet(wire, core.buffers, "server");
    core.connectionOpened(this);
    try {
      wire.open(this);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether it can carry a request now, as far as is known: a server may have ended it, and the news be on its way. */
  get isReusable(): boolean {
    return this.#request === null && !this.#closed && this.#isClean;
  }

  /**
   * Whether nothing is left of what it carried, and it goes on. The outlet may still be writing: below TLS the news that a request has left
   * can come behind the response to it.
   */
  get #isClean(): boolean {
    return !this.inlet.ended && this.parser.atMessageStart;
  }

  /** Whether nothing goes on but a body that is received: when the connection is gone, what has come of it can be read without. */
  get #isFinal(): boolean {
    return this.#body !== null && this.upload === null;
  }

  /** Whether nothing of a response has come. */
  get isUnanswered(): boolean {
    return this.inlet.bytesReceived === this.#receivedBefore;
  }

  /** Whether the body of the request is or was sent by itself: then something of it may have been taken. */
  get hasUpload(): boolean {
    return this.#upload !== null;
  }

  /**
   * Sends a request and waits for the head of its final response. Its body is `body` then; if there is none, the exchange is over: a server
   * that has answered so, and goes on reading, gets all of the request before.
   *
   * @param sentAt when that is, for who has just looked at the clock: what it waits for is due from then on.
   * @throws RequestFailedError if there is no such head, or the body of the request fails. Then, and if it is cancelled, the connection is gone.
   */
  async exchange(
    request: OutgoingRequest,
    sentAt: number = this.#core.due(0),
  ): Promise<ResponseHead> {
    const { parser, inlet } = this;
    if (this.#request !== null)
      throw new InternalError("ClientConnection: two exchanges at a time");
    this.#request = request;
    this.head = null;
    this.#receivedBefore = inlet.bytesReceived;
    this.requests += 1;
    try {
      // It may have ended since it was looked at; then nothing can be sent, and the reason is known.
      parser.expect(request.method);
      this.#send(request, sentAt);
      for (let interims = 0; ;) {
        const head = parser.readHead();
        if (head === null) {
          requireHope(this, request);
          await inlet.wait();
        } else if (isFinal(head, request)) {
          this.awaited.end();
          this.#begin(head, request);
          if (head.framing === 0 && this.#upload !== null) {
            this.#isReceived = true;
            await this.#upload.settle(head.keepAlive);
          }
          return head;
        } else takeInterim(this, request, head, ++interims);
      }
    } catch (error) {
      this.#end(null);
      await this.cleaned();
      throw headFailure(request, error, inlet.failure);
    }
  }

  /** The body of the response, `null` if it has none, or the exchange is over. */
  get body(): IncomingBody | null {
    return this.#body;
  }

  /** The upload that still goes on. */
  get upload(): Upload | null {
    return this.#upload?.hasEnded === false ? this.#upload : null;
  }

  // Sending --------------------------------------------------------------------------------------------------------------

  #send(request: OutgoingRequest, sentAt: number): void {
    const { headMs, writeMs, continueMs } = request.timeouts;
    const framing = addRequestHead(this.outlet, request);
    this.#flush(sentAt + writeMs);
    if (framing === null) return this.awaited.begin("head", sentAt + headMs);
    const { expectsContinue } = request;
    const body = new OutgoingBody(this, "request body", framing);
    this.#upload = new Upload(body, request, this.#uploadEnded);
    this.awaited.begin("head", expectsContinue ? sentAt + continueMs : Infinity);
    this.#upload.start(expectsContinue);
  }

  /** The response is due when the request was sent; or was there before. */
  readonly #uploadEnded = (upload: Upload): void => {
    if (this.#closed) return;
    if (upload.failure !== null && !upload.isCut && this.inlet.failure === null) {
      const why = new Stopped(
        "request-body",
        "the body of the request failed",
        upload.failure.error,
      );
      upload.fault = connectionGone(this.#request as OutgoingRequest, "send", why) as Error;
      this.#end(why);
    } else if (this.#isReceived) this.#complete();
    else if (this.awaited.what === "head") {
      this.awaited.begin("head", this.#core.due(this.#timeouts.headMs));
      this.inlet.wake();
    }
  };

  /** What the system does not take at once it takes while the response is waited for. */
  #flush(until: number): void {
    if (!this.outlet.flush()) this.outlet.overdueAt = until;
  }

  /** Waits until the system has everything; each write has its deadline. */
  async drained(): Promise<void> {
    do await this.outlet.drained(this.#core.due(this.#timeouts.writeMs));
    while (!this.outlet.flush());
  }

  #begin(head: ResponseHead, request: OutgoingRequest): void {
    this.head = head;
    this.#body = null;
    const { framing, status } = head;
    if (status === 101 || (request.method === "CONNECT" && status < 300)) return;
    const { upload } = this;
    upload?.answered(status);
    if (framing !== 0) {
      const limits = { bodyBytesMax: request.bodyBytesMax, drainBytesMax: 0 };
      this.#body = new IncomingBody(this, framing, limits, responseBodyErrors(request));
    } else if (upload === null) this.#complete();
  }

  /** All of the body if it has come whole; then the exchange is over. If it has not, the request's signal is heard from now on. */
  takeWholeNowait(): Uint8Array | null {
    const body = this.#body;
    if (body === null) return null;
    const whole = this.upload === null ? body.wholeNowait() : null;
    if (whole === null && this.#request?.signal) this.#signal.watch(this.#request.signal);
    return whole;
  }

  bodyAwaited(): void {
    this.awaited.begin("body", this.#core.due(this.#timeouts.bodyMs));
  }

  bodyAwaitedNoMore(): boolean {
    return this.awaited.end();
  }

  /** A server that has answered, and goes on reading, gets all of the request. */
  bodyEnded(): void {
    const { upload } = this;
    if (upload === null) return this.#complete();
    this.#isReceived = true;
    if (this.head?.keepAlive !== true) upload.cut();
  }

  /** Nobody wants the rest of the response: dropped, if it is short; else the connection is closed. With it goes what was not sent of the request. */
  bodyClosed(): void {
    const left = this.#body?.bytesLeft;
    this.#body?.detach();
    this.#body = null;
    this.#signal.forget();
    const mayKeep = this.upload === null && this.head?.keepAlive === true;
    if (!mayKeep) return this.#end(null);
    this.awaited.begin("rest", this.#core.due(DROPPED_MS));
    this.#dropped(this.#rest.begin(left));
  }

  #dropped(isWorthIt: boolean): void {
    if (isWorthIt && this.parser.bodyDone) this.#complete();
    else if (!isWorthIt || this.inlet.ended) this.#end(null);
    else this.inlet.consumed();
  }

  /** Both messages are over. */
  #complete(): void {
    if (this.#closed) return;
    const isSent = this.#upload === null || this.#upload.isComplete;
    const isKept = this.head?.keepAlive === true;
    if (!(isSent && isKept && this.#isClean)) return this.#end(null);
    this.#body?.detach();
    this.#body = null;
    this.#upload = null;
    this.#request = null;
    this.#isReceived = false;
    this.#rest.end();
    this.#signal.forget();
    this.awaited.end();
    // What is sent without being asked for, and the end, must be seen.
    this.inlet.consumed();
    this.#core.connectionIdle(this);
  }

  /** The rest of the connection, after a 101 or the 2xx to a CONNECT. Who takes it closes it, and with it this connection. */
  takeWire(): Wire {
    return (this.#upgraded = upgradedWire(this, () => this.close()));
  }

  /** Ends it at once, whatever goes on. */
  close(): void {
    this.#end(new Stopped("closed", "the connection was closed"));
  }

  /** The client is closed: ends it at once, and tells so whoever waits for something of it. */
  breakOff(): void {
    this.#end(new Stopped("closed", "the client was closed"));
  }

  /** Waits until the body of the request is not made any more, once it was closed. */
  async cleaned(): Promise<void> {
    await this.#upload?.stop();
  }

  /** @param why what whoever waits for something of it is told; `null`: nobody does. */
  #end(why: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.forget();
    const isCut = this.#upload !== null && !this.#upload.isComplete;
    this.#upload?.cut();
    if (why === null) this.#body?.detach();
    const error = why ?? new Error("the connection was closed");
    for (const half of [this.inlet, this.outlet]) half.fail(error);
    this.outlet.release();
    // A server is not to take a part of a request for the whole.
    if (this.#upgraded === null) this.wire.close(isCut);
    else this.#upgraded.breakOff(error);
    this.#core.connectionClosed(this);
  }

  get #timeouts(): OutgoingRequest["timeouts"] {
    return (this.#request as OutgoingRequest).timeouts;
  }

  /** Looks at the deadlines; called by the sweep. */
  sweep(now: number): void {
    if (this.awaited.sweep(now)) {
      if (this.#rest.isDropped) return this.#end(null);
      this.inlet.wake();
    }
    if (now < this.outlet.overdueAt) return;
    this.outlet.overdueAt = Infinity;
    // It has been answered, and what was written has still not left.
    if (this.#request === null) return this.#end(null);
    const { writeMs } = this.#timeouts;
    const message = `the server took too little of the request within ${writeMs} ms (writeMs)`;
    this.failed(new Stopped("timeout", message));
  }

  // What the wire tells --------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    if (this.#upgraded !== null) return this.#upgraded.received(bytes);
    this.inlet.received(bytes);
    if (this.#rest.isDropped) this.#dropped(this.#rest.drop());
    // Nobody has asked: it cannot be told what that answers.
    else if (this.#request === null)
      this.#end(new Stopped("protocol", "the server sent something that was not asked for"));
  }

  ended(): void {
    if (this.#upgraded !== null) return this.#upgraded.ended();
    this.inlet.end();
    if (this.#rest.isDropped) this.#dropped(this.#rest.drop());
    else if (this.#request === null) this.#end(null);
    else if (this.#isFinal) this.#end(new Error("the server has ended the connection"));
  }

  written(): void {
    this.outlet.written();
    this.#upgraded?.written();
    // The head of a request may have had to wait for the write of the one before.
    if (this.outlet.pending > 0 && this.#request !== null)
      this.#flush(this.#core.due(this.#timeouts.writeMs));
  }

  failed(error: Error): void {
    if (this.#upgraded !== null) return this.#upgraded.failed(error);
    this.inlet.fail(error);
    this.outlet.fail(error);
    if (this.#request === null || this.#rest.isDropped) this.#end(null);
    else if (this.#isFinal) this.#end(error);
  }
}
