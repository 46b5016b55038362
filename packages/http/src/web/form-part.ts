import { BusyResourceError, ClosedResourceError, EndOfStream } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import type { FieldList } from "../protocol/message.ts";
import { ByteCollector } from "./byte-collector.ts";
import { HttpError } from "./http-error.ts";
import type { PartHead } from "./part-head.ts";

/** Largest chunk, in bytes, that `receive` gives unless told otherwise: as every stream. */
const CHUNK_BYTES_MAX = 65_536;

/** Where the bytes of the part come from. */
export interface PartSource {
  /** Data of the part; `null`: it has ended. */
  receiveData(maxBytes: number): Promise<Uint8Array | null>;
  /** The encoding of text that names none. */
  charset: string;
}

/**
 * A field or file of a form that is being read: a stream of its bytes, with backpressure up to the client. It can be read until the
 * next part is asked for; what was not read then is skipped.
 */
export class FormPart implements ByteReceiveStream {
  readonly #head: PartHead;
  readonly #reader: PartSource;
  #state: "open" | "receiving" | "ended" | "closed" = "open";

  /** Made by `formParts`. */
  constructor(head: PartHead, reader: PartSource) {
    this.#head = head;
    this.#reader = reader;
  }

  /** Name of the field. */
  get name(): string {
    return this.#head.name;
  }

  /** Name of the file as the client has sent it, `undefined` if it is no file. Never to be used as a path: it may be `../../etc/passwd`. */
  get fileName(): string | undefined {
    return this.#head.fileName;
  }

  /** Its media type, with parameters, as the client has sent it: not to be believed. */
  get type(): string {
    return this.#head.type;
  }

  /** The field lines of its head, names and values in turn; none in urlencoded forms. */
  get fields(): FieldList {
    return this.#head.fields;
  }

  /** As `ByteReceiveStream.receive`. @throws HttpError 413 over a limit, 400 if the form is malformed. */
  async receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    if (!(Number.isInteger(maxBytes) && maxBytes > 0)) {
      throw new RangeError(
        `form part.receive: got ${String(maxBytes)}, needs a whole number of bytes from 1 on`,
      );
    }
    return this.#receive("receive", maxBytes);
  }

  /** As `ByteReceiveStream.receiveInto`. */
  async receiveInto(view: Uint8Array): Promise<number> {
    if (!(view instanceof Uint8Array && view.length > 0)) {
      throw new TypeError("form part.receiveInto: needs a Uint8Array of at least one byte");
    }
    const bytes = await this.#receive("receiveInto", view.length);
    view.set(bytes);
    return bytes.length;
  }

  async #receive(method: string, maxBytes: number): Promise<Uint8Array> {
    this.#requireUsable(method);
    this.#state = "receiving";
    try {
      const bytes = await this.#reader.receiveData(maxBytes);
      if (bytes !== null) return bytes;
      this.#end();
    } finally {
      if (this.#state === "receiving") this.#state = "open";
    }
    throw endOfStream(method);
  }

  #requireUsable(method: string): void {
    if (this.#state === "open") return;
    if (this.#state === "ended") throw endOfStream(method);
    if (this.#state === "receiving") {
      throw new BusyResourceError(
        `form part.${method}: another task receives from it at the moment; let one task do it`,
      );
    }
    throw new ClosedResourceError(
      `form part.${method}: it was closed, or the next part was asked for; read it before`,
    );
  }

  #end(): void {
    if (this.#state === "receiving") this.#state = "ended";
  }

  /** Iterates over chunks until the part ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      return { done: false, value: await this.#receive("next", CHUNK_BYTES_MAX) };
    } catch (error) {
      if (error instanceof EndOfStream) return { done: true, value: undefined };
      throw error;
    }
  }

  /** All of it, in memory. */
  async bytes(): Promise<Uint8Array> {
    const bytes = new ByteCollector();
    for await (const chunk of this) bytes.add(chunk);
    return bytes.take();
  }

  /**
   * All of it as text, in the encoding that the part names, else that the form names in a field `_charset_` (RFC 7578 §4.6), else UTF-8.
   *
   * @throws HttpError 415 if the encoding is not known.
   */
  async text(): Promise<string> {
    const bytes = await this.bytes();
    const label = this.#head.charset ?? this.#reader.charset;
    let decoder: TextDecoder;
    try {
      decoder = new TextDecoder(label);
    } catch {
      throw new HttpError(415, "the form names an encoding of text that is not known");
    }
    const text = decoder.decode(bytes);
    if (this.name === "_charset_" && this.fileName === undefined) this.#reader.charset = text;
    return text;
  }

  /** What is left of it is not wanted. */
  close(): void {
    this.#state = "closed";
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

function endOfStream(method: string): EndOfStream {
  return new EndOfStream(`form part.${method}: the part has ended`);
}
