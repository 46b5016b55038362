import { Cancelled, Event, now } from "arborio";
import { checkpointIfCancelled, randomBytes } from "arborio/lowlevel";
import { CODE_BAD_DATA, CODE_NORMAL, CODE_UNSUPPORTED } from "../protocol/websocket/close-codes.ts";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import type { MessageType } from "../protocol/websocket/frame.ts";
import type { MessageReceiver } from "./message-receiver.ts";
import type { MessageSender } from "./message-sender.ts";
import { ReceivedMessage } from "./received-message.ts";
import type { WebSocketClosedError } from "./web-socket-closed-error.ts";
import { WebSocketMessageError } from "./web-socket-message-error.ts";
import { keyOf, type WebSocketCore } from "./web-socket-core.ts";

/** Nobody else's ping has the same payload. */
const PING_BYTES = 8;

/** What a WebSocket speaks, beside its core. */
export interface ConnectionParts {
  readonly core: WebSocketCore;
  readonly sender: MessageSender;
  readonly receiver: MessageReceiver;
  /** The subprotocol; `""` if none was agreed upon. */
  readonly protocol: string;
}

/**
 * A WebSocket, of either side (RFC 6455). Messages are received in order, by one task at a time, as it asks for them: one that does not ask
 * holds up the other side. They are sent in order, by as many tasks as like. Pings are answered by themselves, signs of life
 * asked for, and texts checked as they come.
 */
export class WebSocketConnection implements AsyncIterable<string | Uint8Array>, AsyncDisposable {
  readonly #core: WebSocketCore;
  readonly #sender: MessageSender;
  readonly #receiver: MessageReceiver;
  /** The subprotocol that was agreed upon; `""` if none was. */
  readonly protocol: string;
  /** @internal Called when it was disposed of; waits for what worked for it. */
  onDispose: (() => Promise<void>) | null = null;

  /** @internal */
  constructor({ core, sender, receiver, protocol }: ConnectionParts) {
    this.#core = core;
    this.#sender = sender;
    this.#receiver = receiver;
    this.protocol = protocol;
  }

  /**
   * How it was closed, or broke; `undefined` while neither has happened. What came before may still be there to be received.
   */
  get closed(): WebSocketClosedError | undefined {
    return this.#core.outcome ?? undefined;
  }

  /**
   * Sends a message: a text, or bytes. Ends when the system has taken it, so a slow reader makes a slow sender. Tasks that send at the same
   * time take turns, in order.
   *
   * Cancelled while it waits for its turn, it sent nothing. Cancelled later, the message goes out whole; one that is cut into
   * fragments may be broken off, and with it the WebSocket (1011).
   *
   * @param message not to be changed until this has ended.
   * @throws WebSocketClosedError if it is closed, or broken, or either side is closing it.
   * @throws TypeError if `message` is neither.
   */
  send(message: string | Uint8Array): Promise<void> {
    return this.#sender.send(message);
  }

