import { BusyResourceError, ClosedResourceError, InvalidStateError } from "arborio";
import type { FieldList } from "../protocol/message.ts";
import { CHUNK_END, chunkHead, lastChunk } from "../protocol/serialize.ts";
import type { BodySink } from "../web/body-producer.ts";
import type { OutgoingFraming } from "./response-sender.ts";
import type { ServerConnection } from "./server-connection.ts";
import { utf8Length } from "./wire-outlet.ts";

/** Pieces up to this many bytes are joined with their framing in one write; larger ones are handed over as they are. */
const JOINED_BYTES_MAX = 8192;

const ENCODER: TextEncoder = new TextEncoder();

/** The body of a response while it is being sent: frames it, counts it, and waits for the client. */
export class OutgoingBody implements BodySink {
  readonly #connection: ServerConnection;
  readonly #framing: OutgoingFraming;
  #sent = 0;
  #sending = false;
  #closed = false;

  constructor(connection: ServerConnection, framing: OutgoingFraming) {
    this.#connection = connection;
    this.#framing = framing;
  }

  async send(piece: Uint8Array | string): Promise<void> {
    this.#requireOpen();
    const bytes = typeof piece === "string" ? utf8Length(piece) : piece.length;
    if (bytes === 0) return;
    this.#count(bytes);
    this.#sending = true;
    try {
      await this.#write(piece, bytes);
    } finally {
      this.#sending = false;
    }
  }

  async #write(piece: Uint8Array | string, bytes: number): Promise<void> {
    const connection = this.#connection;
    const { outlet } = connection;
    if (outlet.isWriting) await connection.drained();
    const isChunked = this.#framing === "chunked";
    if (isChunked) outlet.addLatin1(chunkHead(bytes));
    if (bytes <= JOINED_BYTES_MAX) {
      if (typeof piece === "string") outlet.addUtf8(piece, bytes);
      else outlet.addBytes(piece);
    } else {
      if (!outlet.flush()) await connection.drained();
      const whole = typeof piece === "string" ? ENCODER.encode(piece) : piece;
      if (!outlet.write(whole)) await connection.drained();
    }
    if (isChunked) outlet.addLatin1(CHUNK_END);
    if (!outlet.flush()) await connection.drained();
  }

  /** Tells the client that this was all. */
  async end(trailers: FieldList): Promise<void> {
    this.#requireOpen();
    if (typeof this.#framing === "number" && this.#sent < this.#framing) {
      throw new InvalidStateError(
        `response body: ${this.#sent} bytes were sent of the ${this.#framing} that Content-Length promised`,
      );
    }
    const connection = this.#connection;
    const { outlet } = connection;
    if (outlet.isWriting) await connection.drained();
    if (this.#framing === "chunked") outlet.addLatin1(lastChunk(trailers));
    if (!outlet.flush()) await connection.drained();
  }

  close(): void {
    this.#closed = true;
  }

  #count(bytes: number): void {
    this.#sent += bytes;
    if (typeof this.#framing === "number" && this.#sent > this.#framing) {
      throw new InvalidStateError(
        `response body: ${this.#sent} bytes, more than the ${this.#framing} that Content-Length promised`,
      );
    }
  }

  #requireOpen(): void {
    if (this.#closed) {
      throw new ClosedResourceError(
        "response body.send: the body has ended; send before the producer returns",
      );
    }
    if (this.#sending) {
      throw new BusyResourceError(
        "response body.send: another task sends at the moment; let one task send, or take turns with a Lock",
      );
    }
  }
}
