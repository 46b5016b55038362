import { Cancelled, CancelScope, Event, outsideScopes, shielded } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import type { FieldList } from "../protocol/message.ts";
import type { BodyProducer } from "../web/body-producer.ts";
import type { OutgoingBody } from "./outgoing-body.ts";

/**
 * Sends the body of a request while its response is waited for, and may go on while that is received: a flow of its own, which the
 * exchange owns. It never rejects; `failure` tells what went wrong.
 */
export class Upload {
  readonly #body: OutgoingBody;
  readonly #payload: ByteReceiveStream | BodyProducer;
  readonly #trailers: (() => FieldList) | null;
  readonly #scope: CancelScope = new CancelScope();
  readonly #ended: Event = new Event();
  /** Set when the server wants the body, or is asked no longer. */
  readonly #wanted: Event = new Event();
  readonly #onEnd: () => void;
  /** Whether all of it was handed over. */
  isComplete = false;
  hasEnded = false;
  failure: { readonly error: unknown } | null = null;

  constructor(
    body: OutgoingBody,
    payload: ByteReceiveStream | BodyProducer,
    trailers: (() => FieldList) | null,
    onEnd: () => void,
  ) {
    this.#body = body;
    this.#payload = payload;
    this.#trailers = trailers;
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

  /** The server wants the body. */
  proceed(): void {
    this.#wanted.set();
  }

  /** Waits until it has ended by itself. */
  async wait(): Promise<void> {
    await this.#ended.wait();
  }

  /** Cuts it, and waits until it has cleaned up. */
  async stop(): Promise<void> {
    this.#scope.cancel("the request is over");
    if (!this.hasEnded) await shielded(() => this.#ended.wait());
  }

  /** `stop` for who cannot wait. */
  cut(): void {
    this.#scope.cancel("the request is over");
  }

  async #run(): Promise<void> {
    const payload = this.#payload;
    try {
      await this.#scope.run(async () => {
        await this.#wanted.wait();
        if (typeof payload === "function") await payload(this.#body);
        else for await (const bytes of payload) await this.#body.send(bytes);
        await this.#body.end(this.#trailers);
        this.isComplete = true;
      });
    } catch (error) {
      if (!(error instanceof Cancelled)) this.failure = { error };
    } finally {
      if (typeof payload !== "function") payload.close();
      this.#body.close();
      this.hasEnded = true;
      this.#ended.set();
      this.#onEnd();
    }
  }
}
