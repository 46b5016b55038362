import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import { BusyResourceError, ClosedResourceError, EndOfStream } from "../core/errors.ts";
import { ByteBuffer } from "./byte-buffer.ts";
import { type ByteParser, DelimiterParser, ExactParser } from "./byte-parser.ts";
import {
  abortStream,
  type ByteReceiveStream,
  type ByteStream,
  CHUNK_BYTES_MAX,
} from "./byte-stream.ts";
import { LineParser, lineRules, type LineRules, type ReceiveLineOptions } from "./line-parser.ts";
import { refused, refusedBy } from "./refused.ts";
import { requireBytes, requireRoom } from "./byte-arguments.ts";

/**
 * Receives what belongs together, so many bytes, a line, from a stream of bytes, and keeps what came beyond it. It owns the
 * stream: closing it closes that too.
 *
 * Every operation is all or nothing: cancelled, or failing for want of bytes, it took nothing out of the buffer, and the next
 * one finds all bytes in their order. What it returns is yours. Counterpart: `anyio.streams.buffered.BufferedByteReceiveStream`.
 *
 * @example A head in lines, then a body
 * ```ts
 * import { run } from "arborio";
 * import { BufferedByteReceiveStream, createMemoryPipe } from "arborio/streams";
 *
 * await run(async () => {
 *   const [sender, receiver] = createMemoryPipe();
 *   await sender.send(new TextEncoder().encode("length: 5\r\n\r\nhello"));
 *   await using stream = new BufferedByteReceiveStream(receiver);
 *   const [, length] = (await stream.receiveLine({ maxBytes: 100 })).split(": ");
 *   await stream.receiveLine({ maxBytes: 0 });
 *   const body = await stream.receiveExactly(Number(length));
 *   console.assert(new TextDecoder().decode(body) === "hello");
 * });
 * ```
 */
export class BufferedByteReceiveStream implements ByteReceiveStream {
  /** @internal For messages. */ readonly streamName: string = "BufferedByteReceiveStream";
  readonly #source: ByteReceiveStream;
  readonly #bytes: ByteBuffer = new ByteBuffer();
  #chunks: AsyncIterator<Uint8Array> | null = null;
  /** A task waits for bytes that go into the buffer. */
  #filling = false;
  #closed = false;

  /** Takes over `stream`. */
  constructor(stream: ByteReceiveStream) {
    this.#source = stream;
  }

  /** What has come and was not yet received: a view to look at, which the next operation ends. Do not change it. */
  get buffer(): Uint8Array {
    return this.#bytes.peek();
  }

  /** Number of bytes in the buffer. */
  get bufferedBytes(): number {
    return this.#bytes.length;
  }

