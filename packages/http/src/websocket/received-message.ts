import { ClosedResourceError, EndOfStream } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import type { MessageType } from "../protocol/websocket/frame.ts";
import type { MessagePiece, MessageReceiver } from "./message-receiver.ts";

const CHUNK_BYTES_MAX = 65_536;

/**
 * A message that is received as it comes, however long it is: a stream of its bytes; of a text, of its UTF-8, which is checked. What nobody reads of
 * it is passed over by the next `receive` of the WebSocket. Made by `socket.receiveStream()`.
 */
export class ReceivedMessage implements ByteReceiveStream {
  readonly #receiver: MessageReceiver;
  #type: MessageType = "text";
  #rest: Uint8Array = new Uint8Array(0);
  #isEnded = false;
  #isClosed = false;

  /** @internal */
  constructor(receiver: MessageReceiver) {
    this.#receiver = receiver;
  }

  /** @internal Waits for its beginning. */
  async begin(): Promise<this> {
    const piece = await this.#receiver.receiveStream(this);
    this.#type = piece.kind as MessageType;
    this.#take(piece);
    return this;
  }

  /** What it is made of. */
  get type(): MessageType {
    return this.#type;
  }

  #take(piece: MessagePiece): void {
    this.#rest = piece.bytes;
    this.#isEnded = piece.isLast;
  }

  /**
   * Waits for bytes of the message.
   *
   * @param maxBytes at most so many. Default 65,536.
   * @throws EndOfStream at its end.
   * @throws WebSocketClosedError if the WebSocket ends before the message.
   * @throws ClosedResourceError after `close`, or when the next message was received.
   * @throws BusyResourceError if another task receives from the WebSocket.
   */
  async receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    if (!(Number.isInteger(maxBytes) && maxBytes > 0)) {
      throw new RangeError(
        `ReceivedMessage.receive: got ${maxBytes}, needs a whole number from 1 on`,
      );
    }
    await this.#fill();
    if (this.#rest.length <= maxBytes) {
      const whole = this.#rest;
      this.#rest = new Uint8Array(0);
      return whole;
    }
    const chunk = this.#rest.slice(0, maxBytes);
    this.#rest = this.#rest.subarray(maxBytes);
    return chunk;
  }

  /** `receive` into memory that you have. */
  async receiveInto(view: Uint8Array): Promise<number> {
    const chunk = await this.receive(view.length);
    view.set(chunk);
    return chunk.length;
  }

  /** Waits until there are bytes. */
  async #fill(): Promise<void> {
    while (this.#rest.length === 0 || this.#isClosed) {
      if (this.#isClosed) throw new ClosedResourceError("ReceivedMessage.receive: it is closed");
      if (this.#isEnded) throw new EndOfStream("ReceivedMessage.receive: the message has ended");
      const piece = await this.#receiver.readStream(this);
      if (piece === undefined) {
        throw new ClosedResourceError(
          "ReceivedMessage.receive: the next message was received already; read one to its end before",
        );
      }
      this.#take(piece);
    }
  }

  /** Its bytes, until its end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined, undefined> {
    for (;;) {
      let chunk: Uint8Array;
      try {
        chunk = await this.receive();
      } catch (error) {
        if (error instanceof EndOfStream) return undefined;
        throw error;
      }
      yield chunk;
    }
  }

  /** Reads no more of it. Synchronous. */
  close(): void {
    this.#isClosed = true;
    this.#rest = new Uint8Array(0);
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
