/**
 * One connection of a server, driving one parser: head, handler, response, and again. The wire's callbacks change state at once and
 * wake whoever waits; everything that waits is in the connection's task, so that cancelling it cancels all of it.
 *
 * Invariants: at most one request is handled at a time, and the next head is not even looked for before the response to the last
 * is on its way (so pipelining needs no queue: what waits is bytes, and they are bounded). Nothing is written while the wire still has
 * a write.
 */
import { BrokenResourceError, Cancelled, CancelScope } from "arborio";
import type { Wire, WireReceiver } from "arborio/lowlevel";
import type { RequestHead } from "../protocol/message.ts";
import { ProtocolError } from "../protocol/protocol-error.ts";
import { RequestParser } from "../protocol/request-parser.ts";
import { HttpError } from "../web/http-error.ts";
import { type ResponseParts, responseParts } from "../web/response-parts.ts";
import { Exchange } from "./exchange.ts";
import { IncomingBody } from "./incoming-body.ts";
import { ResponseSender } from "./response-sender.ts";
import type { ServerCore } from "./server-core.ts";
import { WireInlet } from "./wire-inlet.ts";
import { WireOutlet } from "./wire-outlet.ts";

/** What a connection waits for from its client. */
type Awaiting = "nothing" | "request" | "head" | "body" | "linger";

/** After its last response a connection is read on for at most so long, in milliseconds, lest a reset take the response away. */
const LINGER_MS = 5000;

/** Likewise in bytes. */
const LINGER_BYTES_MAX = 1_048_576;

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** Reason of the cancellation of a handler whose client is gone. */
const CLIENT_GONE = "the client has gone";
/** Reason of the cancellation of a handler that took too long. */
const TOO_LONG = "the handler took longer than handlerMs";

export class ServerConnection implements WireReceiver {
  readonly wire: Wire;
  readonly core: ServerCore;
  readonly parser: RequestParser;
  readonly inlet: WireInlet;
  readonly outlet: WireOutlet;
  readonly #sender: ResponseSender;
  /** What is handled at the moment. */
  #exchange: Exchange | null = null;
  #body: IncomingBody | null = null;
  #awaiting: Awaiting = "nothing";
  /** When what is awaited is overdue; kernel time. */
  #awaitedUntil = Infinity;
  #handledUntil = Infinity;
  #writtenUntil = Infinity;
  /** The deadline that has passed while something was awaited. */
  #overdue: Awaiting = "nothing";
  #continueOwed = false;
  #expectsContinue = false;
  #requests = 0;
  #abortive = false;

  constructor(wire: Wire, core: ServerCore) {
    this.wire = wire;
    this.core = core;
    this.parser = new RequestParser(core.limits);
    this.inlet = new WireInlet(wire, this.parser);
    this.outlet = new WireOutlet(wire, core.buffers);
    this.#sender = new ResponseSender(this);
  }

