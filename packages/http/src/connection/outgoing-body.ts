import {
  BusyResourceError,
  Cancelled,
  checkpoint,
  ClosedResourceError,
  InvalidStateError,
} from "arborio";
import { checkTrailers } from "../protocol/field-facts.ts";
import type { FieldList } from "../protocol/message.ts";
import { CHUNK_END, chunkHead, lastChunk } from "../protocol/serialize.ts";
import type { BodySink } from "../web/body-producer.ts";
import type { OutgoingFraming } from "./response-head.ts";
import { utf8Length, type WireOutlet } from "./wire-outlet.ts";

/** What it is sent on. */
export interface SendingConnection {
  readonly outlet: WireOutlet;
  /** `outlet.drained()` with its deadline. */
  drained(): Promise<void>;
}

/** Pieces up to this many bytes are joined with their framing in one write; larger ones are handed over as they are. */
const JOINED_BYTES_MAX = 8192;

const ENCODER: TextEncoder = new TextEncoder();

const NO_FIELDS: FieldList = [];

/** The body of a message while it is being sent: frames it, counts it, and waits for the peer. */
export class OutgoingBody implements BodySink {
  readonly #connection: SendingConnection;
  /** For messages: `"response body"`. */
  readonly #name: string;
  readonly #framing: OutgoingFraming;
  #sending = false;
  #closed = false;
  /** A piece was cancelled, and may have left in part: what was sent behind it would be taken for the rest of it. */
  #isCut = false;
  /** Without what framing adds. */
  bytesSent = 0;

  constructor(connection: SendingConnection, name: string, framing: OutgoingFraming) {
    this.#connection = connection;
    this.#name = name;
    this.#framing = framing;
  }

  async send(piece: Uint8Array | string): Promise<void> {
    this.#requireOpen();
    const bytes = lengthOf(this.#name, piece);
    this.#sending = true;
    try {
      // Also where nothing has to be waited for: a producer that never waits keeps nobody else waiting.
      await checkpoint();
      if (bytes > 0) await this.#write(piece, bytes);
    } catch (error) {
      // Also if nothing has left: who sends may not be able to make the piece again. A compressor is not.
      if (error instanceof Cancelled && bytes > 0) this.#isCut = true;
      throw error;
    } finally {
      this.#sending = false;
    }
  }

  async #write(piece: Uint8Array | string, bytes: number): Promise<void> {
    const connection = this.#connection;
    const { outlet } = connection;
    const isChunked = this.#framing === "chunked";
    if (outlet.isWriting) await connection.drained();
    this.#count(bytes);
    if (isChunked) outlet.addLatin1(chunkHead(bytes));
    if (bytes <= JOINED_BYTES_MAX) {
      if (typeof piece === "string") outlet.addUtf8(piece, bytes);
      else outlet.addBytes(piece);
    } else {
      if (!outlet.flush()) await connection.drained();
      const whole = typeof piece === "string" ? ENCODER.encode(piece) : piece;
      await outlet.writeInPieces(whole, () => connection.drained());
    }
    if (isChunked) outlet.addLatin1(CHUNK_END);
    if (!outlet.flush()) await connection.drained();
  }

  /** Tells the client that this was all. */
  async end(trailers: (() => FieldList) | null): Promise<void> {
    this.#requireOpen();
    const { outlet } = this.#connection;
    if (typeof this.#framing === "number" && this.bytesSent < this.#framing) {
      throw new InvalidStateError(
        `${this.#name}: ${this.bytesSent} bytes were sent of the ${this.#framing} that Content-Length promised`,
      );
    }
    if (outlet.isWriting) await this.#connection.drained();
    if (this.#framing === "chunked") {
      const fields = trailers?.() ?? NO_FIELDS;
      checkTrailers(fields);
      outlet.addLatin1(lastChunk(fields));
    }
    if (!outlet.flush()) await this.#connection.drained();
  }

  close(): void {
    this.#closed = true;
  }

  #count(bytes: number): void {
    const after = this.bytesSent + bytes;
    if (typeof this.#framing === "number" && after > this.#framing) {
      throw new InvalidStateError(
        `${this.#name}: ${after} bytes, more than the ${this.#framing} that Content-Length promised`,
      );
    }
    this.bytesSent = after;
  }

  #requireOpen(): void {
    if (this.#closed) {
      throw new ClosedResourceError(
        `${this.#name}.send: the body has ended; send before the producer returns`,
      );
    }
    if (this.#sending) {
      throw new BusyResourceError(
        `${this.#name}.send: another task sends at the moment; let one task send, or take turns with a Lock`,
      );
    }
    if (this.#isCut) {
      throw new InvalidStateError(
        `${this.#name}: a send was cancelled, and how much of its piece has left is not known; give up the body, by letting Cancelled pass or by throwing`,
      );
    }
  }
}

/** Bytes of a piece. @throws TypeError if it is none. */
function lengthOf(name: string, piece: unknown): number {
  if (piece instanceof Uint8Array) return piece.length;
  if (typeof piece === "string") return utf8Length(piece);
  throw new TypeError(
    `${name}.send: got ${Object.prototype.toString.call(piece)}, needs a Uint8Array or text`,
  );
}
