import { EndOfStream } from "arborio";
import { checkpointIfCancelled } from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";
import { parseParameterized } from "../protocol/parse-parameterized.ts";
import { answerWithin } from "./answer-within.ts";
import type { AllFormLimits } from "./form-limits.ts";
import type { FormEvent, FormParser } from "./form-parser.ts";
import { BodyTooLargeError, HttpError } from "./http-error.ts";
import { MultipartParser } from "./multipart-parser.ts";
import type { PartHead } from "./part-head.ts";
import { UrlencodedParser } from "./urlencoded-parser.ts";

const NOTHING: Iterator<FormEvent> = ([] as FormEvent[])[Symbol.iterator]();

/** Reads a form from a stream, and keeps its limits. A cancelled call has lost nothing: the next one goes on. */
export class FormReader {
  readonly #stream: ByteReceiveStream | null;
  readonly #parser: FormParser;
  readonly #limits: AllFormLimits;
  /** What the last chunk brought and nobody has taken. */
  #events: Iterator<FormEvent> = NOTHING;
  #current: FormEvent | null = null;
  /** What was wrong with the form is wrong for ever. */
  #failure: { readonly error: unknown } | null = null;
  #bytes = 0;
  #fields = 0;
  #files = 0;
  /** The part that is being read. */
  #isFile = false;
  #partBytes = 0;
  /** The encoding of text that names none. */
  charset = "utf-8";

  /** @throws HttpError 415 if the type is not that of a form, 400 if it has no boundary. */
  constructor(stream: ByteReceiveStream | null, type: string | null, limits: AllFormLimits) {
    this.#stream = stream;
    this.#limits = limits;
    this.#parser = parserFor(type, limits);
  }

  /** The head of the next part, past all that is left of the one before; `null`: the form has ended. */
  async nextPart(): Promise<PartHead | null> {
    for (;;) {
      const event = await this.#peek();
      if (event.kind === "end") return null;
      this.#current = null;
      if (event.kind === "head") return event.head;
    }
  }

  /** Data of the part; `null`: it has ended. */
  async receiveData(maxBytes: number): Promise<Uint8Array | null> {
    const event = await this.#peek();
    if (event.kind !== "data") return null;
    const { bytes } = event;
    const isAll = bytes.length <= maxBytes;
    this.#current = isAll ? null : { kind: "data", bytes: bytes.subarray(maxBytes) };
    return isAll ? bytes : bytes.subarray(0, maxBytes);
  }

  async #peek(): Promise<FormEvent> {
    // Cancellation is seen also where nothing has to be waited for.
    checkpointIfCancelled();
    while (this.#current === null) {
      if (this.#failure !== null) throw this.#failure.error;
      const event = this.#decide(() => this.#nextEvent());
      if (event === null) await this.#receiveChunk();
      else this.#current = event;
    }
    return this.#current;
  }

  #nextEvent(): FormEvent | null {
    const { done, value } = this.#events.next();
    if (done === true) return null;
    this.#count(value);
    return value;
  }

  /** Only the waiting may be cancelled; what comes is taken at once. */
  async #receiveChunk(): Promise<void> {
    const chunk = this.#stream === null ? null : await receiveOrEnd(this.#stream);
    this.#events = this.#decide(() => {
      if (chunk === null) return this.#parser.end()[Symbol.iterator]();
      this.#bytes += chunk.length;
      requireWithin(this.#bytes, this.#limits.bytesMax, "the form");
      return this.#parser.push(chunk)[Symbol.iterator]();
    });
  }

  #decide<T>(decision: () => T): T {
    try {
      return decision();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #count(event: FormEvent): void {
    const { fieldsMax, filesMax, fieldBytesMax, fileBytesMax } = this.#limits;
    if (event.kind === "head") {
      this.#isFile = event.head.fileName !== undefined;
      this.#partBytes = 0;
      if (this.#isFile) requireFewer((this.#files += 1), filesMax, "files");
      else requireFewer((this.#fields += 1), fieldsMax, "fields");
    } else if (event.kind === "data") {
      this.#partBytes += event.bytes.length;
      if (this.#isFile) requireWithin(this.#partBytes, fileBytesMax, "a file of the form");
      else requireWithin(this.#partBytes, fieldBytesMax, "a field of the form");
    }
  }
}

function parserFor(type: string | null, limits: AllFormLimits): FormParser {
  const parsed = type === null ? null : parseParameterized(type);
  if (parsed?.value === "multipart/form-data") {
    return new MultipartParser(parsed.parameters.get("boundary"), limits.partHeaderBytesMax);
  }
  if (parsed?.value === "application/x-www-form-urlencoded") {
    return new UrlencodedParser(limits.fieldBytesMax);
  }
  throw new HttpError(
    415,
    "the body is no form: needs multipart/form-data or application/x-www-form-urlencoded",
    { headers: { accept: "multipart/form-data, application/x-www-form-urlencoded" } },
  );
}

async function receiveOrEnd(stream: ByteReceiveStream): Promise<Uint8Array | null> {
  try {
    return await stream.receive();
  } catch (error) {
    if (error instanceof EndOfStream) return null;
    throw answerWithin(error);
  }
}

function requireWithin(bytes: number, bytesMax: number, what: string): void {
  if (bytes <= bytesMax) return;
  throw new BodyTooLargeError(bytesMax, `${what} is larger than ${bytesMax} bytes`);
}

function requireFewer(count: number, max: number, what: string): void {
  if (count <= max) return;
  throw new HttpError(413, `the form has more than ${max} ${what}`);
}