  /** Serves requests until the connection ends. */
  async run(): Promise<void> {
    const { core } = this;
    core.connections.add(this);
    core.connectionAdded();
    this.wire.open(this);
    this.#await("head", core.timeouts.headMs);
    try {
      await this.#serve();
      await this.#finish();
    } catch (error) {
      this.#abortive = true;
      // That the client has gone is nobody's error.
      if (!(error instanceof BrokenResourceError && this.inlet.failure !== null)) throw error;
    } finally {
      core.connections.delete(this);
      this.outlet.release();
      this.wire.close(this.#abortive);
    }
  }

  /** Requests and their responses, one after the other. Few functions that wait: each costs every request a tenth of a microsecond. */
  async #serve(): Promise<void> {
    const { inlet, outlet, parser } = this;
    for (;;) {
      let head: RequestHead | null;
      try {
        head = parser.readHead();
        // What was collected goes out before anything is waited for.
        if (head === null && !outlet.flush()) await this.drained();
        while (head === null) {
          if (!this.#expectHead()) return;
          await inlet.wait();
          if (!this.#headMayCome()) return;
          head = parser.readHead();
        }
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        await this.#refuse(error);
        return;
      }
      const exchange = this.#begin(head);
      try {
        await exchange.scope.run(this.#answer);
      } finally {
        this.#exchange = null;
        this.#body?.detach();
        this.#body = null;
      }
      if (exchange.scope.cancelledCaught) return this.#cutShort(exchange);
      if (!this.#sender.keepAlive) return;
      if (!parser.bodyDone && !(await this.#drain())) return;
    }
  }

  #begin(head: RequestHead): Exchange {
    const { core } = this;
    const { limits } = core;
    this.#await("nothing");
    this.#requests += 1;
    this.#body =
      head.framing === 0 ? null : new IncomingBody(this, head.framing, limits.bodyBytesMax);
    this.#expectsContinue = head.expectsContinue && head.framing !== 0;
    const isLast = !head.keepAlive || core.draining || this.#requests >= limits.requestsMax;
    this.#sender.begin(head, !isLast);
    return (this.#exchange = new Exchange(this, head, this.#body, new CancelScope()));
  }

  /** Calls the handler and sends its response, in the scope of the exchange. */
  readonly #answer = async (): Promise<void> => {
    const { core } = this;
    const exchange = this.#exchange as Exchange;
    const { handlerMs } = core.timeouts;
    let response: ResponseParts;
    try {
      if (handlerMs !== Infinity) this.#handledUntil = this.#due(handlerMs);
      response = responseParts(await core.handle(exchange));
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      response = responseParts(core.failed(error, exchange));
    } finally {
      this.#handledUntil = Infinity;
    }
    if (core.draining || this.#mustLeaveBody()) this.#sender.keepAlive = false;
    const sending = this.#sender.send(response, exchange);
    if (sending !== null) await sending;
  };

  /** Whether what is left of the body is not to be read: the client may not even send it, or it is too much. */
  #mustLeaveBody(): boolean {
    const body = this.#body;
    if (body === null || this.parser.bodyDone) return false;
    if (this.#expectsContinue) return true;
    return body.remaining > this.core.limits.drainBytesMax && body.length !== undefined;
  }

  async #cutShort(exchange: Exchange): Promise<void> {
    if (this.inlet.failure === null && !this.#sender.headSent && !this.inlet.ended) {
      this.#sender.keepAlive = false;
      const error = new HttpError(503, TOO_LONG);
      await this.#sender.send(responseParts(this.core.failed(error, null)), exchange);
    } else {
      this.#abortive = true;
    }
  }

  async #refuse(error: ProtocolError): Promise<void> {
    this.#await("nothing");
    this.#sender.begin(null, false);
    await this.#sender.send(responseParts(this.core.failed(error, null)), null);
  }

  // Reading --------------------------------------------------------------------------------------------------------------

  /** Before a head is waited for. `false`: there will be none. */
  #expectHead(): boolean {
    const { core, inlet, parser } = this;
    if (inlet.ended) return false;
    if (!parser.atMessageStart) {
      if (this.#awaiting !== "head") this.#await("head", core.timeouts.headMs);
      return true;
    }
    if (core.draining) return false;
    if (this.#awaiting === "nothing") this.#await("request", core.timeouts.idleMs);
    return true;
  }

  /** Whether the time for it has not passed. @throws ProtocolError if it has, and a part of it has come. */
  #headMayCome(): boolean {
    if (this.#overdue === "nothing") return true;
    if (this.#overdue === "request" || this.parser.atMessageStart) return false;
    throw new ProtocolError(408, "head-timeout", "the request did not come in time");
  }

  /** Reads what is left of a body that nobody wanted. `false`: it is too much. */
  async #drain(): Promise<boolean> {
    const { inlet, parser, outlet, core } = this;
    if (!outlet.flush()) await this.drained();
    let dropped = 0;
    for (;;) {
      try {
        for (let bytes = parser.readBody(65_536); bytes !== null; bytes = parser.readBody(65_536))
          dropped += bytes.length;
      } catch (error) {
        if (error instanceof ProtocolError) return false;
        throw error;
      }
      inlet.consumed();
      if (parser.bodyDone) return true;
      if (dropped > core.limits.drainBytesMax || inlet.ended) return false;
      this.#await("body", core.timeouts.bodyMs);
      await inlet.wait();
      const isOverdue = this.#overdue === "body";
      this.#await("nothing");
      if (isOverdue) return false;
    }
  }

  /** Sends the end, and reads on until the client has seen it: unread bytes would make the system reset the connection. */
  async #finish(): Promise<void> {
    const { inlet, outlet, parser } = this;
    if (inlet.failure !== null || this.#abortive) return;
    if (!outlet.flush()) await this.drained();
    if (inlet.ended || (this.#requests > 0 && parser.bodyDone && parser.bufferedBytes === 0))
      return;
    if (this.#overdue === "request" || (this.#requests === 0 && parser.bufferedBytes === 0)) return;
    this.wire.end();
    inlet.ignore();
    const before = inlet.bytesReceived;
    this.#await("linger", LINGER_MS);
    while (!inlet.ended && this.#overdue !== "linger") {
      if (inlet.bytesReceived - before > LINGER_BYTES_MAX) break;
      await inlet.wait();
    }
  }

  bodyWanted(): void {
    if (!this.#expectsContinue || this.#sender.headSent) return;
    this.#expectsContinue = false;
    if (this.outlet.isWriting) this.#continueOwed = true;
    else this.#sendContinue();
  }

  #sendContinue(): void {
    this.#continueOwed = false;
    this.outlet.addLatin1(CONTINUE);
    this.outlet.flush();
  }

  bodyAwaited(isAwaited: boolean): void {
    if (isAwaited) this.#await("body", this.core.timeouts.bodyMs);
    else {
      const isOverdue = this.#overdue === "body";
      this.#await("nothing");
      if (isOverdue) throw new HttpError(408, "the body did not come in time");
    }
  }

  // Writing --------------------------------------------------------------------------------------------------------------

  /** `outlet.drained()` with its deadline. */
  async drained(): Promise<void> {
    this.#writtenUntil = this.#due(this.core.timeouts.writeMs);
    try {
      await this.outlet.drained();
    } finally {
      this.#writtenUntil = Infinity;
    }
  }

  /** What has been sent cannot be completed: the connection ends as one that breaks. */
  breakOff(): void {
    this.#abortive = true;
    this.#sender.keepAlive = false;
  }

  // Deadlines ------------------------------------------------------------------------------------------------------------

  #await(what: Awaiting, ms = Infinity): void {
    this.#awaiting = what;
    this.#overdue = "nothing";
    this.#awaitedUntil = ms === Infinity ? Infinity : this.#due(ms);
  }

  /** Never early: `coarseNow` may be one sweep old. */
  #due(ms: number): number {
    return this.core.coarseNow + ms;
  }

  /** Looks at the deadlines; called by the sweep. */
  sweep(now: number): void {
    if (now >= this.#awaitedUntil) {
      this.#awaitedUntil = Infinity;
      this.#overdue = this.#awaiting;
      this.inlet.wake();
    }
    if (now >= this.#handledUntil) {
      this.#handledUntil = Infinity;
      this.#exchange?.scope.cancel(TOO_LONG);
    }
    if (now >= this.#writtenUntil) {
      this.#writtenUntil = Infinity;
      this.#abortive = true;
      this.failed(new Error("the client took nothing of the response for writeMs"));
    }
  }

  /** A shutdown has asked: an idle connection ends now, another after its response. */
  drain(): void {
    if (this.#awaiting === "request" || this.#awaiting === "head") this.inlet.wake();
    this.#sender.keepAlive = false;
  }

  // What the wire tells --------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    this.inlet.received(bytes);
  }

  ended(): void {
    this.inlet.end();
    if (!this.core.halfClose) this.#exchange?.scope.cancel(CLIENT_GONE);
  }

  written(): void {
    this.outlet.written();
    if (this.#continueOwed && !this.outlet.isWriting) this.#sendContinue();
  }

  failed(error: Error): void {
    this.inlet.fail(error);
    this.outlet.fail(error);
    this.#exchange?.scope.cancel(CLIENT_GONE);
  }
}
