/** `application/x-www-form-urlencoded` without I/O: chunks to fields, as the URL Standard has it. */
import { ByteCollector } from "./byte-collector.ts";
import type { FormEvent, FormParser } from "./form-parser.ts";
import { BodyTooLargeError } from "./http-error.ts";

const AMPERSAND = 38;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class UrlencodedParser implements FormParser {
  readonly #fieldBytesMax: number;
  /** What has come of a field that has not ended. */
  readonly #bytes: ByteCollector = new ByteCollector();

  constructor(fieldBytesMax: number) {
    this.#fieldBytesMax = fieldBytesMax;
  }

  /** The fields that a chunk ends, one by one. @throws BodyTooLargeError if one is too long. */
  *push(chunk: Uint8Array): Generator<FormEvent, undefined> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(AMPERSAND, start);
      this.#keep(chunk.subarray(start, end === -1 ? chunk.length : end));
      if (end === -1) return undefined;
      yield* this.#field();
      start = end + 1;
    }
  }

  /** There are no more chunks. */
  *end(): Generator<FormEvent, undefined> {
    yield* this.#field();
    yield { kind: "end" };
    return undefined;
  }

  *#field(): Generator<FormEvent, undefined> {
    if (this.#bytes.length === 0) return undefined;
    // A question mark at its beginning would be dropped, as if it were that of a query; an ampersand before it means nothing.
    const text = `&${decoder.decode(this.#bytes.take())}`;
    for (const [name, value] of new URLSearchParams(text)) {
      yield {
        kind: "head",
        head: { name, fileName: undefined, type: "text/plain", charset: "utf-8", fields: [] },
      };
      if (value !== "") yield { kind: "data", bytes: encoder.encode(value) };
      yield { kind: "partEnd" };
    }
    return undefined;
  }

  #keep(piece: Uint8Array): void {
    if (this.#bytes.length + piece.length > this.#fieldBytesMax) {
      throw new BodyTooLargeError(
        this.#fieldBytesMax,
        `a field of the form is larger than ${this.#fieldBytesMax} bytes`,
      );
    }
    this.#bytes.add(piece);
  }
}
