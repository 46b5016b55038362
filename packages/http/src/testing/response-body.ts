import { BrokenResourceError, EndOfStream } from "arborio";
import type { ByteReceiveStream, ByteStream } from "arborio/streams";
import { ProtocolError } from "../protocol/protocol-error.ts";
import type { ResponseParser } from "../protocol/response-parser.ts";

/** Bytes that one `receive` gives at most unless told otherwise. */
const CHUNK_BYTES_MAX = 65_536;

/** The body of a response, read from its connection as it is asked for. It owns the connection. */
export class ResponseBody implements ByteReceiveStream {
  readonly #stream: ByteStream;
  readonly #parser: ResponseParser;

  constructor(stream: ByteStream, parser: ResponseParser) {
    this.#stream = stream;
    this.#parser = parser;
  }

  async receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    for (;;) {
      const bytes = this.#read(maxBytes);
      if (bytes !== null) return bytes;
      if (this.#parser.bodyDone) {
        this.close();
        throw new EndOfStream("response body: it has ended");
      }
      await this.#more();
    }
  }

  #read(maxBytes: number): Uint8Array | null {
    try {
      return this.#parser.readBody(maxBytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new BrokenResourceError(`response body: ${error.message}`, { cause: error });
    }
  }

  async #more(): Promise<void> {
    try {
      this.#parser.push(await this.#stream.receive());
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
      this.#parser.end();
    }
  }

  async receiveInto(view: Uint8Array): Promise<number> {
    const bytes = await this.receive(view.length);
    view.set(bytes);
    return bytes.length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined, undefined> {
    for (;;) {
      try {
        yield await this.receive();
      } catch (error) {
        if (error instanceof EndOfStream) return undefined;
        throw error;
      }
    }
  }

  close(): void {
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
