/** What receiving something whole, a line or a frame or text, can fail with beside the errors of every stream. */
import { brandError } from "../core/brand.ts";
import { ArborioError } from "../core/errors.ts";

/**
 * The other side ended before all had come. What did come is still in the buffer: the next `receive` returns it.
 * Counterpart: `anyio.IncompleteRead`, `asyncio.IncompleteReadError`.
 */
export class IncompleteReadError extends ArborioError {
  /** Number of bytes that had come; 0 if the other side ended between two reads. */
  readonly receivedBytes: number;
  /** Number of bytes that were needed; `undefined` if only a delimiter would have told. */
  readonly neededBytes: number | undefined;

  /** Made by the streams. */
  constructor(message: string, receivedBytes: number, neededBytes?: number) {
    super(message);
    this.receivedBytes = receivedBytes;
    this.neededBytes = neededBytes;
  }
}
brandError(IncompleteReadError, "IncompleteReadError");

/**
 * The delimiter did not come within the limit. Nothing was taken out of the buffer: the same call fails again, one with a higher
 * limit may succeed. Counterpart: `anyio.DelimiterNotFound`, `asyncio.LimitOverrunError`.
 */
export class DelimiterNotFoundError extends ArborioError {
  /** The limit: so many bytes before the delimiter were allowed. */
  readonly maxBytes: number;

  /** Made by the streams. */
  constructor(message: string, maxBytes: number) {
    super(message);
    this.maxBytes = maxBytes;
  }
}
brandError(DelimiterNotFoundError, "DelimiterNotFoundError");

/** The other side announced a frame above the limit. No memory was taken for it, and the stream is where it was: the next `receive` says the same. */
export class FrameTooLargeError extends ArborioError {
  /** The length that was announced, in bytes. Above 2⁵³ it is rounded. */
  readonly frameBytes: number;
  /** The limit, in bytes. */
  readonly maxBytes: number;

  /** Made by the streams. */
  constructor(message: string, frameBytes: number, maxBytes: number) {
    super(message);
    this.frameBytes = frameBytes;
    this.maxBytes = maxBytes;
  }
}
brandError(FrameTooLargeError, "FrameTooLargeError");

/** The bytes are no text in this encoding, or end within a character. Counterpart: `UnicodeDecodeError`. */
export class TextDecodingError extends ArborioError {
  /** The encoding, by its name in the Encoding Standard: `"utf-8"`. */
  readonly encoding: string;

  /** Made by the streams. */
  constructor(message: string, encoding: string, options?: ErrorOptions) {
    super(message, options);
    this.encoding = encoding;
  }
}
brandError(TextDecodingError, "TextDecodingError");
