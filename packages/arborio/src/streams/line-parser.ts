import { requireCount, requireFlag, requireOptions } from "../core/arguments.ts";
import { EndOfStream } from "../core/errors.ts";
import type { ByteBuffer } from "./byte-buffer.ts";
import { type ByteParser, countOf } from "./byte-parser.ts";
import { DelimiterNotFoundError, IncompleteReadError } from "./errors.ts";
import { decodeWhole, lineDecoder } from "./text-decoding.ts";

/** Options of `receiveLine`. */
export interface ReceiveLineOptions {
  /** So many bytes a line may have, its end not counted; `Infinity` if you trust the other side with your memory. */
  readonly maxBytes: number;
  /** Label of the encoding, one in which a line end is the byte 10: not UTF-16. Default `"utf-8"`. */
  readonly encoding?: string;
  /** Whether a last line without its end is an `IncompleteReadError` instead of a line. Default `false`. */
  readonly endRequired?: boolean;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** What a `LineParser` needs beside its buffer. */
export interface LineRules {
  /** For messages: `"BufferedByteStream"`. */
  readonly streamName: string;
  readonly operation: string;
  readonly maxBytes: number;
  readonly endRequired: boolean;
  // Not `TextDecoder`: the types of Node before 26 have that as a value only.
  readonly decoder: InstanceType<typeof TextDecoder>;
}

/** The rules for these options. Throws where they are wrong. */
export function lineRules(
  streamName: string,
  operation: string,
  options: ReceiveLineOptions,
): LineRules {
  const where = `${streamName}.${operation}`;
  requireOptions(where, options, "{ maxBytes: 8192 }");
  const { maxBytes, encoding = "utf-8", endRequired = false } = options;
  requireCount(`${where}({ maxBytes })`, maxBytes, 0);
  requireFlag(`${where}({ endRequired })`, endRequired);
  return { streamName, operation, maxBytes, endRequired, decoder: lineDecoder(where, encoding) };
}

/** Takes a line, and drops its end: LF, or CR LF. */
export class LineParser implements ByteParser<string> {
  readonly totalBytes = 0;
  readonly #rules: LineRules;
  /** No line ends before this place. */
  #from = 0;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  get operation(): string {
    return this.#rules.operation;
  }

  parse(buffer: ByteBuffer): string | undefined {
    const { maxBytes } = this.#rules;
    const at = buffer.indexOf(LINE_FEED, this.#from);
    const end = at < 0 ? buffer.length : at;
    const hasReturn = end > 0 && buffer.at(end - 1) === CARRIAGE_RETURN;
    const length = hasReturn ? end - 1 : end;
    if (length > maxBytes) {
      throw new DelimiterNotFoundError(
        `${this.#where}: no line end after ${countOf(maxBytes)}, which is the limit; they are still in the buffer`,
        maxBytes,
      );
    }
    if (at < 0) {
      this.#from = end;
      return undefined;
    }
    return this.#takeText(buffer, length, at + 1);
  }

  end(buffer: ByteBuffer): string {
    const { length } = buffer;
    if (length === 0) throw new EndOfStream(`${this.#where}: the other side has ended`);
    if (this.#rules.endRequired) {
      throw new IncompleteReadError(
        `${this.#where}: the other side ended after ${countOf(length)} of a line, needs its end; they are still in the buffer`,
        length,
      );
    }
    return this.#takeText(buffer, length, length);
  }

  #takeText(buffer: ByteBuffer, length: number, taken: number): string {
    const text = decodeWhole(this.#where, this.#rules.decoder, buffer.peek(length));
    buffer.skip(taken);
    this.#from = 0;
    return text;
  }

  get #where(): string {
    return `${this.#rules.streamName}.${this.#rules.operation}`;
  }
}
