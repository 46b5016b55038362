/**
 * One connection of a server, driving one parser: head, handler, response, and again. The wire's callbacks change state at once and
 * wake whoever waits; everything that waits is in the connection's task, so that cancelling it cancels all of it.
 *
 * Invariants: at most one request is handled at a time, and the next head is not even looked for before the response to the last
 * is on its way (so pipelining needs no queue: what waits is bytes, and they are bounded). Nothing is written while the wire still has
 * a write.
 */
import { Cancelled, CancelScope } from "arborio";
import type { Wire, WireReceiver } from "arborio/lowlevel";
import type { SocketAddress } from "arborio/net";
import type { RequestHead } from "../protocol/message.ts";
import { ProtocolError } from "../protocol/protocol-error.ts";
import { RequestParser } from "../protocol/request-parser.ts";
import { HttpError } from "../web/http-error.ts";
import { type ResponseParts, responseParts } from "../web/response-parts.ts";
import { dropRest, linger } from "./after-response.ts";
import { Awaited } from "./awaited.ts";
import { BodyProgress } from "./body-progress.ts";
import { ConnectionTrace } from "./connection-trace.ts";
import { ContinueReply } from "./continue-reply.ts";
import { Exchange } from "./exchange.ts";
import { HeadWait } from "./head-wait.ts";
import { IncomingBody } from "./incoming-body.ts";
import { isDeparture } from "./is-departure.ts";
import { REQUEST_BODY_ERRORS } from "./request-body-errors.ts";
import { ResponseSender } from "./response-sender.ts";
import { runUpgrade, type Upgrade } from "./run-upgrade.ts";
import type { ServerCore } from "./server-core.ts";
import { UpgradedWire } from "./upgraded-wire.ts";
import { WireInlet } from "./wire-inlet.ts";
import { WireOutlet } from "./wire-outlet.ts";

/**
 * How a connection ends: at once; after what the client still sends was read, lest a reset take the response away; or as one that
 * breaks, so that the client does not take a part for the whole.
 */
type Ending = "plain" | "linger" | "reset";

/** Reasons of the cancellation of a handler. */
const CLIENT_GONE = "the client has gone";
const TOO_LONG = "the handler took longer than handlerMs";

const NOTHING_TAKEN = "the client took too little of the response within writeMs";
const STOPPING = "the server is shutting down";

export class ServerConnection implements WireReceiver {
  readonly wire: Wire;
  readonly core: ServerCore;
  /** The other end; asked for once, since the system forgets it when the connection is gone. */
  readonly peer: SocketAddress | undefined;
  readonly parser: RequestParser;
  readonly inlet: WireInlet;
  readonly outlet: WireOutlet;
  readonly awaited: Awaited = new Awaited();
  readonly #sender: ResponseSender;
  readonly #trace: ConnectionTrace | null;
  readonly #progress: BodyProgress;
  readonly #continue: ContinueReply;
  readonly #headWait: HeadWait;
  /** The request that is handled. */
  #exchange: Exchange | null = null;
  #handledUntil = Infinity;
  #requests = 0;
  #ending: Ending = "plain";
  /** The connection as the protocol has it that was switched to. */
  #upgraded: UpgradedWire | null = null;

  constructor(wire: Wire, core: ServerCore) {
    this.wire = wire;
    this.core = core;
    this.peer = wire.details.remoteAddress;
    this.parser = new RequestParser(core.limits);
    this.inlet = new WireInlet(wire, this.parser);
    this.outlet = new WireOutlet(wire, core.buffers, "client");
    this.#sender = new ResponseSender(this);
    this.#progress = new BodyProgress(this.inlet, core);
    this.#continue = new ContinueReply(this);
    this.#headWait = new HeadWait(this);
    this.#trace = core.trace === undefined ? null : new ConnectionTrace(core.trace, this);
  }

  /** Whether a request is being handled. */
  get isActive(): boolean {
    return this.#exchange !== null;
  }

