import type { ByteStream } from "../streams/byte-stream.ts";

/** A byte stream that is none of the library's classes: it passes everything on to one that is. For tests. */
export class ForeignStream implements ByteStream {
  readonly #inner: ByteStream;

  constructor(inner: ByteStream) {
    this.#inner = inner;
  }

  receive(maxBytes?: number): Promise<Uint8Array> {
    return this.#inner.receive(maxBytes);
  }

  receiveInto(view: Uint8Array): Promise<number> {
    return this.#inner.receiveInto(view);
  }

  send(bytes: Uint8Array): Promise<void> {
    return this.#inner.send(bytes);
  }

  sendEof(): Promise<void> {
    return this.#inner.sendEof();
  }

  close(): void {
    this.#inner.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inner[Symbol.asyncIterator]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
