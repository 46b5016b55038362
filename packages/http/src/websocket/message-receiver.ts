/** Receiving messages: pieces put together, decompressed and checked. What it holds of a message stays when a `receive` is cancelled. */
import { BusyResourceError } from "arborio";
import { checkpointIfCancelled } from "arborio/lowlevel";
import type { FrameEvent } from "../protocol/websocket/frame-parser.ts";
import { Utf8Validator } from "../protocol/websocket/utf8-validator.ts";
import { WebSocketProtocolError } from "../protocol/websocket/websocket-protocol-error.ts";
import { ByteCollector } from "../web/byte-collector.ts";
import { requireText } from "./frame-inlet.ts";
import type { Inflater } from "./inflater.ts";
import type { WebSocketCore } from "./web-socket-core.ts";

const DECODER: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const EMPTY: Uint8Array = new Uint8Array(0);

/** A piece of a message, decompressed and checked. */
export interface MessagePiece {
  readonly kind: FrameEvent["kind"];
  readonly isLast: boolean;
  readonly bytes: Uint8Array;
}

export class MessageReceiver {
  readonly #core: WebSocketCore;
  readonly #messageBytesMax: number;
  readonly #inflater: Inflater | null;
  readonly #validator: Utf8Validator = new Utf8Validator();
  #isBusy = false;
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

  /** The next message, whole. Few functions that wait: each costs every message a tenth of a microsecond. */
  async receive(): Promise<string | Uint8Array> {
    checkpointIfCancelled();
    this.#enter();
    const core = this.#core;
    try {
      core.want();
      if (this.#stream !== null) await this.#skipStream();
      for (;;) {
        let piece = this.#plainNowait();
        if (piece === undefined) {
          if (this.#inflating !== null) piece = await this.#next();
          else {
            await core.arrival();
            continue;
          }
        }
        const isWhole = piece.isLast && this.#collector.length === 0;
        if (!isWhole) this.#collector.add(piece.bytes);
        if (!piece.isLast) continue;
        core.isBusy = true;
        return messageOf(piece.kind, isWhole ? piece.bytes : this.#collector.take());
      }
    } finally {
      this.#leave();
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
    const piece = core.inlet.take();
    if (piece !== undefined) {
      core.taken();
      if (!piece.isCompressed) return piece;
      if (piece.isFirst) this.#inflatedBytes = 0;
      this.#inflater?.write(piece.bytes, piece.isLast);
      this.#inflating = piece;
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

function messageOf(kind: FrameEvent["kind"], bytes: Uint8Array): string | Uint8Array {
  return kind === "text" ? DECODER.decode(bytes) : owned(bytes);
}

/** Memory that nobody else has a view of. */
function owned(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function tooLarge(max: number): WebSocketProtocolError {
  return new WebSocketProtocolError(
    1009,
    "message-too-large",
    `WebSocket: a message has more than the ${max} bytes that are allowed, decompressed`,
  );
}
