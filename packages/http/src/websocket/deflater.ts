import { type Compressor, compressNowait, createCompressor } from "arborio/lowlevel";

/** Up to so many bytes are compressed at once, without a trip to a thread. */
const NOWAIT_BYTES_MAX = 16_384;
/** `00 00 ff ff`, with which every flush ends; it is not sent (RFC 7692 §7.2.1). */
const TAIL_BYTES = 4;

/** How one side compresses. */
export interface DeflaterSettings {
  readonly windowBits: number;
  /** Whether each message is compressed by itself. */
  readonly noContextTakeover: boolean;
  readonly level: number | undefined;
}

/** Compresses messages (RFC 7692 §7.2.1), one after the other. */
export class Deflater {
  readonly #settings: DeflaterSettings;
  #compressor: Compressor | null = null;

  constructor(settings: DeflaterSettings) {
    this.#settings = settings;
  }

  /**
   * Compresses a piece of a message. Cancelled, or failed, what was compressed and not sent is forgotten: what follows does not refer to it.
   *
   * @param isWhole whether it is all of the message.
   * @returns what can be sent of it; of the last piece everything that is left.
   */
  async compress(bytes: Uint8Array, isLast: boolean, isWhole: boolean): Promise<Uint8Array> {
    const { level, windowBits, noContextTakeover } = this.#settings;
    const options = level === undefined ? { windowBits } : { level, windowBits };
    if (isWhole && noContextTakeover && bytes.length <= NOWAIT_BYTES_MAX)
      return withoutTail(compressNowait("deflate-raw", bytes, { ...options, ending: "flush" }));
    const compressor = (this.#compressor ??= createCompressor("deflate-raw", options));
    try {
      const compressed = joinBytes(await compressor.transform(bytes, { flush: isLast }));
      if (!isLast) return compressed;
      if (noContextTakeover) compressor.reset();
      return withoutTail(compressed);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Gives the memory back. */
  close(): void {
    this.#compressor?.close();
    this.#compressor = null;
  }
}

/** A message of nothing is one empty block (RFC 7692 §7.2.3.6). */
function withoutTail(compressed: Uint8Array): Uint8Array {
  return compressed.length <= TAIL_BYTES ? new Uint8Array(1) : compressed.subarray(0, -TAIL_BYTES);
}

function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
