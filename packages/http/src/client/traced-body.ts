import { Cancelled, EndOfStream } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";

/** What is told of a body. */
export interface BodyWatcher {
  received(bytes: number): void;
  ended(): void;
  left(): void;
  failed(error: unknown): void;
}

/** A body that tells what is received of it. */
export class TracedBody implements ByteReceiveStream {
  readonly #body: ByteReceiveStream;
  readonly #watcher: BodyWatcher;
  #isTouched = false;

  constructor(body: ByteReceiveStream, watcher: BodyWatcher) {
    this.#body = body;
    this.#watcher = watcher;
  }

  /** Of the whole body, if it is known. */
  get length(): number | undefined {
    return (this.#body as { readonly length?: number }).length;
  }

  get isTouched(): boolean {
    return this.#isTouched;
  }

  async receive(maxBytes?: number): Promise<Uint8Array> {
    const bytes = await this.#watched(this.#body.receive(maxBytes));
    this.#watcher.received(bytes.length);
    return bytes;
  }

  async receiveInto(view: Uint8Array): Promise<number> {
    const count = await this.#watched(this.#body.receiveInto(view));
    this.#watcher.received(count);
    return count;
  }

  async #watched<T>(receiving: Promise<T>): Promise<T> {
    this.#isTouched = true;
    try {
      return await receiving;
    } catch (error) {
      if (error instanceof EndOfStream) this.#watcher.ended();
      else if (!(error instanceof Cancelled)) this.#watcher.failed(error);
      throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined, undefined> {
    try {
      for (;;) yield await this.receive();
    } catch (error) {
      if (error instanceof EndOfStream) return undefined;
      throw error;
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#body.close();
    this.#watcher.left();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
