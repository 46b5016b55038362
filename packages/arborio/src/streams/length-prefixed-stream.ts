import { describeValue, requireCount, requireOptions } from "../core/arguments.ts";
import { EndOfStream } from "../core/errors.ts";
import { BufferedByteStream } from "./buffered-byte-stream.ts";
import type { ByteBuffer } from "./byte-buffer.ts";
import { type ByteParser, countOf } from "./byte-parser.ts";
import type { ByteStream, ObjectStream } from "./byte-stream.ts";
import { FrameTooLargeError, IncompleteReadError } from "./errors.ts";
import { refused } from "./refused.ts";
import { requireBytes } from "./byte-arguments.ts";

/** Options of a `LengthPrefixedStream`; both sides need the same. */
export interface LengthPrefixedStreamOptions {
  /** Bytes of the length that comes before each frame: 1, 2, 4 or 8. Default 4. */
  readonly lengthBytes?: 1 | 2 | 4 | 8;
  /** Whether the highest or the lowest byte of the length comes first. Default `"big"`, the order of the internet. */
  readonly byteOrder?: "big" | "little";
  /** Largest frame, in bytes, to send and to receive. Default 1 MiB, or what a shorter length can tell. */
  readonly maxBytes?: number;
}

/** Largest frame, in bytes, unless told otherwise: what one connection may make a server keep in memory. */
const FRAME_BYTES_MAX = 1_048_576;

/**
 * Sends and receives frames of bytes over a stream of bytes, which it owns: each frame goes with its length before it.
 *
 * A frame above the limit is refused before any memory is taken for it, and a frame that is announced takes memory as its bytes
 * come. A `receive` that was cancelled, or failed, lost nothing.
 *
 * @example Messages over a connection
 * ```ts
 * import { run } from "arborio";
 * import { createMemoryStreamPair, LengthPrefixedStream } from "arborio/streams";
 *
 * await run(async () => {
 *   const [left, right] = createMemoryStreamPair();
 *   await using sender = new LengthPrefixedStream(left, { lengthBytes: 2 });
 *   await using receiver = new LengthPrefixedStream(right, { lengthBytes: 2 });
 *   await sender.send(Uint8Array.of(1, 2, 3));
 *   await sender.sendEof();
 *   for await (const frame of receiver) console.assert(frame.length === 3);
 * });
 * ```
 */
export class LengthPrefixedStream implements ObjectStream<Uint8Array>, AsyncDisposable {
  readonly #stream: BufferedByteStream;
  readonly #prefix: Prefix;
  readonly #parser: FrameParser;
  readonly #maxBytes: number;

  /**
   * Takes over `stream`.
   *
   * @throws RangeError if an option is out of its range, or a length of so many bytes cannot tell `maxBytes`.
   */
  constructor(stream: ByteStream, options: LengthPrefixedStreamOptions = {}) {
    requireOptions("LengthPrefixedStream", options, "{ lengthBytes: 4 }");
    this.#prefix = new Prefix(options);
    this.#maxBytes = maxBytesFor(options.maxBytes, this.#prefix);
    this.#parser = new FrameParser(this.#prefix, this.#maxBytes);
    this.#stream = new BufferedByteStream(stream);
  }

  /**
   * Waits for a whole frame. Cancelled, it lost none.
   *
   * @returns the frame; may be empty. It is yours.
   * @throws EndOfStream if the other side has ended after a whole frame.
   * @throws IncompleteReadError if the other side has ended within a frame.
   * @throws FrameTooLargeError if the other side announces a frame above `maxBytes`; now and whenever asked again.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  receive(): Promise<Uint8Array> {
    return this.#stream.parse(this.#parser);
  }

  /** Iterates over frames until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return { next: () => this.#stream.parseNext(this.#parser) };
  }

  /**
   * Sends a frame, all of it. Cancelled before its first byte was taken, it had no effect; cancelled after it, the sending half is
   * broken: see `ByteSendStream.send`.
   *
   * @param frame at most `maxBytes` long; may be empty.
   * @throws RangeError if it is longer; nothing was sent.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  send(frame: Uint8Array): Promise<void> {
    try {
      requireBytes("LengthPrefixedStream.send", frame);
      if (frame.length > this.#maxBytes) {
        throw new RangeError(
          `LengthPrefixedStream.send: got a frame of ${countOf(frame.length)}, needs at most ${this.#maxBytes} (maxBytes)`,
        );
      }
    } catch (error) {
      return refused(error);
    }
    // In one piece: were the length sent alone and the frame not, what follows would be taken for it.
    const { size } = this.#prefix;
    const bytes = new Uint8Array(size + frame.length);
    this.#prefix.write(bytes, frame.length);
    bytes.set(frame, size);
    return this.#stream.send(bytes);
  }

  /** As `ByteStream.sendEof`. */
  sendEof(): Promise<void> {
    return this.#stream.sendEof();
  }

