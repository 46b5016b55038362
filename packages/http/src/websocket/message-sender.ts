/** Sending messages: one after the other, whole or as a stream, fragmented and compressed as it was agreed. */
import { ClosedResourceError } from "arborio";
import { checkpointIfCancelled, ParkingLot } from "arborio/lowlevel";
import { CODE_FAILED } from "../protocol/websocket/close-codes.ts";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import {
  type MessageType,
  OPCODE_BINARY,
  OPCODE_CONTINUATION,
  OPCODE_TEXT,
} from "../protocol/websocket/frame.ts";
import type { Deflater } from "./deflater.ts";
import type { WebSocketCore } from "./web-socket-core.ts";

const ENCODER: TextEncoder = new TextEncoder();
const EMPTY: Uint8Array = new Uint8Array(0);

const HIGH_SURROGATE_END = /[\uD800-\uDBFF]$/;
/** Bytes that a code unit may take in UTF-8. */
const UTF8_BYTES_MAX = 3;

const TEXT = { opcode: OPCODE_TEXT } as const;
const BINARY = { opcode: OPCODE_BINARY } as const;

/** What a `send` returns that did not wait. */
const SENT: Promise<void> = Promise.resolve();

const CUT_REASON = "a message was cut";

/** How messages are sent. */
export interface SenderSettings {
  readonly fragmentBytesMax: number;
  /** `null`: nothing is compressed. */
  readonly deflater: Deflater | null;
  /** Smaller ones are sent as they are. */
  readonly compressedBytesMin: number;
}

export class MessageSender {
  readonly #core: WebSocketCore;
  readonly #settings: SenderSettings;
  /** Whether a message is being sent; others wait for their turn, in order. */
  #isTaken = false;
  readonly #turns: ParkingLot = new ParkingLot("webSocket.send");

  constructor(core: WebSocketCore, settings: SenderSettings) {
    this.#core = core;
    this.#settings = settings;
  }

  send(message: string | Uint8Array): Promise<void> {
    if (!this.#canSendNow(message)) return this.#sendInTurn(message);
    try {
      checkpointIfCancelled();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#write(message) ? SENT : this.#holdUntilTaken();
  }

  /** Whether nothing is to be waited for, as mostly: then no function that waits is called, which costs more than all the rest. */
  #canSendNow(message: string | Uint8Array): boolean {
    const isMessage = typeof message === "string" || message instanceof Uint8Array;
    if (!isMessage || this.#isTaken || !this.#isPlain(message) || !this.#isShort(message))
      return false;
    return !this.#core.outlet.isWriting && this.#core.refusal === null;
  }

  async #holdUntilTaken(): Promise<void> {
    this.#isTaken = true;
    try {
      await this.#taken();
    } finally {
      this.#release();
    }
  }

  async #sendInTurn(message: string | Uint8Array): Promise<void> {
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      throw new TypeError(
        `WebSocket.send: got ${message === null ? "null" : typeof message}, needs a text or bytes (a Uint8Array)`,
      );
    }
    checkpointIfCancelled();
    this.#requireOpen();
    if (this.#isTaken) await this.#turns.park();
    this.#isTaken = true;
    try {
      const { outlet } = this.#core;
      while (outlet.isWriting) await outlet.idle();
      this.#requireOpen();
      if (!this.#isPlain(message)) await this.#sendWhole(message, this.#settings.deflater);
      else if (!this.#isShort(message)) await this.#sendWhole(message, null);
      else if (!this.#write(message)) await this.#taken();
    } finally {
      this.#release();
    }
  }

  /** Whether it is not compressed. */
  #isPlain(message: string | Uint8Array): boolean {
    const { deflater, compressedBytesMin } = this.#settings;
    return deflater === null || message.length < compressedBytesMin;
  }

  /** Whether it is one frame for sure. */
  #isShort(message: string | Uint8Array): boolean {
    return message.length * UTF8_BYTES_MAX <= this.#settings.fragmentBytesMax;
  }

  /** Writes a message that is plain and short. `false`: the wire has not taken it yet. */
  #write(message: string | Uint8Array): boolean {
    const { outlet } = this.#core;
    return typeof message === "string"
      ? outlet.writeText(TEXT, message)
      : outlet.writeFrame(BINARY, message);
  }

  /** The message is on its way piece by piece. */
  async sendStream(
    type: MessageType,
    chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  ): Promise<void> {
    checkpointIfCancelled();
    this.#requireOpen();
    if (this.#isTaken) await this.#turns.park();
    this.#isTaken = true;
    const message = new OutgoingMessage(this, type, this.#settings.deflater);
    const encode = type === "text" ? textEncoder() : requireBytes;
    try {
      for await (const chunk of chunks) await message.add(encode(chunk, false), false);
      // What was kept of the last chunk.
      await message.add(type === "text" ? encode("", true) : EMPTY, true);
    } catch (error) {
      this.#cut(message);
      throw error;
    } finally {
      this.#release();
    }
  }

  async #sendWhole(message: string | Uint8Array, deflater: Deflater | null): Promise<void> {
    const type = typeof message === "string" ? "text" : "binary";
    const bytes = typeof message === "string" ? ENCODER.encode(message) : message;
    const outgoing = new OutgoingMessage(this, type, deflater);
    try {
      await outgoing.add(bytes, true);
    } catch (error) {
      this.#cut(outgoing);
      throw error;
    }
  }

  /** A message that was begun and cannot be ended ends the WebSocket: nothing else can be sent. */
  #cut(message: OutgoingMessage): void {
    message.forget();
    if (message.isCut) this.#core.beginClose(encodeClose(CODE_FAILED, CUT_REASON), CODE_FAILED);
  }

