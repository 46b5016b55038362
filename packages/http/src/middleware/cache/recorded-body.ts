import { EndOfStream, moveOnAfter } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import { type BodyOrigin, PulledBody } from "../../negotiation/pulled-body.ts";
import { ByteCollector } from "../../web/byte-collector.ts";
import { lengthOf } from "../../web/payload.ts";

/** A body that is kept while it is read: if that is done to its end, and it is not too large. */
export class RecordedBody implements BodyOrigin {
  readonly #source: ByteReceiveStream;
  readonly #bytesMax: number;
  /** What was read; `null`: it is not kept. */
  #kept: ByteCollector | null;
  /** What was read before anybody asked for it. */
  #ahead: Uint8Array = new Uint8Array(0);
  #onWhole: ((bytes: Uint8Array) => Promise<void>) | null = null;

  constructor(source: ByteReceiveStream, bytesMax: number) {
    this.#source = source;
    this.#bytesMax = bytesMax;
    this.#kept = (lengthOf(source) ?? 0) > bytesMax ? null : new ByteCollector();
  }

  /** All of it, if it comes within that time and is not too large; else `null`, and what was read is there for `stream`. */
  async readAhead(ms: number): Promise<Uint8Array | null> {
    if (this.#kept === null) return null;
    const read = new ByteCollector();
    const isWhole = await moveOnAfter(ms, async () => {
      try {
        while (read.length <= this.#bytesMax) read.add(await this.#source.receive());
        return false;
      } catch (error) {
        if (error instanceof EndOfStream) return true;
        throw error;
      }
    });
    const bytes = read.take();
    if (isWhole === true) return bytes;
    this.#ahead = bytes;
    this.#keep(bytes);
    return null;
  }

  /** The body for who reads it. `onWhole` is told all of it by who reads the end, before that is told; once. */
  stream(onWhole: (bytes: Uint8Array) => Promise<void>): ByteReceiveStream {
    this.#onWhole = onWhole;
    return new PulledBody("response", this, lengthOf(this.#source));
  }

  async pull(maxBytes: number): Promise<Uint8Array> {
    const ahead = this.#ahead;
    if (ahead.length > 0) {
      this.#ahead = ahead.subarray(maxBytes);
      return ahead.slice(0, maxBytes);
    }
    try {
      const piece = await this.#source.receive(maxBytes);
      this.#keep(piece);
      return piece;
    } catch (error) {
      if (error instanceof EndOfStream) await this.#tellWhole();
      throw error;
    }
  }

  release(): void {
    this.#kept = null;
    this.#source.close();
  }

  /** A copy: what is read belongs to the reader. */
  #keep(piece: Uint8Array): void {
    if (this.#kept === null) return;
    if (this.#kept.length + piece.length > this.#bytesMax) this.#kept = null;
    else this.#kept.add(piece.slice());
  }

  async #tellWhole(): Promise<void> {
    const kept = this.#kept;
    this.#kept = null;
    if (kept !== null) await this.#onWhole?.(kept.take());
  }
}
