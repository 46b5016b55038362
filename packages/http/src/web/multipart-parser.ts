/**
 * `multipart/form-data` (RFC 7578) without I/O: chunks to parts, at any split. Boundaries are found by the library `multipasta`;
 * what follows a boundary is read here, since there the library errs when a chunk ends within two bytes of one.
 */
import { make as makeSearch } from "multipasta/Search";
import { ByteCollector } from "./byte-collector.ts";
import type { FormEvent, FormParser } from "./form-parser.ts";
import { BodyTooLargeError, HttpError } from "./http-error.ts";
import { parsePartHead } from "./part-head.ts";

/** RFC 2046 §5.1.1. The search does not end for boundaries over 251 characters. */
const BOUNDARY_CHARACTERS_MAX = 70;
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/;

/** The line ends after the boundary and after the fields: not counted, since nobody can save them. */
const HEAD_END_BYTES = 6;

const CR = 13;
const LF = 10;
const DASH = 45;

export class MultipartParser implements FormParser {
  readonly #search: { write(chunk: Uint8Array): void; end(): void };
  readonly #head: HeadBuffer;
  #state: "preamble" | "head" | "data" | "done" = "preamble";
  #boundaries = 0;
  #events: FormEvent[] = [];

  /** @throws HttpError 400 if the boundary is none. */
  constructor(boundary: string | undefined, partHeaderBytesMax: number) {
    if (
      boundary === undefined ||
      boundary.length > BOUNDARY_CHARACTERS_MAX ||
      !BOUNDARY.test(boundary)
    ) {
      throw new HttpError(
        400,
        `the form has no usable boundary: needs one to ${BOUNDARY_CHARACTERS_MAX} characters of RFC 2046 in Content-Type`,
      );
    }
    this.#head = new HeadBuffer(partHeaderBytesMax);
    this.#search = makeSearch(`\r\n--${boundary}`, (index, bytes) => this.#take(index, bytes));
    // The line end before the first boundary is that of the head of the message.
    this.#search.write(Uint8Array.of(CR, LF));
  }

  /** What a chunk brings. Its memory belongs to the parser, and to who gets the events. @throws HttpError 400, 413. */
  push(chunk: Uint8Array): readonly FormEvent[] {
    this.#events = [];
    if (this.#state !== "done") this.#search.write(chunk);
    return this.#events;
  }

  /** There are no more chunks. @throws HttpError 400 if the form has not ended. */
  end(): readonly FormEvent[] {
    this.#events = [];
    if (this.#state !== "done") this.#search.end();
    if (this.#state !== "done") throw malformed("it ends before its last boundary");
    this.#events.push({ kind: "end" });
    return this.#events;
  }

  #take(boundaries: number, bytes: Uint8Array): void {
    if (boundaries !== this.#boundaries) this.#begin(boundaries);
    if (this.#state === "data") this.#events.push({ kind: "data", bytes });
    else if (this.#state === "head") this.#takeHead(bytes);
  }

  #begin(boundaries: number): void {
    if (this.#state === "done") return;
    if (this.#state === "head" || boundaries !== this.#boundaries + 1) {
      throw malformed("a boundary where the head of a part should be");
    }
    if (this.#state === "data") this.#events.push({ kind: "partEnd" });
    this.#boundaries = boundaries;
    this.#state = "head";
    this.#head.take();
  }

  #takeHead(bytes: Uint8Array): void {
    const end = this.#head.add(bytes);
    if (this.#head.isClosing) {
      this.#state = "done";
    } else if (end !== -1) {
      this.#state = "data";
      this.#events.push({ kind: "head", head: parsePartHead(this.#head.take()) });
      if (end < bytes.length) this.#events.push({ kind: "data", bytes: bytes.subarray(end) });
    }
  }
}

/** What comes after a boundary, up to the empty line that ends the head of the part. Each byte is looked at once. */
class HeadBuffer {
  readonly #bytesMax: number;
  readonly #bytes: ByteCollector = new ByteCollector();
  /** How much of CR LF CR LF has come. */
  #matched = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax + HEAD_END_BYTES;
  }

  /** Two dashes after a boundary: the form has ended. */
  get isClosing(): boolean {
    return this.#bytes.at(0) === DASH && this.#bytes.at(1) === DASH;
  }

  /** Takes bytes up to the end of the head. Gives where in `bytes` that is; -1: not yet, or the form has ended. */
  add(bytes: Uint8Array): number {
    const end = this.#endIn(bytes);
    this.#bytes.add(end === -1 ? bytes : bytes.subarray(0, end));
    if (this.#bytes.length > this.#bytesMax && !this.isClosing) {
      throw new BodyTooLargeError(
        this.#bytesMax - HEAD_END_BYTES,
        `the head of a part of the form is larger than ${this.#bytesMax - HEAD_END_BYTES} bytes`,
      );
    }
    return end;
  }

  #endIn(bytes: Uint8Array): number {
    for (let index = 0; index < bytes.length; index += 1) {
      const byte = bytes[index] as number;
      if (byte === (this.#matched % 2 === 0 ? CR : LF)) this.#matched += 1;
      else this.#matched = byte === CR ? 1 : 0;
      if (this.#matched === 4) return index + 1;
    }
    return -1;
  }

  /** The head with its line ends; then it is empty. */
  take(): Uint8Array {
    this.#matched = 0;
    return this.#bytes.take();
  }
}

function malformed(what: string): HttpError {
  return new HttpError(400, `the form is malformed: ${what}`);
}