  /** Closes the stream below. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#stream.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes as `close` does, and lets the stream below say goodbye if it has to. */
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#stream[Symbol.asyncDispose]();
  }
}

function maxBytesFor(maxBytes: number | undefined, prefix: Prefix): number {
  const { largest } = prefix;
  if (maxBytes === undefined) return Math.min(FRAME_BYTES_MAX, largest);
  requireCount("LengthPrefixedStream({ maxBytes })", maxBytes, 0, false);
  if (maxBytes <= largest) return maxBytes;
  throw new RangeError(
    `LengthPrefixedStream({ maxBytes }): got ${maxBytes}, needs at most ${largest}, which is what ${countOf(prefix.size)} of length can tell`,
  );
}

/** The length before a frame. */
class Prefix {
  readonly size: number;
  readonly #isLittle: boolean;

  constructor({ lengthBytes = 4, byteOrder = "big" }: LengthPrefixedStreamOptions) {
    if (![1, 2, 4, 8].includes(lengthBytes)) {
      throw new RangeError(
        `LengthPrefixedStream({ lengthBytes }): got ${describeValue(lengthBytes)}, needs 1, 2, 4 or 8`,
      );
    }
    if (byteOrder !== "big" && byteOrder !== "little") {
      throw new RangeError(
        `LengthPrefixedStream({ byteOrder }): got ${describeValue(byteOrder)}, needs "big" or "little"`,
      );
    }
    this.size = lengthBytes;
    this.#isLittle = byteOrder === "little";
  }

  /** The largest length it can tell, as far as numbers are exact. */
  get largest(): number {
    return Math.min(2 ** (8 * this.size) - 1, Number.MAX_SAFE_INTEGER);
  }

  write(bytes: Uint8Array, length: number): void {
    let rest = length;
    for (let place = 0; place < this.size; place++) {
      bytes[this.#isLittle ? place : this.size - 1 - place] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }

  read(buffer: ByteBuffer): number {
    let length = 0;
    for (let place = 0; place < this.size; place++)
      length = length * 256 + buffer.at(this.#isLittle ? this.size - 1 - place : place);
    return length;
  }
}

/** Takes a frame, and drops its length. */
class FrameParser implements ByteParser<Uint8Array> {
  readonly operation = "receive";
  readonly #prefix: Prefix;
  readonly #maxBytes: number;
  /** Of the frame that has begun, with its length; the length alone while that is not known. */
  totalBytes: number;

  constructor(prefix: Prefix, maxBytes: number) {
    this.#prefix = prefix;
    this.#maxBytes = maxBytes;
    this.totalBytes = prefix.size;
  }

  parse(buffer: ByteBuffer): Uint8Array | undefined {
    const { size } = this.#prefix;
    this.totalBytes = size;
    if (buffer.length < size) return undefined;
    const length = this.#prefix.read(buffer);
    if (length > this.#maxBytes) {
      throw new FrameTooLargeError(
        `LengthPrefixedStream.receive: the other side announces a frame of ${countOf(length)}, needs at most ${this.#maxBytes} (maxBytes)`,
        length,
        this.#maxBytes,
      );
    }
    this.totalBytes = size + length;
    if (buffer.length < this.totalBytes) return undefined;
    this.totalBytes = size;
    buffer.skip(size);
    return buffer.take(length);
  }

  end(buffer: ByteBuffer): never {
    if (buffer.length === 0)
      throw new EndOfStream("LengthPrefixedStream.receive: the other side has ended");
    throw new IncompleteReadError(
      `LengthPrefixedStream.receive: the other side ended after ${countOf(buffer.length)} of a frame with its length, needs ${this.totalBytes}`,
      buffer.length,
      this.totalBytes,
    );
  }
}