  /** From the buffer if there is something in it, else from the stream. */
  receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    // What need not go through the buffer costs no promise of its own; the stream looks at cancellation and arguments.
    if (this.#isPassing) return this.#source.receive(maxBytes);
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("receive");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const wrong = refusedBy(() => requireCount(`${this.streamName}.receive`, maxBytes, 1, false));
    return wrong ?? scope.kernel.ready(this.#bytes.take(Math.min(maxBytes, this.#bytes.length)));
  }

  /** From the buffer if there is something in it, else from the stream. */
  receiveInto(view: Uint8Array): Promise<number> {
    if (this.#isPassing) return this.#source.receiveInto(view);
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("receiveInto");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const wrong = refusedBy(() => requireRoom(`${this.streamName}.receiveInto`, view));
    return wrong ?? scope.kernel.ready(this.#bytes.takeInto(view));
  }

  /** Iterates over chunks until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return { next: () => this.#next() };
  }

  /**
   * Receives exactly so many bytes, however many chunks they come in.
   *
   * @param count a whole number from 0 on. Memory is taken as bytes come, not for what is announced.
   * @throws IncompleteReadError if the other side ends before; the bytes that came are still in the buffer.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  receiveExactly(count: number): Promise<Uint8Array> {
    const where = `${this.streamName}.receiveExactly`;
    const wrong = refusedBy(() => requireCount(where, count, 0, false));
    return wrong ?? this.parse(new ExactParser(this.streamName, count));
  }

  /**
   * Receives what comes before `delimiter`, and drops the delimiter.
   *
   * @param delimiter at least one byte; do not change it meanwhile. It may come in several chunks.
   * @param maxBytes so many bytes may come before the delimiter; a whole number from 0 on, or `Infinity` if you trust the other
   *   side with your memory.
   * @throws DelimiterNotFoundError as soon as it is certain that the delimiter does not begin within the first `maxBytes + 1`
   *   bytes; they are still in the buffer.
   * @throws IncompleteReadError if the other side ends before; the bytes that came are still in the buffer.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  receiveUntil(delimiter: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    const wrong = refusedBy(() => {
      requireRoom(`${this.streamName}.receiveUntil(delimiter)`, delimiter);
      requireCount(`${this.streamName}.receiveUntil(…, maxBytes)`, maxBytes, 0);
    });
    return wrong ?? this.parse(new DelimiterParser(this.streamName, delimiter, maxBytes));
  }

  /**
   * Receives a line as text, without its end. A line ends with LF or CR LF; a CR alone is an ordinary character. What comes after
   * the last line end is a line too, as in text files, unless `endRequired`. A byte order mark stays, as U+FEFF: nobody here
   * knows whether this is the first line.
   *
   * @throws EndOfStream if the other side has ended and no bytes are left.
   * @throws DelimiterNotFoundError if the line is longer than `maxBytes`; it is still in the buffer.
   * @throws IncompleteReadError if `endRequired` and the other side ends within a line; it is still in the buffer.
   * @throws TextDecodingError if the line is no text in this encoding; it is still in the buffer: `receiveUntil` gives its bytes.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  receiveLine(options: ReceiveLineOptions): Promise<string> {
    let rules: LineRules;
    try {
      rules = lineRules(this.streamName, "receiveLine", options);
    } catch (error) {
      return refused(error);
    }
    return this.parse(new LineParser(rules));
  }

  /**
   * Puts bytes back: they are received before all others. They are copied. Synchronous; works from any context.
   *
   * @throws BusyResourceError if a task receives at the moment.
   * @throws ClosedResourceError after `close`.
   */
  unread(bytes: Uint8Array): void {
    requireBytes(`${this.streamName}.unread`, bytes);
    const refusal = this.#refusal("unread");
    if (refusal !== null) throw refusal;
    if (bytes.length > 0) this.#bytes.prepend(bytes);
  }

  /**
   * Adds bytes behind those in the buffer, as if they had come from the stream: for what somebody else has read from it. They are
   * copied. Synchronous; works from any context.
   *
   * @throws BusyResourceError if a task receives at the moment.
   * @throws ClosedResourceError after `close`.
   */
  feed(bytes: Uint8Array): void {
    requireBytes(`${this.streamName}.feed`, bytes);
    const refusal = this.#refusal("feed");
    if (refusal !== null) throw refusal;
    if (bytes.length > 0) this.#bytes.append(new Uint8Array(bytes));
  }

  /** Closes the stream below and drops what is in the buffer. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#end();
    this.#source.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes as `close` does, and lets the stream below say goodbye if it has to. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#source[Symbol.asyncDispose]();
  }

  /** @internal Receives what a parser makes of the bytes. */
  parse<T>(parser: ByteParser<T>): Promise<T> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal(parser.operation);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    try {
      const result = parser.parse(this.#bytes);
      return result === undefined ? this.#fill(parser) : scope.kernel.ready(result);
    } catch (error) {
      return scope.kernel.rejected(error);
    }
  }

  /** @internal `parse` as an iterator wants it. Not built on `parse`: that would cost each item two more microtasks. */
  parseNext<T>(parser: ByteParser<T>): Promise<IteratorResult<T, undefined>> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal(parser.operation);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    try {
      const value = parser.parse(this.#bytes);
      return value === undefined
        ? this.#fillForIterator(parser)
        : scope.kernel.ready({ done: false, value });
    } catch (error) {
      return scope.kernel.rejected(error);
    }
  }

  async #fill<T>(parser: ByteParser<T>): Promise<T> {
    this.#filling = true;
    try {
      for (;;) {
        let chunk: Uint8Array;
        try {
          this.#bytes.settle();
          chunk = await this.#source.receive(chunkBytesFor(parser, this.#bytes));
        } catch (error) {
          if (!(error instanceof EndOfStream) || this.#closed) throw error;
          return parser.end(this.#bytes);
        }
        if (this.#closed) throw this.#closedError(parser.operation);
        this.#bytes.append(chunk, parser.totalBytes);
        const result = parser.parse(this.#bytes);
        if (result !== undefined) return result;
      }
    } finally {
      this.#filling = false;
    }
  }

  async #fillForIterator<T>(parser: ByteParser<T>): Promise<IteratorResult<T, undefined>> {
    try {
      return { done: false, value: await this.#fill(parser) };
    } catch (error) {
      if (error instanceof EndOfStream) return { done: true, value: undefined };
      throw error;
    }
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isPassing) {
      this.#chunks ??= this.#source[Symbol.asyncIterator]();
      return this.#chunks.next();
    }
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("next");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const count = Math.min(CHUNK_BYTES_MAX, this.#bytes.length);
    return scope.kernel.ready({ done: false, value: this.#bytes.take(count) });
  }

  /** Whether the stream below can answer. */
  get #isPassing(): boolean {
    return this.#bytes.length === 0 && !this.#filling && !this.#closed;
  }

  #refusal(operation: string): Error | null {
    if (this.#closed) return this.#closedError(operation);
    if (!this.#filling) return null;
    return new BusyResourceError(
      `${this.streamName}.${operation}: another task receives from this stream at the moment; let one task do it, or take turns with a Lock`,
    );
  }

  #closedError(operation: string): ClosedResourceError {
    return new ClosedResourceError(
      `${this.streamName}.${operation}: this stream is closed; close it when nobody uses it any more`,
    );
  }

  #end(): void {
    this.#closed = true;
    this.#bytes.clear();
  }
}

/**
 * Sends as the stream below, and receives as `BufferedByteReceiveStream`. It owns that stream. Counterpart:
 * `anyio.streams.buffered.BufferedByteStream`.
 */
export class BufferedByteStream extends BufferedByteReceiveStream implements ByteStream {
  /** @internal */ override readonly streamName: string = "BufferedByteStream";
  readonly #stream: ByteStream;

  /** Takes over `stream`. */
  constructor(stream: ByteStream) {
    super(stream);
    this.#stream = stream;
  }

  /** As `ByteSendStream.send`. */
  send(bytes: Uint8Array): Promise<void> {
    return this.#stream.send(bytes);
  }

  /** As `ByteStream.sendEof`. */
  sendEof(): Promise<void> {
    return this.#stream.sendEof();
  }

  /** As `ByteSendStream.abort`. */
  abort(): void {
    abortStream(this.#stream);
    this.close();
  }
}

/**
 * How much to ask for. If only a little of something large is missing, no more than that: what came beyond it would make memory
 * grow, and all be copied once more.
 */
function chunkBytesFor(parser: ByteParser<unknown>, buffer: ByteBuffer): number {
  const missing = parser.totalBytes - buffer.length;
  return buffer.length >= CHUNK_BYTES_MAX && missing > 0
    ? Math.min(missing, CHUNK_BYTES_MAX)
    : CHUNK_BYTES_MAX;
}
