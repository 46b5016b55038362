import { requireCount, requireFlag } from "../core/arguments.ts";
import { CompressionError } from "../core/errors.ts";
import type { CompressionFormat } from "../platform/compression.ts";
import { CodecState, EMPTY } from "./codec-state.ts";
import { compressionFor, requireWindow } from "./format.ts";

/**
 * One `transform` or `finish` gives at most so much: a few kilobytes may hold gigabytes, and nobody asked for them at once. `write`
 * and `read` have no such limit, since they give a piece at a time.
 */
const TRANSFORM_BYTES_MAX = 16 * 1024 * 1024;

/** Options of `createDecompressor`. */
export interface DecompressorOptions {
  /** All output together may be so many bytes, since the beginning or the last `reset`. Default `Infinity`. */
  readonly maxOutputBytes?: number;
  /**
   * So many members of gzip, or frames of zstd, may follow one another; for what comes from strangers, since empty ones cost time
   * and give nothing that `maxOutputBytes` could count. Default `Infinity`.
   */
  readonly maxMembers?: number;
  /** Base-two logarithm of the window of `"deflate"` and `"deflate-raw"`: 8 to 15. Default 15. */
  readonly windowBits?: number;
  /** Whether what follows the end of the data is passed over instead of being an error. Default `false`. */
  readonly ignoreTrailing?: boolean;
}

/**
 * Makes a decompressor for a stream of bytes. It never makes more than a few pieces of output ahead of who reads them, however much
 * its input holds. Several members of gzip, or frames of zstd, one after the other are one stream.
 *
 * @param format `"gzip"`, `"deflate"` (with the header of zlib, as HTTP means it), `"deflate-raw"`, `"br"` or `"zstd"`.
 * @returns the decompressor; close it, best by `using`.
 * @throws RangeError if there is no such format, or an option is no such number.
 * @throws NotSupportedError if the backend does not have the format.
 *
 * Counterpart: `zlib.decompressobj`.
 *
 * @example A bomb is read in pieces, as far as somebody wants it
 * ```ts
 * import { run } from "arborio";
 * import { compressNowait, createDecompressor } from "arborio/lowlevel";
 *
 * await run(async () => {
 *   using decompressor = createDecompressor("gzip");
 *   decompressor.write(compressNowait("gzip", new Uint8Array(10_000_000)));
 *   const piece = await decompressor.read();
 *   console.assert(piece !== undefined && piece.length <= 65_536);
 * });
 * ```
 */
export function createDecompressor(
  format: CompressionFormat,
  options: DecompressorOptions = {},
): Decompressor {
  const compression = compressionFor("createDecompressor", format);
  const {
    maxOutputBytes = Infinity,
    maxMembers = Infinity,
    windowBits,
    ignoreTrailing = false,
  } = options;
  requireCount("createDecompressor({ maxOutputBytes })", maxOutputBytes, 0);
  requireCount("createDecompressor({ maxMembers })", maxMembers, 1);
  requireFlag("createDecompressor({ ignoreTrailing })", ignoreTrailing);
  requireWindow("createDecompressor", format, windowBits, 8);
  const codec = compression.open({
    direction: "decompress",
    format,
    level: undefined,
    windowBits,
    ignoresTrailing: ignoreTrailing,
    membersMax: maxMembers,
  });
  return new Decompressor(new CodecState("Decompressor", codec), maxOutputBytes);
}

/**
 * A decompressor. Every operation that waits is a checkpoint; cancelled before it began, it had no effect; cancelled while it
 * worked, or failed, the decompressor is broken, since it is in the middle of something. One operation at a time.
 *
 * Either `transform` gives all output of a chunk, or `write` takes the chunk and `read` gives its output piece by piece.
 */
export class Decompressor implements Disposable {
  readonly #state: CodecState;
  readonly #maxOutputBytes: number;
  #outputBytes = 0;

  /** @internal */
  constructor(state: CodecState, maxOutputBytes: number) {
    this.#state = state;
    this.#maxOutputBytes = maxOutputBytes;
  }

  /**
   * Whether the end of the data has been met, as far as that is known: with members or frames, one more may follow; and an end at
   * the very end of a chunk may be found with the next one.
   */
  get ended(): boolean {
    return this.#state.ended;
  }

  /**
   * Decompresses a chunk as a whole.
   *
   * @param chunk not to be changed while this waits.
   * @returns all that it means, in pieces. They are yours.
   * @throws CompressionError if the data is damaged, or something follows its end; with the reason `"too-large"` if it holds more
   *   than `maxOutputBytes` or `maxMembers`, or this one chunk more than 16 MiB: use `write` and `read`.
   * @throws TypeError if `chunk` is no `Uint8Array`.
   * @throws InvalidStateError after `finish`, or when `read` has not read everything.
   * @throws BrokenResourceError, BusyResourceError, ClosedResourceError.
   */
  transform(chunk: Uint8Array): Promise<Uint8Array[]> {
    return this.#convert("transform", chunk, "none");
  }

  /**
   * Says that nothing more comes, after a last chunk if there is one. After it there is only `reset` and `close`.
   *
   * @throws CompressionError with the reason `"truncated"` if the data has not come to its end.
   * @throws as `transform`.
   */
  finish(chunk: Uint8Array = EMPTY): Promise<Uint8Array[]> {
    return this.#convert("finish", chunk, "finish");
  }

  async #convert(
    operation: string,
    chunk: Uint8Array,
    ending: "none" | "finish",
  ): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    await this.#state.convert(operation, chunk, ending, (piece) => {
      bytes += piece.length;
      this.#count(piece);
      if (bytes > TRANSFORM_BYTES_MAX)
        throw tooLarge(
          `one chunk, which is ${TRANSFORM_BYTES_MAX}; write and read give it in pieces`,
        );
      pieces.push(piece);
    });
    return pieces;
  }

  /**
   * Takes a chunk, whose output `read` gives. Synchronous.
   *
   * @param chunk not to be changed until `read` has returned `undefined`.
   * @throws TypeError if `chunk` is no `Uint8Array`.
   * @throws InvalidStateError after `end` or `finish`, or before `read` has returned `undefined` for the chunk before.
   * @throws BrokenResourceError, BusyResourceError, ClosedResourceError.
   */
  write(chunk: Uint8Array): void {
    this.#state.write("write", chunk, "none");
  }

  /**
   * Says that nothing more comes; `read` tells whether that is right. Synchronous.
   *
   * @throws as `write`.
   */
  end(): void {
    this.#state.write("end", EMPTY, "finish");
  }

  /**
   * The next piece of output.
   *
   * @returns at least one byte, at most 64 KiB, and yours; `undefined` if the chunk is used up: `write` the next one.
   * @throws CompressionError as `transform` and `finish`.
   * @throws BrokenResourceError, BusyResourceError, ClosedResourceError.
   */
  read(): Promise<Uint8Array | undefined> {
    return this.#state.read("read", (piece) => this.#count(piece));
  }

  #count(piece: Uint8Array): void {
    this.#outputBytes += piece.length;
    if (this.#outputBytes > this.#maxOutputBytes)
      throw tooLarge(`all output, which is ${this.#maxOutputBytes}`);
  }

  /**
   * Forgets everything, as if it were new. Synchronous.
   *
   * @throws InvalidStateError before `read` has returned `undefined`.
   * @throws BrokenResourceError, BusyResourceError, ClosedResourceError.
   */
  reset(): void {
    this.#state.reset();
    this.#outputBytes = 0;
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

function tooLarge(limit: string): CompressionError {
  return new CompressionError(
    `decompress: the data holds more bytes than allowed for ${limit}`,
    "too-large",
  );
}
