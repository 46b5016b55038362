import { describeValue, requireCount, requireFlag, requireOptions } from "../core/arguments.ts";
import { BufferedByteStream } from "./buffered-byte-stream.ts";
import { countOf } from "./byte-parser.ts";
import type { ByteStream, ObjectStream } from "./byte-stream.ts";
import { LineParser, lineRules } from "./line-parser.ts";
import { refused } from "./refused.ts";
import { createEncode, type TextEncode } from "./text-encoding.ts";

/** Options of a `LineStream`. */
export interface LineStreamOptions {
  /** So many bytes a line may have, its end not counted, to send and to receive. Default 65,536. */
  readonly maxBytes?: number;
  /** Label of the encoding: UTF-8, or one of one byte a character. Default `"utf-8"`. */
  readonly encoding?: string;
  /** What a line is sent with at its end; received are both. Default `"\n"`. */
  readonly lineEnd?: "\n" | "\r\n";
  /** Whether a last line without its end is an `IncompleteReadError` instead of a line. Default `true`. */
  readonly endRequired?: boolean;
}

/** Longest line, in bytes, unless told otherwise: longer ones are no text for people, or an attack. */
const LINE_BYTES_MAX = 65_536;

/**
 * Sends and receives lines of text over a stream of bytes, which it owns: for protocols in which a message is a line. A line ends
 * with LF or CR LF; its end is not part of it. A `receive` that was cancelled, or failed, lost nothing.
 *
 * @example A chat in lines
 * ```ts
 * import { run } from "arborio";
 * import { createMemoryStreamPair, LineStream } from "arborio/streams";
 *
 * await run(async (group) => {
 *   const [left, right] = createMemoryStreamPair();
 *   await using client = new LineStream(left, { lineEnd: "\r\n" });
 *   await using server = new LineStream(right);
 *   group.startSoon(async () => {
 *     for await (const line of server) await server.send(`you said ${line}`);
 *   });
 *   await client.send("hello");
 *   console.assert((await client.receive()) === "you said hello");
 *   await client.sendEof();
 * });
 * ```
 */
export class LineStream implements ObjectStream<string>, AsyncDisposable {
  readonly #stream: BufferedByteStream;
  readonly #parser: LineParser;
  readonly #encode: TextEncode;
  readonly #maxBytes: number;
  readonly #lineEnd: string;

  /**
   * Takes over `stream`.
   *
   * @throws RangeError if an option is out of its range, or nothing can be sent in the encoding.
   */
  constructor(stream: ByteStream, options: LineStreamOptions = {}) {
    const where = "LineStream";
    requireOptions(where, options, "{ maxBytes: 8192 }");
    const { maxBytes = LINE_BYTES_MAX, encoding = "utf-8", endRequired = true } = options;
    requireCount(`${where}({ maxBytes })`, maxBytes, 0);
    requireFlag(`${where}({ endRequired })`, endRequired);
    this.#lineEnd = options.lineEnd ?? "\n";
    if (this.#lineEnd !== "\n" && this.#lineEnd !== "\r\n") {
      throw new RangeError(
        `${where}({ lineEnd }): got ${describeValue(this.#lineEnd)}, needs "\\n" or "\\r\\n"`,
      );
    }
    this.#parser = new LineParser(lineRules(where, "receive", { maxBytes, encoding, endRequired }));
    this.#encode = createEncode(where, encoding, true);
    this.#maxBytes = maxBytes;
    this.#stream = new BufferedByteStream(stream);
  }

  /**
   * Waits for a whole line. Cancelled, it lost none.
   *
   * @returns the line without its end; may be empty.
   * @throws EndOfStream if the other side has ended after a whole line.
   * @throws IncompleteReadError if the other side has ended within a line, unless `endRequired` is `false`.
   * @throws DelimiterNotFoundError if the line is longer than `maxBytes`; now and whenever asked again.
   * @throws TextDecodingError if the line is no text in the encoding; now and whenever asked again.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  receive(): Promise<string> {
    return this.#stream.parse(this.#parser);
  }

  /** Iterates over lines until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<string, undefined, undefined> {
    return { next: () => this.#stream.parseNext(this.#parser) };
  }

  /**
   * Sends a line and its end, all of it. Cancelled before its first byte was taken, it had no effect; cancelled after it, the
   * sending half is broken: see `ByteSendStream.send`.
   *
   * @param line without CR and LF: a line that holds some could be taken for several.
   * @throws RangeError if it holds CR or LF, is longer than `maxBytes`, or has characters that the encoding lacks; nothing was sent.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  send(line: string): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = this.#encodeLine(line);
    } catch (error) {
      return refused(error);
    }
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

  #encodeLine(line: string): Uint8Array {
    // No encoding has less than a byte for a character: what is surely too long takes no memory.
    if (typeof line === "string" && line.length > this.#maxBytes)
      throw this.#tooLong(`${line.length} characters`);
    const bytes = this.#encode(typeof line === "string" ? line + this.#lineEnd : line);
    const at = line.search(/[\r\n]/);
    if (at >= 0) {
      throw new RangeError(
        `LineStream.send: got a line with ${JSON.stringify(line[at])} at index ${at}, needs one line; send several one by one`,
      );
    }
    const length = bytes.length - this.#lineEnd.length;
    if (length > this.#maxBytes) throw this.#tooLong(countOf(length));
    return bytes;
  }

  #tooLong(length: string): RangeError {
    return new RangeError(
      `LineStream.send: got a line of ${length}, needs at most ${this.#maxBytes} (maxBytes)`,
    );
  }
}
