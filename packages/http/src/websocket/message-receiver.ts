/** Receiving messages: pieces put together, decompressed and checked. What it holds of a message stays when a `receive` is cancelled. */
import { BusyResourceError } from "arborio";
import { checkpointIfCancelled, suspend, type Wakeable } from "arborio/lowlevel";
import { CODE_TOO_LARGE } from "../protocol/websocket/close-codes.ts";
import type { FrameEvent } from "../protocol/websocket/frame-parser.ts";
import { Utf8Validator } from "../protocol/websocket/utf8-validator.ts";
import { WebSocketProtocolError } from "../protocol/websocket/websocket-protocol-error.ts";
import { ByteCollector } from "../web/byte-collector.ts";
import { requireText } from "./frame-inlet.ts";
import type { Inflater } from "./inflater.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { MessageTaker, WebSocketCore } from "./web-socket-core.ts";

const DECODER: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const EMPTY: Uint8Array = new Uint8Array(0);

/** A piece of a message, decompressed and checked. */
export interface MessagePiece {
  readonly kind: FrameEvent["kind"];
  readonly isLast: boolean;
  readonly bytes: Uint8Array;
}

/** A message: a text, or bytes. */
type Message = string | Uint8Array;
type Iterated = IteratorResult<Message, undefined>;

const RECEIVE = { kind: "webSocket.receive" } as const;
const ITERATED: Iterated = { done: true, value: undefined };

export class MessageReceiver implements MessageTaker {
  readonly #core: WebSocketCore;
  readonly #messageBytesMax: number;
  readonly #inflater: Inflater | null;
  readonly #validator: Utf8Validator = new Utf8Validator();
  #isBusy = false;
  /** Who waits for a message, and gets it where it comes in; and whether that is an iteration. */
  #waiter: Wakeable<unknown> | null = null;
  #isIterated = false;
  /** The WebSocket is over. */
  #isClosed = false;
  /** The piece that the inflater has, and is not done with. */
  #inflating: FrameEvent | null = null;
  /** Of the message that is being decompressed. */
  #inflatedBytes = 0;
  /** What has come of a message that is received whole. */
  readonly #collector: ByteCollector = new ByteCollector();
  /** Who reads the message that comes as a stream, until its end was read. */
  #stream: object | null = null;

  /** @param inflater `null`: nothing is compressed. */
  constructor(core: WebSocketCore, messageBytesMax: number, inflater: Inflater | null) {
    this.#core = core;
    this.#messageBytesMax = messageBytesMax;
    this.#inflater = inflater;
  }

  /** The next message, whole. */
  receive(): Promise<Message> {
    return this.#needsSteps ? this.#receiveInSteps() : suspend<Message>(RECEIVE, this.#await);
  }

  /** The next message for an iteration, which an end in order ends. */
  next(): Promise<Iterated> {
    return this.#needsSteps ? this.#nextInSteps() : suspend<Iterated>(RECEIVE, this.#awaitIterated);
  }

