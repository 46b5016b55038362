import { ChunkedDecoder } from "./chunked-decoder.ts";
import { ascii } from "./characters.ts";
import { readFieldLine } from "./field-line.ts";
import { scanFields, scannedFields } from "./head-scanner.ts";
import { InputBuffer } from "./input-buffer.ts";
import { type ProtocolLimits, protocolLimits } from "./limits.ts";
import { LineReader } from "./line-reader.ts";
import type { FieldList, MessageHead } from "./message.ts";
import { refuse } from "./rules.ts";

/** Where a parser stands in the stream of messages. */
type Place = "start-line" | "fields" | "body" | "finished";

const NO_FIELDS: FieldList = [];

/**
 * Bytes to messages, without I/O: what request and response parsers have in common. Bytes go in by `push`, heads and bodies come out by
 * `readHead` and `readBody`, which give null if they need more. Input costs the same in one piece and byte by byte, and what is kept is
 * bounded by the limits. After a {@link ProtocolError} nothing that follows can be trusted: every further read throws it again.
 */
export abstract class MessageParser<Head extends MessageHead> {
  /** @internal */
  protected readonly limits: ProtocolLimits;
  /** @internal */
  protected readonly input: InputBuffer = new InputBuffer();
  readonly #lines: LineReader;
  #place: Place = "start-line";
  #hasEnded = false;
  #failure: unknown;
  /** Whether the fast way was not tried yet for the next head. */
  #isUntried = true;
  /** Of the head that is being read by lines. */
  #fields: string[] = [];
  #headBytes = 0;
  /** Bytes that are left of a body of known length; `Infinity`: all that comes. */
  #bodyLeft = 0;
  #chunks: ChunkedDecoder | null = null;

  /**
   * Makes a parser for one connection.
   *
   * @param limits The defaults hold for those that are not given.
   * @throws {RangeError} One is not a number, or negative.
   */
  constructor(limits?: Partial<ProtocolLimits>) {
    this.limits = protocolLimits(limits);
    this.#lines = new LineReader(this.input);
  }

  /**
   * @internal Looks at a first line that came whole and breaks no rule.
   *
   * @returns Position behind it; -1: it is to be read the slow way.
   */
  protected abstract scanStartLine(bytes: Uint8Array, start: number, end: number): number;
  /** @internal Takes what `scanStartLine` found out of the text of the head. */
  protected abstract takeScannedStartLine(text: string): void;
  /** @internal Looks at the bytes of a first line that came, as many as it may have, to refuse at once what cannot be one. */
  protected abstract checkStartLine(bytesMax: number): void;
  /** @internal Takes a whole first line. False: it is to be ignored. */
  protected abstract takeStartLine(line: string): boolean;
  /** @internal Makes the head of the first line that was taken and these fields. */
  protected abstract finishHead(fields: FieldList): Head;
  /** @internal */
  protected abstract refuseLongStartLine(): never;

