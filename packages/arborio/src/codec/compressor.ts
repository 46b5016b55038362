import type { CompressionFormat } from "../platform/compression.ts";
import { CodecState, EMPTY } from "./codec-state.ts";
import { compressionFor, requireLevel, requireWindow } from "./format.ts";

/** Options of `createCompressor`. */
export interface CompressorOptions {
  /**
   * How hard it tries: 0 to 9 for the deflate formats (default 6), 0 to 11 for `"br"` (default 4), 1 to 19 for `"zstd"` (default 3).
   * The defaults suit what is compressed while it is sent.
   */
  readonly level?: number;
  /** Base-two logarithm of the window of `"deflate"` and `"deflate-raw"`: 9 to 15. Default 15. */
  readonly windowBits?: number;
}

/**
 * Makes a compressor for a stream of bytes. The work is done in a thread of the runtime, where it has some.
 *
 * @param format `"gzip"`, `"deflate"` (with the header of zlib, as HTTP means it), `"deflate-raw"`, `"br"` or `"zstd"`.
 * @returns the compressor; close it, best by `using`.
 * @throws RangeError if there is no such format, level or window.
 * @throws NotSupportedError if the backend does not have the format.
 *
 * Counterpart: `zlib.compressobj`.
 *
 * @example Events that a reader can decompress as they come
 * ```ts
 * import { run } from "arborio";
 * import { createCompressor } from "arborio/lowlevel";
 *
 * await run(async () => {
 *   using compressor = createCompressor("gzip");
 *   const event = new TextEncoder().encode("data: hello\n\n");
 *   for (const piece of await compressor.transform(event, { flush: true })) console.assert(piece.length > 0);
 *   const last = await compressor.finish();
 *   console.assert(last.length > 0);
 * });
 * ```
 */
export function createCompressor(
  format: CompressionFormat,
  options: CompressorOptions = {},
): Compressor {
  const compression = compressionFor("createCompressor", format);
  const { level, windowBits } = options;
  requireLevel("createCompressor", format, level);
  // With 8 zlib makes raw streams that need 9 (zlib's manual, deflateInit2).
  requireWindow("createCompressor", format, windowBits, 9);
  const codec = compression.open({
    direction: "compress",
    format,
    level,
    windowBits,
    ignoresTrailing: false,
  });
  return new Compressor(new CodecState("Compressor", codec));
}

/** Options of `compressor.transform`. */
export interface CompressOptions {
  /** Puts out all that the input means, at some cost in size. Default `false`. */
  readonly flush?: boolean;
}

/**
 * A compressor. Every operation that waits is a checkpoint; cancelled before it began, it had no effect; cancelled while it
 * worked, the compressor is broken, since it is in the middle of something. One operation at a time.
 */
export class Compressor implements Disposable {
  readonly #state: CodecState;

  /** @internal */
  constructor(state: CodecState) {
    this.#state = state;
  }

  /**
   * Compresses a chunk.
   *
   * @param chunk not to be changed while this waits.
   * @returns the pieces that are finished, often none: what comes later may share its beginning. They are yours.
   * @throws TypeError if `chunk` is no `Uint8Array`.
   * @throws InvalidStateError after `finish`.
   * @throws BrokenResourceError, BusyResourceError, ClosedResourceError.
   */
  transform(chunk: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array[]> {
    return this.#convert("transform", chunk, options.flush === true ? "sync" : "none");
  }

  /**
   * Puts out everything so far, so that the other side can decompress all of it. Of `"deflate-raw"` it ends in `00 00 ff ff` (RFC
   * 7692, section 7.2.1).
   *
   * @throws as `transform`.
   */
  flush(): Promise<Uint8Array[]> {
    return this.#convert("flush", EMPTY, "sync");
  }

  /**
   * Ends the stream, after a last chunk if there is one. After it there is only `reset` and `close`.
   *
   * @throws as `transform`.
   */
  finish(chunk: Uint8Array = EMPTY): Promise<Uint8Array[]> {
    return this.#convert("finish", chunk, "finish");
  }

  async #convert(
    operation: string,
    chunk: Uint8Array,
    ending: "none" | "sync" | "finish",
  ): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    await this.#state.convert(operation, chunk, ending, (piece) => pieces.push(piece));
    return pieces;
  }

  /**
   * Forgets everything, as if it were new: between messages that are to be compressed each by itself ("no context takeover").
   * Synchronous.
   *
   * @throws BrokenResourceError, BusyResourceError, ClosedResourceError.
   */
  reset(): void {
    this.#state.reset();
  }

  /** Gives the memory back. Who waits gets `ClosedResourceError`. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#state.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
