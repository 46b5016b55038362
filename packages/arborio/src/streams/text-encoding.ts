/** Text to bytes. The platform's `TextEncoder` knows UTF-8 alone; UTF-16 and the encodings of one byte a character are easy. */
import { describeValue } from "../core/arguments.ts";
import { createDecoder } from "./text-decoding.ts";

/** Encodes text. Throws `TypeError` for what is no string, `RangeError` for what has no bytes in the encoding. */
export type TextEncode = (text: string) => Uint8Array;

/**
 * An encoder for a label of the Encoding Standard.
 *
 * @param fatal whether a character that the encoding lacks is an error; else it is sent as U+FFFD, or as `?`.
 */
export function createEncode(where: string, label: string, fatal: boolean): TextEncode {
  const decoder = createDecoder(where, label, {});
  const write = writerFor(where, label, decoder);
  return (text) => {
    if (typeof text !== "string")
      throw new TypeError(`${where}.send: got ${describeValue(text)}, needs a string`);
    if (text.isWellFormed()) return write(text, fatal);
    if (!fatal) return write(text.toWellFormed(), fatal);
    throw new RangeError(
      `${where}.send: got half of a surrogate pair at index ${loneSurrogateAt(text)}, needs well-formed text; send both halves at once`,
    );
  };
}

type Write = (text: string, fatal: boolean) => Uint8Array;

const SINGLE_BYTE = /^(?:ibm866|iso-8859-|koi8-|macintosh|windows-|x-)/;

function writerFor(where: string, label: string, { encoding }: TextDecoder): Write {
  if (encoding === "utf-8") return (text) => utf8.encode(text);
  if (encoding === "utf-16le") return (text) => encodeUtf16(text, true);
  if (encoding === "utf-16be") return (text) => encodeUtf16(text, false);
  if (SINGLE_BYTE.test(encoding)) return singleByteWriter(where, encoding);
  throw new RangeError(
    `${where}({ encoding }): got ${describeValue(label)}, needs UTF-8, UTF-16 or an encoding of one byte a character to send in`,
  );
}

const utf8: TextEncoder = new TextEncoder();

function encodeUtf16(text: string, littleEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let index = 0; index < text.length; index++)
    view.setUint16(index * 2, text.charCodeAt(index), littleEndian);
  return new Uint8Array(view.buffer);
}

const ALL_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const QUESTION_MARK = 63;

function singleByteWriter(where: string, encoding: string): Write {
  const characters = new TextDecoder(encoding).decode(ALL_BYTES);
  const byteOf = new Map(Array.from(characters).map((character, byte) => [character, byte]));
  byteOf.delete("\uFFFD");
  return (text, fatal) =>
    Uint8Array.from(Array.from(text), (character) => {
      const byte = byteOf.get(character);
      if (byte !== undefined) return byte;
      if (!fatal) return QUESTION_MARK;
      throw new RangeError(
        `${where}.send: got the character ${JSON.stringify(character)}, needs text that ${encoding} has bytes for`,
      );
    });
}

function loneSurrogateAt(text: string): number {
  return text.search(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/);
}