  /** Whether to receive a message may be to wait for more than its bytes. If not, one promise is all that it costs. */
  get #needsSteps(): boolean {
    return this.#inflater !== null || this.#stream !== null || this.#isBusy;
  }

  readonly #await = (waiter: Wakeable<Message>): (() => void) => this.#begin(waiter, false);

  readonly #awaitIterated = (waiter: Wakeable<Iterated>): (() => void) => this.#begin(waiter, true);

  #begin(waiter: Wakeable<Message> | Wakeable<Iterated>, isIterated: boolean): () => void {
    const core = this.#core;
    this.#isBusy = true;
    this.#waiter = waiter as Wakeable<unknown>;
    this.#isIterated = isIterated;
    core.isWanted = true;
    core.taker = this;
    core.want();
    this.arrived();
    return this.#withdraw;
  }

  readonly #withdraw = (): void => {
    this.#waiter = null;
    this.#core.taker = null;
    this.#leave();
  };

  /** For who waits: a message that has come. */
  take(message: Message): void {
    const waiter = this.#waiter;
    this.#withdraw();
    this.#core.isBusy = true;
    waiter?.wake(this.#isIterated ? { done: false, value: message } : message);
  }

  /** For who waits: looks whether there is a message now, or an end. */
  arrived(): void {
    if (this.#waiter === null) return;
    try {
      const message = this.#wholeNowait();
      if (message !== undefined) this.take(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const waiter = this.#waiter;
    this.#withdraw();
    if (this.#isIterated && isInOrder(error)) waiter?.wake(ITERATED);
    else waiter?.fail(error);
  }

  /** The next message, if what has come of it is all, and not compressed. */
  #wholeNowait(): Message | undefined {
    for (;;) {
      const piece = this.#plainNowait();
      if (piece === undefined) return undefined;
      const message = this.#collect(piece);
      if (message !== undefined) return message;
    }
  }

  /** The message, if this was its last piece. */
  #collect({ kind, isLast, bytes }: MessagePiece): Message | undefined {
    const isWhole = isLast && this.#collector.length === 0;
    if (!isWhole) this.#collector.add(bytes);
    return isLast ? messageOf(kind, isWhole ? bytes : this.#collector.take()) : undefined;
  }

  async #receiveInSteps(): Promise<Message> {
    checkpointIfCancelled();
    this.#enter();
    try {
      this.#core.want();
      await this.#skipStream();
      for (;;) {
        const message = this.#collect(await this.#next());
        if (message === undefined) continue;
        this.#core.isBusy = true;
        return message;
      }
    } finally {
      this.#leave();
    }
  }

  async #nextInSteps(): Promise<Iterated> {
    try {
      return { done: false, value: await this.#receiveInSteps() };
    } catch (error) {
      if (isInOrder(error)) return ITERATED;
      throw error;
    }
  }

  /** The beginning of the next message; `readStream` gives the rest. */
  async receiveStream(reader: object): Promise<MessagePiece> {
    checkpointIfCancelled();
    this.#enter();
    try {
      this.#core.want();
      await this.#skipStream();
      const { kind, isLast, bytes } = await this.#next();
      this.#core.isBusy = true;
      if (!isLast) this.#stream = reader;
      // A `receive` that was cancelled may have begun with it.
      this.#collector.add(bytes);
      return { kind, isLast, bytes: owned(this.#collector.take()) };
    } finally {
      this.#leave();
    }
  }

  /** The next piece of a message; `undefined` if somebody has gone on to the next one. */
  async readStream(reader: object): Promise<MessagePiece | undefined> {
    checkpointIfCancelled();
    this.#enter();
    try {
      this.#requireOpen();
      if (this.#stream !== reader) return undefined;
      const piece = await this.#next();
      if (piece.isLast) this.#stream = null;
      return { ...piece, bytes: owned(piece.bytes) };
    } finally {
      this.#leave();
    }
  }

  /** Passes over what nobody has read of a message. */
  async #skipStream(): Promise<void> {
    while (this.#stream !== null) if ((await this.#next()).isLast) this.#stream = null;
  }

  #enter(): void {
    if (this.#isBusy) {
      throw new BusyResourceError(
        "WebSocket.receive: another task receives from this WebSocket at the moment; let one task do it",
      );
    }
    this.#isBusy = true;
  }

  #leave(): void {
    this.#isBusy = false;
    this.#core.isWanted = false;
  }

  /** The next piece. Cancelled, nothing is lost: it waits only with nothing in hand. */
  async #next(): Promise<MessagePiece> {
    for (;;) {
      const plain = this.#plainNowait();
      if (plain !== undefined) return plain;
      if (this.#inflating === null) await this.#core.arrival();
      else {
        const inflated = await this.#inflate(this.#inflating);
        if (inflated !== undefined) return inflated;
      }
    }
  }

  /**
   * The next piece, if it is there and not compressed. If it is, the inflater has it then. Else there is nothing yet.
   *
   * @throws WebSocketClosedError if there will be none.
   */
  #plainNowait(): MessagePiece | undefined {
    const core = this.#core;
    this.#requireOpen();
    if (this.#inflating !== null) return undefined;
    core.isDecoding = false;
    const piece = core.inlet.take();
    if (piece !== undefined) {
      core.taken();
      if (!piece.isCompressed) return piece;
      if (piece.isFirst) this.#inflatedBytes = 0;
      this.#inflater?.write(piece.bytes, piece.isLast);
      this.#inflating = piece;
      core.isDecoding = true;
      return undefined;
    }
    core.settleIfDue();
    if (core.outcome !== null) throw core.outcome;
    return undefined;
  }

  async #inflate({ kind, isLast }: FrameEvent): Promise<MessagePiece | undefined> {
    try {
      const bytes = await this.#inflater?.read();
      this.#requireOpen();
      if (bytes === undefined) {
        this.#inflating = null;
        if (!isLast) return undefined;
      }
      const piece = { kind, isLast: bytes === undefined, bytes: bytes ?? EMPTY };
      this.#inflatedBytes += piece.bytes.length;
      if (this.#inflatedBytes > this.#messageBytesMax) throw tooLarge(this.#messageBytesMax);
      if (kind === "text") requireText(this.#validator, piece);
      return piece;
    } catch (error) {
      // One of a decompressor that was closed meanwhile says less.
      this.#requireOpen();
      if (!(error instanceof WebSocketProtocolError)) throw error;
      this.#core.fail(error);
      this.#core.discard();
      this.#inflating = null;
      throw this.#core.outcome;
    }
  }

  /** Gives memory back: the WebSocket is over, and whoever still receives is told. */
  close(): void {
    this.#isClosed = true;
    this.#inflating = null;
    this.#stream = null;
    this.#inflater?.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw this.#core.outcome;
  }
}

/** Whether the WebSocket was closed as it should be. */
function isInOrder(error: unknown): boolean {
  return error instanceof WebSocketClosedError && error.wasClean;
}

function messageOf(kind: FrameEvent["kind"], bytes: Uint8Array): string | Uint8Array {
  return kind === "text" ? DECODER.decode(bytes) : owned(bytes);
}

/** Memory that nobody else has a view of. */
function owned(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function tooLarge(max: number): WebSocketProtocolError {
  return new WebSocketProtocolError(
    CODE_TOO_LARGE,
    "message-too-large",
    `WebSocket: a message has more than the ${max} bytes that are allowed, decompressed`,
  );
}
