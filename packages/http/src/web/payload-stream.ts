import { BrokenResourceError, CancelScope, outsideScopes } from "arborio";
import {
  type ByteReceiveStream,
  createMemoryPipe,
  fromIterable,
  type MemoryReceiveStream,
  type MemorySendStream,
} from "arborio/streams";
import type { BodyProducer } from "./body-producer.ts";
import type { Payload } from "./payload.ts";

const encoder = new TextEncoder();

/**
 * A payload as a stream, for whoever must have one. A producer is started by the first `receive`, in the root scope of the run, since nobody
 * knows the scope of who will read; closing the stream cancels it. A server calls producers itself instead.
 */
export function payloadStream(payload: Exclude<Payload, null>): ByteReceiveStream {
  if (typeof payload === "string") return fromIterable([encoder.encode(payload)]);
  if (payload instanceof Uint8Array) return fromIterable([payload]);
  if (typeof payload === "function") return new ProducedStream(payload);
  return payload;
}

/** The bytes of a piece of a body. */
export function bytesOf(piece: Uint8Array | string): Uint8Array {
  return typeof piece === "string" ? encoder.encode(piece) : piece;
}

class ProducedStream implements ByteReceiveStream {
  readonly #producer: BodyProducer;
  readonly #scope: CancelScope = new CancelScope();
  readonly #sender: MemorySendStream;
  readonly #receiver: MemoryReceiveStream;
  #started = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(producer: BodyProducer) {
    this.#producer = producer;
    [this.#sender, this.#receiver] = createMemoryPipe();
  }

  receive(maxBytes?: number): Promise<Uint8Array> {
    return this.#whileProducing(() => this.#receiver.receive(maxBytes));
  }

  receiveInto(view: Uint8Array): Promise<number> {
    return this.#whileProducing(() => this.#receiver.receiveInto(view));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return {
      next: () => this.#whileProducing(() => this.#receiver[Symbol.asyncIterator]().next()),
    };
  }

  close(): void {
    this.#started = true;
    this.#receiver.close();
    this.#scope.cancel("nobody reads the body any more");
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #whileProducing<T>(receive: () => Promise<T>): Promise<T> {
    if (!this.#started) {
      this.#started = true;
      void outsideScopes(() => this.#produce());
    }
    try {
      return await receive();
    } catch (error) {
      if (error instanceof BrokenResourceError && this.#failure !== null) throw this.#failure.error;
      throw error;
    }
  }

  /** Never rejects: what went wrong is what the receiver is told. */
  async #produce(): Promise<void> {
    try {
      await this.#scope.run(() =>
        this.#producer({ send: (piece) => this.#sender.send(bytesOf(piece)) }),
      );
      this.#sender.close();
    } catch (error) {
      this.#failure = { error };
      this.#sender.abort();
    }
  }
}
