import { EndOfStream, moveOnAfter, shielded } from "arborio";
import { checkpointIfCancelled, type Compressor } from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";
import { type BodyOrigin, PulledBody } from "./pulled-body.ts";

/**
 * How long what was compressed waits for more, in milliseconds, before it is put out. Less costs size where a stream comes in small
 * pieces; more would be felt by people who watch it.
 */
export const FLUSH_AFTER_MS = 10;

/**
 * A body, compressed as it comes. While it comes without pause it is compressed as one; when it pauses, what came so far is put out, so
 * that a slow stream is not held back. Owns the source. A receive that is cancelled lost nothing: the step of the compressor that runs,
 * of one chunk, is waited for.
 *
 * @param create makes the compressor when the first byte is asked for: of bodies that nobody sends there is none.
 */
export function compressedBody(source: ByteReceiveStream, create: () => Compressor): PulledBody {
  return new PulledBody("CompressedBody", new CompressingOrigin(source, create));
}

class CompressingOrigin implements BodyOrigin {
  readonly #source: ByteReceiveStream;
  readonly #create: () => Compressor;
  #compressor: Compressor | null = null;
  /** Put out, and not received yet: what one chunk gave. */
  readonly #pieces: Uint8Array[] = [];
  /** Something was given to the compressor that it may hold. */
  #holdsBack = false;
  #ended = false;

  constructor(source: ByteReceiveStream, create: () => Compressor) {
    this.#source = source;
    this.#create = create;
  }

  async pull(maxBytes: number): Promise<Uint8Array> {
    for (;;) {
      checkpointIfCancelled();
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        if (piece.length > maxBytes) this.#pieces.unshift(piece.subarray(maxBytes));
        return piece.subarray(0, maxBytes);
      }
      if (this.#ended) throw new EndOfStream("CompressedBody.receive: there is nothing more");
      await this.#advance();
    }
  }

  async #advance(): Promise<void> {
    const chunk = await this.#next();
    const compressor = (this.#compressor ??= this.#create());
    if (chunk === "end") {
      this.#pieces.push(...(await shielded(() => compressor.finish())));
      this.#ended = true;
      this.release();
    } else if (chunk === "pause") {
      this.#pieces.push(...(await shielded(() => compressor.flush())));
      this.#holdsBack = false;
    } else {
      // From here on the chunk is the compressor's: nothing of it may be lost.
      this.#pieces.push(...(await shielded(() => compressor.transform(chunk))));
      this.#holdsBack = true;
    }
  }

  async #next(): Promise<Uint8Array | "pause" | "end"> {
    try {
      if (!this.#holdsBack) return await this.#source.receive();
      return (await moveOnAfter(FLUSH_AFTER_MS, () => this.#source.receive())) ?? "pause";
    } catch (error) {
      if (error instanceof EndOfStream) return "end";
      throw error;
    }
  }

  release(): void {
    this.#compressor?.close();
    this.#source.close();
  }
}
