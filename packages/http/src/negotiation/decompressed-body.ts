import { EndOfStream, shielded } from "arborio";
import {
  checkpointIfCancelled,
  CompressionError,
  type CompressionFormat,
  createDecompressor,
  type Decompressor,
} from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";
import { BodyTooLargeError, HttpError } from "../web/http-error.ts";
import { type BodyOrigin, PulledBody } from "./pulled-body.ts";

/** What a body may become when it is decompressed; each is checked while that happens. */
export interface ExpansionLimits {
  /** Bytes of the output. */
  bytesMax: number;
  /** Bytes of output for each byte of input, from `RATIO_FREE_BYTES` of output on. */
  readonly ratioMax: number;
  /** Members of gzip, or frames of zstd. */
  readonly membersMax: number;
}

/** How errors of the decompression are told: as answers, or to who awaits a response. */
export interface ExpansionErrors {
  /** There is more output than `bytesMax`. */
  tooLarge(bytesMax: number): Error;
  /** It breaks another limit, as `message` says. */
  tooMuch(message: string, cause?: Error): Error;
  /** It is damaged, as `message` says. */
  damaged(message: string, cause: Error): Error;
  /** Whether no input at all is an empty body: so some servers send it. */
  readonly isEmptyTaken: boolean;
}

/** Errors that are the right answers to a request with such a body. */
const ANSWERS: ExpansionErrors = {
  tooLarge: (bytesMax) => new BodyTooLargeError(bytesMax),
  tooMuch: (message, cause) =>
    new HttpError(413, message, cause === undefined ? undefined : { cause }),
  damaged: (message, cause) => new HttpError(400, message, { cause }),
  isEmptyTaken: false,
};

/** So much output, in bytes, may come of however little: short bodies of one letter shrink a thousandfold, and do no harm. */
const RATIO_FREE_BYTES = 1024 * 1024;

/**
 * A body without one of its codings. Owns the source. What breaks a limit is a `BodyTooLargeError` or an `HttpError` 413, what is
 * damaged an `HttpError` 400, unless `errors` has others. A receive that is cancelled lost nothing: the step that runs, of 64 KiB of output at most, is waited
 * for.
 */
export function decompressedBody(
  source: ByteReceiveStream,
  format: CompressionFormat,
  limits: ExpansionLimits,
  errors: ExpansionErrors = ANSWERS,
): PulledBody {
  const origin = new DecompressingOrigin(source, format, limits, errors);
  return new PulledBody("DecompressedBody", origin);
}

class DecompressingOrigin implements BodyOrigin {
  readonly #source: ByteReceiveStream;
  readonly #format: CompressionFormat;
  readonly #limits: ExpansionLimits;
  readonly #errors: ExpansionErrors;
  #decompressor: Decompressor | null = null;
  /** Output that was not received yet. */
  #rest: Uint8Array = new Uint8Array(0);
  /** The decompressor has input that is not used up. */
  #working = false;
  #sourceEnded = false;
  /** There was no input at all, and that is taken. */
  #isEmpty = false;
  #ended = false;
  /** Why it cannot be decompressed. */
  #failure: { readonly error: unknown } | null = null;
  #inputBytes = 0;
  #outputBytes = 0;

  constructor(
    source: ByteReceiveStream,
    format: CompressionFormat,
    limits: ExpansionLimits,
    errors: ExpansionErrors,
  ) {
    this.#source = source;
    this.#format = format;
    this.#limits = limits;
    this.#errors = errors;
  }

  async pull(maxBytes: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      checkpointIfCancelled();
      if (this.#ended) throw new EndOfStream("DecompressedBody.receive: there is nothing more");
      if (this.#failure !== null) throw this.#failure.error;
      if (this.#working) await this.#read();
      else await this.#feed();
    }
    const bytes = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  async #feed(): Promise<void> {
    if (this.#sourceEnded || this.#isEmpty) {
      this.#ended = true;
      this.release();
      return;
    }
    let chunk: Uint8Array | null = null;
    try {
      chunk = await this.#source.receive();
    } catch (error) {
      if (!(error instanceof EndOfStream)) throw error;
    }
    if (chunk === null && this.#inputBytes === 0 && this.#errors.isEmptyTaken) {
      this.#isEmpty = true;
      return;
    }
    this.#working = true;
    if (chunk === null) {
      this.#sourceEnded = true;
      this.#opened().end();
    } else {
      this.#inputBytes += chunk.length;
      this.#opened(chunk).write(chunk);
    }
  }

  async #read(): Promise<void> {
    const decompressor = this.#opened();
    let piece: Uint8Array | undefined;
    try {
      piece = await shielded(() => decompressor.read());
      this.#outputBytes += piece?.length ?? 0;
      this.#requireWithin();
    } catch (error) {
      throw this.#failed(this.#answerTo(error));
    }
    if (piece === undefined) this.#working = false;
    else this.#rest = piece;
  }

  /** What is left of the source is of no use, and may hold a connection. */
  #failed(error: unknown): unknown {
    this.#failure = { error };
    this.release();
    return error;
  }

  #opened(first: Uint8Array = new Uint8Array(0)): Decompressor {
    if (this.#decompressor === null) {
      const format = this.#format === "deflate" ? deflateOf(first) : this.#format;
      const maxMembers = this.#limits.membersMax;
      this.#decompressor = createDecompressor(format, { maxMembers });
    }
    return this.#decompressor;
  }

  #requireWithin(): void {
    const { bytesMax, ratioMax } = this.#limits;
    if (this.#outputBytes > bytesMax) throw this.#errors.tooLarge(bytesMax);
    if (this.#outputBytes > RATIO_FREE_BYTES && this.#outputBytes > ratioMax * this.#inputBytes)
      throw this.#errors.tooMuch(`the body grows more than ${ratioMax} times when decompressed`);
  }

  #answerTo(error: unknown): unknown {
    if (!(error instanceof CompressionError)) return error;
    if (error.reason === "too-large") {
      const { membersMax } = this.#limits;
      return this.#errors.tooMuch(`the body has more than ${membersMax} members`, error);
    }
    const texts = {
      corrupt: "is damaged, or not in this format",
      truncated: "ends too early",
      trailing: "goes on behind its end",
    };
    return this.#errors.damaged(`the body, in ${this.#format}, ${texts[error.reason]}`, error);
  }

  release(): void {
    this.#decompressor?.close();
    this.#source.close();
  }
}

/**
 * What is called `deflate` has the header of zlib (RFC 9110 §8.4.1.2), but some send it without, as one sees at its first byte: that
 * of raw data is like zlib's only before a stored block with bits set that nobody sets.
 */
export function deflateOf(first: Uint8Array): CompressionFormat {
  const [method = 0x78] = first;
  return (method & 0x0f) === 8 && method >> 4 <= 7 ? "deflate" : "deflate-raw";
}