  /**
   * Adds input.
   *
   * @param bytes Owned by the parser from then on: views of it are handed out.
   * @throws {Error} `end` was called.
   */
  push(bytes: Uint8Array): void {
    if (this.#hasEnded) throw new Error("push: there is no input after end()");
    this.input.push(bytes, this.#plainBytes);
  }

  /** So many of the next bytes are of the body, and nothing else. */
  get #plainBytes(): number {
    if (this.#place !== "body") return 0;
    return this.#chunks === null ? this.#bodyLeft : this.#chunks.plainBytes;
  }

  /** The peer sends nothing more: a message that is cut now is refused when it is read. */
  end(): void {
    this.#hasEnded = true;
  }

  /**
   * The head of the next message.
   *
   * @returns null: more bytes are needed; after `end()`: there is no further message.
   * @throws {ProtocolError} It breaks a rule, passes a limit, or is cut.
   * @throws {Error} The body of the message before was not read to its end, or `takeRest` was called.
   */
  readHead(): Head | null {
    if (this.#place === "body") {
      throw new Error("readHead: the body of the message before was not read to its end");
    }
    if (this.#place === "finished")
      throw new Error("readHead: the parser was finished by takeRest");
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const head = this.#readWholeHead() ?? this.#readHeadByLines();
      if (head === null) this.input.settle();
      return head;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /**
   * The next piece of the body.
   *
   * @param maxBytes Bytes of the piece at most; at least 1.
   * @returns null: more bytes are needed, or the body has ended (`bodyDone`).
   * @throws {ProtocolError} It breaks a rule, passes a limit, or is cut.
   * @throws {RangeError} `maxBytes` is less than 1.
   */
  readBody(maxBytes: number): Uint8Array | null {
    if (!(maxBytes >= 1))
      throw new RangeError(`readBody: ${maxBytes}: at least 1 byte was expected`);
    if (this.#place !== "body") return null;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const piece = this.#readBody(maxBytes);
      if (piece === null) this.input.settle();
      return piece;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Whether the body of the message was read to its end; also if it has none. */
  get bodyDone(): boolean {
    return this.#place !== "body";
  }

  /** The trailers of the message; all of them when `bodyDone`. */
  get trailers(): FieldList {
    return this.#chunks?.trailers ?? NO_FIELDS;
  }

  /** Bytes of input that were not consumed. */
  get bufferedBytes(): number {
    return this.input.length;
  }

  /** Whether the parser stands between messages, and nothing of a next one has come. */
  get atMessageStart(): boolean {
    return this.#place === "start-line" && this.input.length === 0;
  }

  /** What came after the head, when another protocol is switched to. The parser is finished then. */
  takeRest(): Uint8Array {
    this.#place = "finished";
    this.input.join();
    return this.input.take(this.input.length);
  }

  /** Reads a head that came whole and is plain. Tried once for each head, so that it costs nothing when it comes in pieces. */
  #readWholeHead(): Head | null {
    const { bytes, start, end } = this.input;
    if (start === end || !this.#isUntried) return null;
    this.#isUntried = false;
    const lineEnd = this.scanStartLine(bytes, start, end);
    if (lineEnd < 0) return null;
    const headEnd = scanFields(bytes, start, lineEnd, end, this.limits);
    if (headEnd < 0) return null;
    const text = ascii(bytes, start, headEnd);
    this.takeScannedStartLine(text);
    const fields = scannedFields(text);
    this.input.skip(headEnd - start);
    return this.#enterBody(fields);
  }

  #readHeadByLines(): Head | null {
    for (;;) {
      if (this.#place === "start-line") this.checkStartLine(this.#lineBytesMax());
      const line = this.#lines.next(this.#lineBytesMax(), this.#refuseLongLine);
      if (line === null) {
        if (this.#hasEnded && !this.atMessageStart) refuse("message-cut", "the head is cut");
        return null;
      }
      if (this.#place === "start-line") {
        if (!this.takeStartLine(line)) continue;
        this.#fields = [];
        this.#headBytes = 0;
        this.#place = "fields";
      } else if (line === "") return this.#enterBody(this.#fields);
      else this.#addField(line);
      this.#headBytes += line.length + 2;
    }
  }

  #addField(line: string): void {
    if (this.#fields.length / 2 >= this.limits.fieldsMax) {
      refuse("too-many-fields", `more than ${this.limits.fieldsMax} fields`);
    }
    readFieldLine(line, this.#fields);
  }

  #enterBody(fields: FieldList): Head {
    const head = this.finishHead(fields);
    this.#isUntried = true;
    this.#chunks = null;
    this.#place = "body";
    if (head.framing === "chunked") this.#chunks = new ChunkedDecoder(this.input, this.limits);
    else this.#bodyLeft = head.framing === "close" ? Infinity : head.framing;
    this.#leaveBodyIfDone();
    return head;
  }

  /** Bytes that the next line may have with its end. */
  #lineBytesMax(): number {
    const { startLineBytesMax, fieldLineBytesMax, headBytesMax } = this.limits;
    if (this.#place === "start-line") return Math.min(startLineBytesMax + 2, headBytesMax);
    return Math.min(fieldLineBytesMax + 2, headBytesMax - this.#headBytes);
  }

  readonly #refuseLongLine = (): never => {
    const { fieldLineBytesMax, headBytesMax } = this.limits;
    if (this.#place === "start-line") this.refuseLongStartLine();
    if (headBytesMax - this.#headBytes < fieldLineBytesMax + 2) {
      refuse("head-too-large", `the head is longer than ${headBytesMax} bytes`);
    }
    refuse("field-line-too-long", `a field line is longer than ${fieldLineBytesMax} bytes`);
  };

  #readBody(maxBytes: number): Uint8Array | null {
    const piece = this.#chunks === null ? this.#readPlain(maxBytes) : this.#chunks.read(maxBytes);
    this.#leaveBodyIfDone();
    if (piece === null && !this.bodyDone && this.#hasEnded) {
      if (this.#bodyLeft !== Infinity) refuse("message-cut", "the body is cut");
      this.#place = "start-line";
    }
    return piece;
  }

  #readPlain(maxBytes: number): Uint8Array | null {
    const count = Math.min(this.input.pieceLength, this.#bodyLeft, maxBytes);
    if (count === 0) return null;
    this.#bodyLeft -= count;
    return this.input.take(count);
  }

  #leaveBodyIfDone(): void {
    if (this.#chunks === null ? this.#bodyLeft === 0 : this.#chunks.isDone) {
      this.#place = "start-line";
    }
  }
}
