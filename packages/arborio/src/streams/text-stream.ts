import { requireFlag, requireOptions } from "../core/arguments.ts";
import { BusyResourceError, ClosedResourceError, EndOfStream } from "../core/errors.ts";
import type {
  ByteReceiveStream,
  ByteSendStream,
  ByteStream,
  ObjectReceiveStream,
  ObjectSendStream,
  ObjectStream,
} from "./byte-stream.ts";
import { refused } from "./refused.ts";
import { TextDecoding } from "./text-decoding.ts";
import { createEncode, type TextEncode } from "./text-encoding.ts";

/** Options of a `TextReceiveStream`. */
export interface TextReceiveStreamOptions {
  /** Label of the encoding, of those in the Encoding Standard. Default `"utf-8"`. */
  readonly encoding?: string;
  /** Whether malformed bytes are an error; else each malformed sequence becomes U+FFFD. Default `true`. */
  readonly fatal?: boolean;
  /** Whether a byte order mark at the start stays in the text, as U+FEFF. Default `false`: it is dropped. */
  readonly keepByteOrderMark?: boolean;
}

/** Options of a `TextSendStream`. */
export interface TextSendStreamOptions {
  /** Label of the encoding: UTF-8, UTF-16, or one of one byte a character. Default `"utf-8"`. */
  readonly encoding?: string;
  /** Whether a character that the encoding lacks is an error; else U+FFFD, or `?`, is sent for it. Default `true`. */
  readonly fatal?: boolean;
}

/** Options of a `TextStream`: both directions have the same. */
export type TextStreamOptions = TextReceiveStreamOptions;

/**
 * Receives text from a stream of bytes, whose chunks may end anywhere, also within a character. It owns that stream.
 *
 * Cancelled, a `receive` lost nothing. Bytes that are no text in the encoding, and a character that the end cuts off, are a
 * `TextDecodingError`, now and whenever asked again; in UTF-8 all text before is returned first. (Counterpart:
 * `anyio.streams.text.TextReceiveStream`, which drops a character that is cut off.)
 *
 * @example Text in pieces
 * ```ts
 * import { run } from "arborio";
 * import { createMemoryPipe, TextReceiveStream } from "arborio/streams";
 *
 * await run(async (group) => {
 *   const [sender, receiver] = createMemoryPipe();
 *   group.startSoon(async () => {
 *     using _closing = sender;
 *     for (const byte of new TextEncoder().encode("déjà vu")) await sender.send(Uint8Array.of(byte));
 *   });
 *   let text = "";
 *   for await (const piece of new TextReceiveStream(receiver)) text += piece;
 *   console.assert(text === "déjà vu");
 * });
 * ```
 */
export class TextReceiveStream implements ObjectReceiveStream<string>, AsyncDisposable {
  readonly #source: ByteReceiveStream;
  readonly #decoding: TextDecoding;
  #receiving = false;
  #closed = false;

  /**
   * Takes over `stream`.
   *
   * @throws RangeError if the encoding is unknown.
   */
  constructor(stream: ByteReceiveStream, options: TextReceiveStreamOptions = {}) {
    const where = "TextReceiveStream";
    requireOptions(where, options, '{ encoding: "utf-8" }');
    const { encoding: label = "utf-8", fatal = true, keepByteOrderMark = false } = options;
    requireFlag(`${where}({ fatal })`, fatal);
    requireFlag(`${where}({ keepByteOrderMark })`, keepByteOrderMark);
    this.#decoding = new TextDecoding({ where, label, fatal, keepByteOrderMark });
    this.#source = stream;
  }

  /**
   * Waits for text. Cancelled, it lost none.
   *
   * @returns at least one character. Where one piece ends and the next begins means nothing.
   * @throws EndOfStream if the other side has ended.
   * @throws TextDecodingError if the bytes are no text in the encoding.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  receive(): Promise<string> {
    return this.#refused("receive") ?? (this.#receive(false) as Promise<string>);
  }

  /** Iterates over pieces of text until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<string, undefined, undefined> {
    return {
      next: () =>
        this.#refused("next") ??
        (this.#receive(true) as Promise<IteratorResult<string, undefined>>),
    };
  }

  /** Closes the stream below. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#closed = true;
    this.#source.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes as `close` does, and lets the stream below say goodbye if it has to. */
  [Symbol.asyncDispose](): PromiseLike<void> {
    this.#closed = true;
    return this.#source[Symbol.asyncDispose]();
  }

