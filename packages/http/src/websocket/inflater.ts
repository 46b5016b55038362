import { CompressionError, shielded } from "arborio";
import { createDecompressor, type Decompressor } from "arborio/lowlevel";
import { CODE_BAD_DATA } from "../protocol/websocket/close-codes.ts";
import { WebSocketProtocolError } from "../protocol/websocket/websocket-protocol-error.ts";

/** What the sender has left out of the end of a message (RFC 7692 §7.2.2). */
const TAIL: Uint8Array = Uint8Array.of(0, 0, 0xff, 0xff);

/** How the other side compresses. */
export interface InflaterSettings {
  readonly windowBits: number;
  /** Whether it compresses each message by itself. */
  readonly noContextTakeover: boolean;
}

/**
 * Decompresses messages (RFC 7692 §7.2.2), piece by piece: never more than a piece ahead of who receives, however much the input holds.
 * A cancellation meanwhile does no harm: it waits for the piece.
 */
export class Inflater {
  readonly #settings: InflaterSettings;
  #decompressor: Decompressor | null = null;
  #isLast = false;

  constructor(settings: InflaterSettings) {
    this.#settings = settings;
  }

  /** Takes a piece, whose meaning `read` gives. */
  write(bytes: Uint8Array, isLast: boolean): void {
    this.#decompressor ??= createDecompressor("deflate-raw", {
      windowBits: this.#settings.windowBits,
      // A block may say that it is the last one (RFC 7692 §7.2.3.4).
      ignoreTrailing: true,
    });
    this.#isLast = isLast;
    this.#decompressor.write(isLast ? withTail(bytes) : bytes);
  }

  /**
   * The next piece; `undefined` when what was written is used up.
   *
   * @throws WebSocketProtocolError (1007) if it is damaged.
   */
  async read(): Promise<Uint8Array | undefined> {
    const decompressor = this.#decompressor as Decompressor;
    let piece: Uint8Array | undefined;
    try {
      piece = await shielded(() => decompressor.read());
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      throw new WebSocketProtocolError(
        CODE_BAD_DATA,
        "compression",
        "WebSocket: a compressed message is damaged (RFC 7692 §7.2.2)",
        { cause: error },
      );
    }
    if (piece === undefined && this.#isLast) this.#endMessage(decompressor);
    return piece;
  }

  #endMessage(decompressor: Decompressor): void {
    if (this.#settings.noContextTakeover || decompressor.ended) decompressor.reset();
  }

  /** Gives the memory back. */
  close(): void {
    this.#decompressor?.close();
    this.#decompressor = null;
  }
}

function withTail(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + TAIL.length);
  whole.set(bytes);
  whole.set(TAIL, bytes.length);
  return whole;
}