  /** Serves requests until the connection ends. What goes wrong is reported, and ends only this connection. */
  async run(): Promise<void> {
    const { core } = this;
    try {
      core.connectionOpened(this);
      this.wire.open(this);
      this.awaited.begin("head", core.due(core.timeouts.headMs));
      await this.#serve();
      await this.#finish();
    } catch (error) {
      this.#failed(error);
      if (error instanceof Cancelled) throw error;
    } finally {
      core.connectionClosed(this);
      this.outlet.release();
      if (this.#upgraded === null) this.wire.close(this.#ending === "reset");
      this.#trace?.closed();
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
          if (!this.#headWait.begin()) return;
          await inlet.wait();
          head = parser.readHead();
          if (head === null && !this.#headWait.goesOn()) return;
        }
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (!this.#isGone) await this.#refuse(error);
        return;
      }
      if (this.#isGone) return;
      const exchange = this.#begin(head);
      try {
        await exchange.scope.run(this.#answer);
        if (exchange.scope.cancelledCaught) await this.#cutShort(exchange);
      } catch (error) {
        this.#ending = error instanceof Cancelled && this.#refuseNowait() ? "plain" : "reset";
        throw error;
      } finally {
        exchange.body?.detach();
        this.core.requestsHandled += 1;
        this.#trace?.requestEnd(this.#sender, this.#isGone, this.#upgraded !== null);
      }
      this.#exchange = null;
      if (!this.#mayGoOn(head)) return;
      if (!parser.bodyDone && !(await dropRest(this))) {
        this.#ending = "linger";
        return;
      }
    }
  }

  #begin(head: RequestHead): Exchange {
    const { core } = this;
    const { limits } = core;
    this.awaited.end();
    this.#requests += 1;
    const body =
      head.framing === 0 ? null : new IncomingBody(this, head.framing, limits, REQUEST_BODY_ERRORS);
    if (body !== null) this.#progress.begin();
    this.#continue.begin(head.expectsContinue && body !== null);
    const isLast = !head.keepAlive || core.draining || this.#requests >= limits.requestsMax;
    this.#sender.begin(head, !isLast);
    this.#trace?.requestStart(head);
    return (this.#exchange = new Exchange(this, head, body, new CancelScope()));
  }

  /** Calls the handler and sends its response, in the scope of the exchange. */
  readonly #answer = async (): Promise<void> => {
    const { core } = this;
    const exchange = this.#exchange as Exchange;
    const { handlerMs } = core.timeouts;
    let response: ResponseParts;
    try {
      if (handlerMs !== Infinity) this.#handledUntil = this.core.due(handlerMs);
      response = responseParts(await core.handle(exchange));
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      response = this.#responseTo(error, exchange);
    } finally {
      this.#handledUntil = Infinity;
    }
    const { upgrade } = exchange;
    if (upgrade !== null && upgrade.status === response.status) {
      await this.#switch(upgrade, response, exchange);
      return;
    }
    if (core.draining || (exchange.body?.mustBeLeft ?? false) || this.#continue.isExpected)
      this.#sender.keepAlive = false;
    try {
      const sending = this.#sender.send(response, exchange);
      if (sending !== null) await sending;
    } catch (error) {
      if (error instanceof Cancelled || this.#sender.headSent || this.#isGone) throw error;
      // One that the engine itself answers is no fault of the handler's.
      const isOurs = error instanceof HttpError;
      const instead = isOurs ? this.#refusal(error) : this.#responseTo(error, exchange);
      await this.#sender.send(instead, exchange);
    }
  };

  /** What is answered where there is no response of the handler, or none that can be sent. */
  #responseTo(error: unknown, exchange: Exchange): ResponseParts {
    // That the client has gone is nobody's error, and nobody sees the answer.
    const isOurs = !(this.#isGone && isDeparture(error));
    if (isOurs) this.#trace?.requestError(error, exchange);
    return responseParts(this.core.failed(error, exchange, isOurs));
  }

  /** The request's scope was cancelled, and nothing around it. */
  async #cutShort(exchange: Exchange): Promise<void> {
    this.#sender.keepAlive = false;
    if (this.#isGone || this.#sender.headSent || this.#upgraded !== null) {
      this.#ending = "reset";
      return;
    }
    await this.#sender.send(this.#refusal(new HttpError(503, TOO_LONG)), exchange);
  }

  async #refuse(error: ProtocolError): Promise<void> {
    this.awaited.end();
    this.#ending = "linger";
    this.#sender.begin(null, false);
    this.#trace?.requestStart(null);
    try {
      await this.#sender.send(this.#refusal(error), null);
    } finally {
      this.#trace?.requestEnd(this.#sender, this.#isGone, false);
    }
  }

  #refusal(error: HttpError | ProtocolError): ResponseParts {
    return responseParts(this.core.failed(error, null, false));
  }

  /** Whether there can be another request after this one. */
  #mayGoOn(head: RequestHead): boolean {
    const { parser } = this;
    if (this.#upgraded !== null || this.#ending === "reset") return false;
    if (this.#sender.keepAlive) return true;
    // The client does not know that yet, and may be sending another.
    if (head.keepAlive || !parser.bodyDone || parser.bufferedBytes > 0) this.#ending = "linger";
    return false;
  }

  // Ending ---------------------------------------------------------------------------------------------------------------

  async #finish(): Promise<void> {
    if (this.#upgraded !== null || this.#ending === "reset" || this.inlet.failure !== null) return;
    if (!this.outlet.flush()) await this.drained();
    if (this.#ending === "linger" && !this.inlet.ended) await linger(this);
  }

  #failed(error: unknown): void {
    if (error instanceof Cancelled) return;
    this.#ending = "reset";
    // That the client has gone is nobody's error.
    if (!(this.#isGone && isDeparture(error))) this.core.report(error, this.#exchange);
  }

  /** The server has waited long enough for a handler: says so, if nothing else was said. */
  #refuseNowait(): boolean {
    if (this.#sender.headSent || this.outlet.isWriting || this.#isGone || this.#upgraded !== null)
      return false;
    this.#sender.sendNowait(this.#refusal(new HttpError(503, STOPPING, { expose: true })));
    return true;
  }

  /** What has been sent cannot be completed: the connection ends as one that breaks. */
  breakOff(): void {
    this.#ending = "reset";
    this.#sender.keepAlive = false;
  }

  // Another protocol -----------------------------------------------------------------------------------------------------

  /** Gives the rest of the connection to the continuation of an upgrade, inside the request's scope. */
  async #switch(upgrade: Upgrade, response: ResponseParts, exchange: Exchange): Promise<void> {
    await this.#sender.sendSwitch(response, upgrade.protocol);
    this.wire.pause();
    const wire = new UpgradedWire(this.wire, this.parser.takeRest(), this.inlet.ended);
    this.#upgraded = wire;
    await runUpgrade(wire, upgrade, (error) => this.reportFailure(error, exchange));
  }

  /** Of a handler's work after its response was given. */
  reportFailure(error: unknown, exchange: Exchange | null): void {
    if (this.#upgraded === null && this.#isGone && isDeparture(error)) return;
    this.#trace?.requestError(error, exchange);
    if (!isOfRequestBody(error, exchange)) this.core.report(error, exchange);
  }

  // Reading --------------------------------------------------------------------------------------------------------------

  /** Whether nobody is there any more who would get a response. */
  get #isGone(): boolean {
    return this.inlet.failure !== null || (this.inlet.ended && !this.core.halfClose);
  }

  /** Whether a response is on its way. */
  get isAnswered(): boolean {
    return this.#sender.headSent;
  }

  /** Somebody waits for more of the body. */
  bodyAwaited(): void {
    this.#continue.wanted();
    this.awaited.begin("body", this.#progress.until());
  }

  /** Nobody waits for the body any more. @returns whether it did not come in time. */
  bodyAwaitedNoMore(): boolean {
    this.#progress.waited();
    return this.awaited.end();
  }

  // Writing --------------------------------------------------------------------------------------------------------------

  /** Waits until the system has everything, also what others write meanwhile; each write has its deadline. */
  async drained(): Promise<void> {
    do await this.outlet.drained(this.core.due(this.core.timeouts.writeMs));
    while (!this.outlet.flush());
  }

  /** Sends an interim response. @returns `false`: there is none to this client, or the response is on its way. */
  async sendInterim(text: string): Promise<boolean> {
    if (this.outlet.isWriting) await this.drained();
    if (this.#sender.headSent) return false;
    this.outlet.addLatin1(text);
    if (!this.outlet.flush()) await this.drained();
    return true;
  }

  // Deadlines ------------------------------------------------------------------------------------------------------------

  /** Looks at the deadlines; called by the sweep. */
  sweep(now: number): void {
    if (this.awaited.sweep(now)) this.inlet.wake();
    if (now >= this.#handledUntil) {
      this.#handledUntil = Infinity;
      this.#exchange?.scope.cancel(TOO_LONG);
    }
    if (now >= this.outlet.overdueAt) this.failed(new Error(NOTHING_TAKEN));
  }

  /**
   * A shutdown has asked: the connection ends after the next response that can say so. One whose head has left cannot: its client may
   * have sent another request by now (wrk does; each of them was lost).
   */
  drain(): void {
    if (!this.#sender.headSent) this.#sender.keepAlive = false;
  }

  /** An idle connection ends now. */
  leave(): void {
    this.#headWait.leave();
  }

  // What the wire tells --------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    if (this.#upgraded === null) this.inlet.received(bytes);
    else this.#upgraded.received(bytes);
  }

  /** The handler first: it is cancelled before what it waits for has failed. */
  ended(): void {
    if (this.#upgraded !== null) this.#upgraded.ended();
    else if (!this.core.halfClose) this.#exchange?.scope.cancel(CLIENT_GONE);
    this.inlet.end();
  }

  written(): void {
    this.outlet.written();
    this.#upgraded?.written();
    this.#continue.written();
  }

  failed(error: Error): void {
    if (this.#upgraded !== null) this.#upgraded.failed(error);
    else this.#exchange?.scope.cancel(CLIENT_GONE);
    this.inlet.fail(error);
    this.outlet.fail(error);
  }
}

/** Whether the client is at fault: with the body of a request, of which that of the response is made. */
function isOfRequestBody(error: unknown, exchange: Exchange | null): boolean {
  if (error instanceof HttpError) return error.status < 500;
  return error instanceof ProtocolError && exchange?.body?.hasFailed === true;
}
