/** Bytes to text, through the platform's `TextDecoder`. */
import { describeValue } from "../core/arguments.ts";
import { TextDecodingError } from "./errors.ts";

/** How a `TextDecoding` decodes. */
export interface TextDecodingSettings {
  /** Of the stream, for messages: `"TextReceiveStream"`. */
  readonly where: string;
  readonly label: string;
  readonly fatal: boolean;
  readonly keepByteOrderMark: boolean;
}

/** Decodes bytes that come in chunks: any chunks of the same bytes give the same text. */
export class TextDecoding {
  readonly #settings: TextDecodingSettings;
  readonly #decoder: TextDecoder;
  /** The bytes of a character that has begun; kept where the place of an error can be told. */
  #begun: Uint8Array = EMPTY;
  #bytes = 0;
  /** The decoder keeps it: Node 26.10 drops it at the start of every chunk, not of the first alone. */
  #markMayCome: boolean;
  /** What the next call that wants text should throw: the text before the error has been returned. */
  failure: TextDecodingError | null = null;

  constructor(settings: TextDecodingSettings) {
    this.#settings = settings;
    const { where, label, fatal, keepByteOrderMark } = settings;
    this.#decoder = createDecoder(where, label, { fatal, ignoreBOM: true });
    this.#markMayCome = !keepByteOrderMark && this.#decoder.encoding.startsWith("utf-");
  }

  /** The text that is complete with this chunk; may be empty. */
  decode(chunk: Uint8Array): string {
    let text: string;
    try {
      text = this.#decoder.decode(chunk, { stream: true });
    } catch (cause) {
      return this.#textBeforeError(chunk, cause);
    }
    if (this.#tellsPlace) this.#begun = begunCharacter(this.#begun, chunk);
    this.#bytes += chunk.length;
    return this.#withoutMark(text);
  }

  /** There are no more bytes: what is left, or a failure. */
  end(): string {
    try {
      return this.#withoutMark(this.#decoder.decode());
    } catch (cause) {
      this.failure = new TextDecodingError(
        `${this.#settings.where}: the bytes end within a character of ${this.#decoder.encoding}, after byte ${this.#bytes}`,
        this.#decoder.encoding,
        { cause },
      );
      return "";
    }
  }

  /** Other encodings do not tell how far they had come. */
  get #tellsPlace(): boolean {
    return this.#settings.fatal && this.#decoder.encoding === "utf-8";
  }

  #textBeforeError(chunk: Uint8Array, cause: unknown): string {
    const { encoding } = this.#decoder;
    const { where } = this.#settings;
    const malformed = (place: string): TextDecodingError =>
      new TextDecodingError(`${where}: malformed ${encoding} ${place}`, encoding, { cause });
    if (!this.#tellsPlace) {
      this.failure = malformed(`in the ${chunk.length} bytes after byte ${this.#bytes}`);
      return "";
    }
    const bytes = new Uint8Array(this.#begun.length + chunk.length);
    bytes.set(this.#begun);
    bytes.set(chunk, this.#begun.length);
    const start = this.#bytes - this.#begun.length;
    const valid = countValidUtf8(bytes);
    this.failure = malformed(`at byte ${start + valid}: 0x${(bytes[valid] ?? 0).toString(16)}`);
    const decoder = new TextDecoder(encoding, { ignoreBOM: true });
    return this.#withoutMark(decoder.decode(bytes.subarray(0, valid)));
  }

  #withoutMark(text: string): string {
    if (!this.#markMayCome || text === "") return text;
    this.#markMayCome = false;
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** Decoders of whole lines, by label. A line is decoded at once, so all streams can share them. */
const lineDecoders: Map<string, TextDecoder> = new Map();

/** The decoder for lines in this encoding. */
export function lineDecoder(where: string, label: string): TextDecoder {
  const key = typeof label === "string" ? label.trim().toLowerCase() : label;
  let decoder = lineDecoders.get(key);
  if (decoder !== undefined) return decoder;
  decoder = createDecoder(where, label, { fatal: true, ignoreBOM: true });
  if (decoder.encoding.startsWith("utf-16")) {
    throw new RangeError(
      `${where}({ encoding }): got ${describeValue(label)}, needs an encoding in which a line end is the byte 10; ` +
        "for UTF-16 take a TextReceiveStream",
    );
  }
  lineDecoders.set(key, decoder);
  return decoder;
}

/** Decodes bytes that are complete. */
export function decodeWhole(where: string, decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const { encoding } = decoder;
    const place =
      encoding === "utf-8"
        ? ` at its byte ${countValidUtf8(bytes)}`
        : ` in its ${bytes.length} bytes`;
    throw new TextDecodingError(
      `${where}: malformed ${encoding}${place}; it is still in the buffer`,
      encoding,
      { cause },
    );
  }
}

/** A decoder for a label of the Encoding Standard. Throws where there is none. */
export function createDecoder(
  where: string,
  label: unknown,
  options: TextDecoderOptions,
): TextDecoder {
  const needed = 'needs a label of the Encoding Standard such as "utf-8"';
  if (typeof label !== "string")
    throw new TypeError(`${where}({ encoding }): got ${describeValue(label)}, ${needed}`);
  try {
    const decoder = new TextDecoder(label, options);
    if (decoder.encoding.startsWith("utf-")) return decoder;
    // Others have no byte order mark; Node 22 leaves out a first byte 255 of ISO 8859-1 if it is told to heed none.
    return new TextDecoder(label, { ...options, ignoreBOM: false });
  } catch (cause) {
    throw new RangeError(`${where}({ encoding }): got ${describeValue(label)}, ${needed}`, {
      cause,
    });
  }
}

/** The bytes at the end of `before` and `chunk`, which are well-formed, that begin a character and do not complete it. */
function begunCharacter(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  let last = chunk.subarray(Math.max(chunk.length - 3, 0));
  if (chunk.length < 3 && before.length > 0) {
    last = new Uint8Array(before.length + chunk.length);
    last.set(before);
    last.set(chunk, before.length);
  }
  for (let at = last.length - 1; at >= 0; at--) {
    const byte = last[at] as number;
    if (byte < 0x80) break;
    if (byte >= 0xc0) return at + utf8Length(byte) > last.length ? last.slice(at) : EMPTY;
  }
  return EMPTY;
}

/** How many bytes a character has that begins with this one. */
function utf8Length(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** How many bytes at the start of `bytes` are complete, well-formed characters (RFC 3629 §4). */
function countValidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] as number;
    const length = utf8Length(lead);
    if (length === 1 ? lead >= 0x80 : !isWellFormedAt(bytes, at, length)) return at;
    at += length;
  }
  return at;
}

function isWellFormedAt(bytes: Uint8Array, at: number, length: number): boolean {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return false;
  // The second byte is what tells overlong forms, surrogates and what lies beyond U+10FFFF.
  const second = bytes[at + 1] ?? 0;
  if (lead === 0xe0 && second < 0xa0) return false;
  if (lead === 0xed && second > 0x9f) return false;
  if (lead === 0xf0 && second < 0x90) return false;
  if (lead === 0xf4 && second > 0x8f) return false;
  for (let next = at + 1; next < at + length; next++)
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return false;
  return true;
}