  /** What is sent of a piece of a message. */
  async compress(
    deflater: Deflater | null,
    bytes: Uint8Array,
    isLast: boolean,
    isWhole: boolean,
  ): Promise<Uint8Array> {
    this.#requireOpen();
    if (deflater === null) return bytes;
    try {
      return await deflater.compress(bytes, isLast, isWhole);
    } catch (error) {
      // That the compressor was closed says less.
      if (error instanceof ClosedResourceError) this.#requireOpen();
      throw error;
    }
  }

  /** Hands over a piece of a message, as many frames as it needs; `handedOver` is told of each, and whether it ended the message. */
  async write(
    opcode: number,
    bytes: Uint8Array,
    isCompressed: boolean,
    isFinal: boolean,
    handedOver: (isEnd: boolean) => void,
  ): Promise<void> {
    const { fragmentBytesMax } = this.#settings;
    const { outlet } = this.#core;
    let at = 0;
    do {
      const end = Math.min(bytes.length, at + fragmentBytesMax);
      while (outlet.isWriting) await outlet.idle();
      this.#requireOpen();
      const settings = {
        opcode: at === 0 ? opcode : OPCODE_CONTINUATION,
        isCompressed: isCompressed && at === 0 && opcode !== OPCODE_CONTINUATION,
        isFinal: isFinal && end === bytes.length,
      };
      const isSent = outlet.writeFrame(settings, bytes.subarray(at, end));
      handedOver(settings.isFinal);
      if (!isSent) await this.#taken();
      at = end;
    } while (at < bytes.length);
  }

  /** Waits until the wire has taken the frame. That it is closed since then is for the next one to see. */
  async #taken(): Promise<void> {
    const isTaken = await this.#core.outlet.taken();
    if (!isTaken && this.#core.outcome !== null) throw this.#core.outcome;
  }

  #requireOpen(): void {
    const { refusal } = this.#core;
    if (refusal !== null) throw refusal;
  }

  /** The next one's turn: it is given on, so nobody comes between. */
  #release(): void {
    if (this.#turns.unpark() === 0) this.#isTaken = false;
  }

  close(): void {
    this.#settings.deflater?.close();
  }
}

/** One message that is being sent. */
class OutgoingMessage {
  readonly #sender: MessageSender;
  readonly #deflater: Deflater | null;
  #opcode: number;
  #isEnded = false;
  /** Whether something was added; the compressor may still have it. */
  #isAdded = false;

  constructor(sender: MessageSender, type: MessageType, deflater: Deflater | null) {
    this.#sender = sender;
    this.#deflater = deflater;
    this.#opcode = type === "text" ? OPCODE_TEXT : OPCODE_BINARY;
  }

  /** Whether some of it was sent, and not all. */
  get isCut(): boolean {
    return this.#opcode === OPCODE_CONTINUATION && !this.#isEnded;
  }

  /** What the compressor still has of it must not go out with the next message. */
  forget(): void {
    if (this.#isAdded && !this.#isEnded) this.#deflater?.close();
  }

  async add(bytes: Uint8Array, isFinal: boolean): Promise<void> {
    const isWhole = isFinal && !this.#isAdded;
    this.#isAdded = true;
    const payload = await this.#sender.compress(this.#deflater, bytes, isFinal, isWhole);
    if (payload.length === 0 && !isFinal) return;
    const isCompressed = this.#deflater !== null;
    await this.#sender.write(this.#opcode, payload, isCompressed, isFinal, (isEnd) => {
      this.#opcode = OPCODE_CONTINUATION;
      this.#isEnded = isEnd;
    });
  }
}

/** Chunks of text to bytes. A character that two chunks share goes with the second; half a one at the end becomes U+FFFD. */
function textEncoder(): (chunk: unknown, isLast: boolean) => Uint8Array {
  let kept = "";
  return (chunk, isLast) => {
    if (typeof chunk !== "string") throw wrongChunk("text", chunk, "text (a string)");
    let text = kept + chunk;
    kept = !isLast && HIGH_SURROGATE_END.test(text) ? text.slice(-1) : "";
    if (kept !== "") text = text.slice(0, -1);
    return ENCODER.encode(text);
  };
}

function requireBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw wrongChunk("binary", chunk, "bytes (a Uint8Array)");
}

function wrongChunk(type: MessageType, chunk: unknown, needed: string): TypeError {
  return new TypeError(
    `WebSocket.sendStream("${type}"): got a chunk that is a ${typeof chunk}, needs ${needed}`,
  );
}
