import type { ByteReceiveStream } from "arborio/streams";

/** A stream that tells whether somebody has received from it. */
export interface TouchableStream extends ByteReceiveStream {
  /** Whether something was received, or somebody is about to. */
  readonly isTouched: boolean;
}

/** A stream that is opened when it is first used, and tells whether it was. */
export class WatchedStream implements TouchableStream {
  readonly #open: () => ByteReceiveStream;
  #stream: ByteReceiveStream | null = null;

  constructor(open: () => ByteReceiveStream) {
    this.#open = open;
  }

  get isTouched(): boolean {
    return this.#stream !== null;
  }

  get #opened(): ByteReceiveStream {
    this.#stream ??= this.#open();
    return this.#stream;
  }

  receive(maxBytes?: number): Promise<Uint8Array> {
    return this.#opened.receive(maxBytes);
  }

  receiveInto(view: Uint8Array): Promise<number> {
    return this.#opened.receiveInto(view);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return this.#opened[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined, undefined>;
  }

  close(): void {
    this.#opened.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
