import { Cancelled, CancelScope, Event, outsideScopes, shielded } from "arborio";
import type { BodyProducer, BodySink } from "../web/body-producer.ts";
import type { Payload } from "../web/payload.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";

/** Bytes that are there already are handed over in pieces of so many, so that progress is seen. */
const PIECE_BYTES = 65_536;

/**
 * Sends the body of a request while its response is waited for, and may go on while that is received: a flow of its own, which the
 * exchange owns. It never rejects; `failure` tells what went wrong.
 */
export class Upload {
  readonly #body: OutgoingBody;
  readonly #request: OutgoingRequest;
  readonly #scope: CancelScope = new CancelScope();
  readonly #ended: Event = new Event();
  /** Set when the server wants the body, or is asked no longer. */
  readonly #wanted: Event = new Event();
  readonly #onEnd: (upload: Upload) => void;
  /** Whether all of it was handed over. */
  isComplete = false;
  /** Whether it has ended, and cleaned up. */
  hasEnded = false;
  /** Whether it was told to end. */
  isCut = false;
  /** What was thrown while it was sent: by what makes it, or since the connection broke. */
  failure: { readonly error: unknown } | null = null;
  /** The connection's: it had to be ended because of the body. */
  fault: Error | null = null;

  constructor(body: OutgoingBody, request: OutgoingRequest, onEnd: (upload: Upload) => void) {
    this.#body = body;
    this.#request = request;
    this.#onEnd = onEnd;
  }

  /** @param waits whether it waits for `proceed` first. */
  start(waits: boolean): void {
    if (!waits) this.#wanted.set();
    void outsideScopes(() => this.#run());
  }

  /** Whether it still waits for `proceed`. */
  get isWaiting(): boolean {
    return !this.#wanted.isSet;
  }

  /** Bytes that were handed over. */
  get bytesSent(): number {
    return this.#body.bytesSent;
  }

  /** The server wants the body. */
  proceed(): void {
    this.#wanted.set();
  }

  /** Waits until nothing more is sent. @throws RequestFailedError if what makes the body has failed. */
  async sent(): Promise<void> {
    await this.#ended.wait();
    if (this.fault !== null) throw this.fault;
  }

  /** The head of the response is here. Who refuses does not want the rest of the body; who takes it may have asked by that (RFC 9110 §10.1.1). */
  answered(status: number): void {
    if (status >= 300) this.cut();
    else if (this.isWaiting) this.proceed();
  }

  /**
   * The response was received to its end: a server that goes on reading gets all of the request.
   *
   * @throws RequestFailedError if what makes the body has failed. That the server took no more does not matter any longer: it has answered.
   */
  async settle(goesOn: boolean): Promise<void> {
    if (goesOn && !this.isCut) await this.#ended.wait();
    else await this.stop();
    if (this.fault !== null) throw this.fault;
  }

  /** Cuts it, and waits until it has cleaned up. */
  async stop(): Promise<void> {
    this.cut();
    if (!this.hasEnded) await shielded(() => this.#ended.wait());
  }

  /** `stop` for who cannot wait. */
  cut(): void {
    if (this.hasEnded) return;
    this.isCut = true;
    this.#scope.cancel("the request is over");
  }

  async #run(): Promise<void> {
    const { payload, trailers } = this.#request;
    try {
      await this.#scope.run(async () => {
        await this.#wanted.wait();
        await this.#send(payload);
        await this.#body.end(trailers);
        this.isComplete = true;
      });
    } catch (error) {
      if (!(error instanceof Cancelled)) this.failure = { error };
    } finally {
      this.#closePayload(payload);
      this.#body.close();
      this.hasEnded = true;
      this.#ended.set();
      this.#onEnd(this);
    }
  }

  /** It may be the user's, and fail at that. */
  #closePayload(payload: Payload): void {
    try {
      if (isStream(payload)) payload.close();
    } catch (error) {
      this.failure ??= { error };
    }
  }

  async #send(payload: Payload): Promise<void> {
    const sink = this.#sink;
    if (payload === null) return;
    if (typeof payload === "string") await sink.send(payload);
    else if (payload instanceof Uint8Array) await sendInPieces(payload, sink);
    else if (typeof payload === "function") await payload(sink);
    else for await (const bytes of payload) await sink.send(bytes);
  }

  get #sink(): BodySink {
    const body = this.#body;
    const { onSent } = this.#request;
    if (onSent === null) return body;
    return {
      async send(piece) {
        await body.send(piece);
        onSent(body.bytesSent);
      },
    };
  }
}

async function sendInPieces(bytes: Uint8Array, sink: BodySink): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    await sink.send(bytes.subarray(at, at + PIECE_BYTES));
}

function isStream(
  payload: Payload,
): payload is Exclude<Payload, null | string | Uint8Array | BodyProducer> {
  return typeof payload === "object" && payload !== null && !(payload instanceof Uint8Array);
}