  /** Text, or an `IteratorResult`: on top of one another they would cost each piece two more microtasks. */
  async #receive(iterating: boolean): Promise<string | IteratorResult<string, undefined>> {
    const decoding = this.#decoding;
    this.#receiving = true;
    try {
      for (;;) {
        if (decoding.failure !== null) throw decoding.failure;
        const text = decoding.decode(await this.#source.receive());
        if (text !== "") return iterating ? { done: false, value: text } : text;
      }
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
      const text = decoding.end();
      if (decoding.failure !== null) throw decoding.failure;
      if (text !== "") return iterating ? { done: false, value: text } : text;
      if (iterating) return { done: true, value: undefined };
      throw error;
    } finally {
      this.#receiving = false;
    }
  }

  #refused(operation: string): Promise<never> | null {
    if (this.#closed) {
      return refused(
        new ClosedResourceError(
          `TextReceiveStream.${operation}: this stream is closed; close it when nobody uses it any more`,
        ),
      );
    }
    if (this.#receiving) {
      return refused(
        new BusyResourceError(
          `TextReceiveStream.${operation}: another task receives from this stream at the moment; let one task do it, or take turns with a Lock`,
        ),
      );
    }
    return null;
  }
}

/**
 * Sends text on a stream of bytes. It owns that stream. A byte order mark is not added. Counterpart:
 * `anyio.streams.text.TextSendStream`.
 */
export class TextSendStream implements ObjectSendStream<string>, AsyncDisposable {
  readonly #sink: ByteSendStream;
  readonly #encode: TextEncode;

  /**
   * Takes over `stream`.
   *
   * @throws RangeError if the encoding is unknown, or of several bytes a character other than UTF-8 and UTF-16.
   */
  constructor(stream: ByteSendStream, options: TextSendStreamOptions = {}) {
    const where = "TextSendStream";
    requireOptions(where, options, '{ encoding: "utf-8" }');
    const { encoding = "utf-8", fatal = true } = options;
    requireFlag(`${where}({ fatal })`, fatal);
    this.#encode = createEncode(where, encoding, fatal);
    this.#sink = stream;
  }

  /**
   * Sends text, all of it. Cancelled, it had no effect, or has broken the sending half: see `ByteSendStream.send`.
   *
   * @throws RangeError if the encoding lacks a character, or `text` ends within a surrogate pair; nothing was sent.
   * @throws ClosedResourceError, BrokenResourceError, BusyResourceError as every stream.
   */
  send(text: string): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = this.#encode(text);
    } catch (error) {
      return refused(error);
    }
    return this.#sink.send(bytes);
  }

  /** Closes the stream below. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#sink.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes as `close` does, and lets the stream below say goodbye if it has to. */
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#sink[Symbol.asyncDispose]();
  }
}

/** Text in both directions over a stream of bytes, which it owns. Counterpart: `anyio.streams.text.TextStream`. */
export class TextStream implements ObjectStream<string>, AsyncDisposable {
  readonly #stream: ByteStream;
  readonly #receiver: TextReceiveStream;
  readonly #sender: TextSendStream;

  /**
   * Takes over `stream`.
   *
   * @throws RangeError if the encoding is unknown, or of several bytes a character other than UTF-8 and UTF-16.
   */
  constructor(stream: ByteStream, options: TextStreamOptions = {}) {
    this.#receiver = new TextReceiveStream(stream, options);
    this.#sender = new TextSendStream(stream, options);
    this.#stream = stream;
  }

  /** As `TextReceiveStream.receive`. */
  receive(): Promise<string> {
    return this.#receiver.receive();
  }

  /** As `TextSendStream.send`. */
  send(text: string): Promise<void> {
    return this.#sender.send(text);
  }

  /** As `ByteStream.sendEof`. */
  sendEof(): Promise<void> {
    return this.#stream.sendEof();
  }

  /** Iterates over pieces of text until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<string, undefined, undefined> {
    return this.#receiver[Symbol.asyncIterator]();
  }

  /** Closes the stream below. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    this.#receiver.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes as `close` does, and lets the stream below say goodbye if it has to. */
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#receiver[Symbol.asyncDispose]();
  }
}