  /**
   * `send` of a value as JSON, in a text.
   *
   * @throws TypeError if it cannot be said in JSON.
   * @throws as `send`.
   */
  async sendJson(value: unknown): Promise<void> {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined)
      throw new TypeError(`WebSocket.sendJson: got ${typeof value}, needs a value that JSON has`);
    await this.send(text);
  }

  /**
   * Sends one message whose length need not be known, in as many frames as there are chunks. Other tasks' messages wait until it has ended.
   * Failed or cancelled when some of it has been sent, it breaks the WebSocket off (1011), since nothing else could follow.
   *
   * @param type what the message is: `"text"` of strings, or `"binary"` of bytes.
   * @throws as `send`, and what `chunks` throws.
   */
  async sendStream(
    type: MessageType,
    chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  ): Promise<void> {
    if (type !== "text" && type !== "binary") {
      throw new TypeError(
        `WebSocket.sendStream: got ${JSON.stringify(type)}, needs "text" or "binary"`,
      );
    }
    await this.#sender.sendStream(type, chunks);
  }

  /**
   * Waits for the next message: a text is a string, bytes are a `Uint8Array`, which is yours. Cancelled, nothing is lost.
   *
   * @throws WebSocketClosedError when everything was received that came before its end.
   * @throws BusyResourceError if another task receives.
   */
  receive(): Promise<string | Uint8Array> {
    return this.#receiver.receive();
  }

  /**
   * `receive` of a text.
   *
   * @throws WebSocketMessageError if bytes came.
   * @throws as `receive`.
   */
  async receiveText(): Promise<string> {
    const message = await this.receive();
    if (typeof message === "string") return message;
    throw unexpected(`receiveText: got ${message.length} bytes, needs a text`);
  }

  /**
   * `receive` of bytes.
   *
   * @throws WebSocketMessageError if a text came.
   * @throws as `receive`.
   */
  async receiveBytes(): Promise<Uint8Array> {
    const message = await this.receive();
    if (typeof message !== "string") return message;
    throw unexpected(
      `receiveBytes: got a text of ${message.length} UTF-16 code units, needs bytes`,
    );
  }

  /**
   * `receiveText` of a value in JSON. Nothing checks that it is a `T`.
   *
   * @throws WebSocketMessageError if bytes came, or a text that is no JSON.
   * @throws as `receive`.
   */
  async receiveJson<T = unknown>(): Promise<T> {
    const text = await this.receiveText();
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new WebSocketMessageError(
        CODE_BAD_DATA,
        `WebSocket.receiveJson: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  /**
   * Waits for the beginning of the next message, to read it as it comes. It counts towards `messageBytesMax` too.
   *
   * @throws as `receive`.
   */
  receiveStream(): Promise<ReceivedMessage> {
    return new ReceivedMessage(this.#receiver).begin();
  }

  /**
   * The messages, until the WebSocket is closed in order. Leaving early closes nothing.
   *
   * @throws WebSocketClosedError if it breaks.
   */
  [Symbol.asyncIterator](): AsyncIterator<string | Uint8Array, undefined, undefined> {
    return { next: () => this.#receiver.next() };
  }

  /**
   * Asks the other side for a sign of life, and waits for it.
   *
   * @returns how many milliseconds it took.
   * @throws WebSocketClosedError if it is closed before.
   */
  async ping(): Promise<number> {
    checkpointIfCancelled();
    const core = this.#core;
    const payload = randomBytes(PING_BYTES);
    const pong = new Event();
    // Behind no other frame: what waits there may be given up for answers to the other side's pings.
    do await core.outlet.idle();
    while (core.outlet.isWriting && core.refusal === null);
    const start = now();
    if (core.refusal !== null) throw core.refusal;
    core.pings.set(keyOf(payload), pong);
    try {
      core.ping(payload);
      await pong.wait();
    } finally {
      core.pings.delete(keyOf(payload));
    }
    if (core.outcome !== null) throw core.outcome;
    return now() - start;
  }

  /**
   * Closes it: tells the other side, and waits until that has answered, at most `closeMs`; then the connection is cut. Messages that still come are
   * passed over. Cancelled, the connection is cut at once. A second call waits for the same; one after the end does nothing.
   *
   * @param code 1000 to 1003, 1007 to 1014, or 3000 to 4999. Default 1000: normal.
   * @param reason for people; at most 123 bytes of UTF-8.
   * @throws RangeError if the code may not be sent, or the reason is too long.
   */
  async close(code: number = CODE_NORMAL, reason: string = ""): Promise<void> {
    const payload = encodeClose(code, reason);
    const core = this.#core;
    try {
      checkpointIfCancelled();
      core.beginClose(payload, code);
      core.discard();
      await core.gone.wait();
    } catch (error) {
      if (error instanceof Cancelled) this.abort();
      throw error;
    }
  }

  /** Cuts the connection, so that the other side learns that something failed. Synchronous; works from any context. */
  abort(): void {
    this.#core.drop("WebSocket: this side has cut it", true);
  }

  /** `close`, for `await using`; what came and was not received is dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close();
    } finally {
      await this.onDispose?.();
    }
  }
}

function unexpected(message: string): WebSocketMessageError {
  return new WebSocketMessageError(CODE_UNSUPPORTED, `WebSocket.${message}`);
}
