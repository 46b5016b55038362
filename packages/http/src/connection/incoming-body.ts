/** The body of a message that came, read from its connection as it is asked for. */
import { BusyResourceError, checkpoint, ClosedResourceError, EndOfStream } from "arborio";
import type { BodyFraming, FieldList } from "../protocol/message.ts";
import type { RequestBody } from "../web/request-body.ts";
import type { WireInlet } from "./wire-inlet.ts";

/** What a body reads from. */
interface BodyParser {
  readBody(maxBytes: number): Uint8Array | null;
  readonly bodyDone: boolean;
  readonly bufferedBytes: number;
  readonly trailers: FieldList;
}

/** Bytes that one `receive` gives at most unless told otherwise. */
const CHUNK_BYTES_MAX = 65_536;

/** What the body asks of its connection. */
export interface BodyConnection {
  readonly parser: BodyParser;
  readonly inlet: WireInlet;
  /** Somebody waits for more of the body: a client that waits for `100 Continue` gets it now. */
  bodyAwaited(): void;
  /** Nobody waits for it any more. @returns whether it did not come in time. */
  bodyAwaitedNoMore(): boolean;
  /** All of it was received. */
  bodyEnded?(): void;
  /** Its reader wants no more of it. */
  bodyClosed?(): void;
}

/** How errors of a body are told: to the handler of a request, or to who awaits a response. */
export interface BodyErrors {
  /** For messages: `"request body"`. */
  readonly name: string;
  /** Why nothing can be received when the exchange is over. */
  readonly detached: string;
  /** The connection ended before the body did. */
  cut(operation: string, cause: Error | null): unknown;
  /** It broke the protocol. */
  broken(error: unknown): unknown;
  /** It did not come in time. */
  late(): Error;
  /** It has more than `bytesMax`. */
  tooLarge(bytesMax: number): Error;
}

/** The limits of a server that matter here. */
export interface BodyLimits {
  readonly bodyBytesMax: number;
  readonly drainBytesMax: number;
}

export class IncomingBody implements RequestBody {
  readonly length: number | undefined;
  bytesMax: number;
  readonly #connection: BodyConnection;
  readonly #errors: BodyErrors;
  readonly #drainBytesMax: number;
  #received = 0;
  #receiving = false;
  #closed = false;
  /** It broke the protocol, was too large or too slow: what is left of it is not to be read. */
  hasFailed = false;
  /** The exchange is over: what is left of the body is the connection's again. */
  #detached = false;
  /** All of it was received. */
  #ended = false;
  /** What was taken out of the parser, and not received yet: at most what was buffered when somebody looked whether it is all. */
  #ahead: Uint8Array[] | null = null;
  /** Those of the body, when the parser reads another message. */
  #trailers: FieldList | null = null;

  constructor(
    connection: BodyConnection,
    framing: BodyFraming,
    { bodyBytesMax, drainBytesMax }: BodyLimits,
    errors: BodyErrors,
  ) {
    this.#connection = connection;
    this.#errors = errors;
    this.length = typeof framing === "number" ? framing : undefined;
    this.bytesMax = bodyBytesMax;
    this.#drainBytesMax = drainBytesMax;
  }

  get trailers(): FieldList {
    return this.#trailers ?? this.#connection.parser.trailers;
  }

  /** Bytes that the connection still has to give; `undefined` if nobody knows. */
  get bytesLeft(): number | undefined {
    return this.length === undefined ? undefined : this.length - this.#received;
  }

  /** Bytes that were received. */
  get bytesReceived(): number {
    return this.#received;
  }

  /** Whether what is left of it is not to be read, as far as is known: it is too much, or broken. */
  get mustBeLeft(): boolean {
    if (this.#connection.parser.bodyDone) return false;
    if (this.hasFailed) return true;
    return this.length !== undefined && this.length - this.#received > this.#drainBytesMax;
  }

  /** Whether the handler has begun to read. */
  get isTouched(): boolean {
    return this.#received > 0 || this.#receiving;
  }

  receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    return this.#receiveAs("receive", maxBytes);
  }

  async receiveInto(view: Uint8Array): Promise<number> {
    if (!(view instanceof Uint8Array && view.length > 0)) {
      throw new TypeError(
        `${this.#errors.name}.receiveInto: needs a Uint8Array of at least one byte`,
      );
    }
    const bytes = await this.#receiveAs("receiveInto", view.length);
    view.set(bytes);
    return bytes.length;
  }

  /** All of it in one function that waits: a body of 1 GiB comes in 16,384 pieces at least. */
  async #receiveAs(operation: string, maxBytes: number): Promise<Uint8Array> {
    this.#requireCount(maxBytes);
    this.#requireOpen(operation);
    this.#receiving = true;
    const connection = this.#connection;
    try {
      await checkpoint();
      this.#requireWithinLimit(this.length ?? 0);
      for (;;) {
        if (this.#ended) throw new EndOfStream(`${this.#errors.name}: it has ended`);
        this.#requireOpen(operation, false);
        const bytes = this.#take(maxBytes);
        if (bytes !== null) return bytes;
        if (connection.parser.bodyDone) {
          this.#end();
          continue;
        }
        this.#requirePeer(operation);
        let isOverdue = false;
        connection.bodyAwaited();
        try {
          await connection.inlet.wait();
        } finally {
          // The connection may carry another message by now, which has deadlines of its own.
          if (!this.#detached) isOverdue = connection.bodyAwaitedNoMore();
        }
        if (isOverdue) this.#failOverdue();
      }
    } finally {
      this.#receiving = false;
      // Nothing more is to be had of it, and nobody may come to close it: who reads by a web stream cannot.
      if (this.hasFailed && !this.#detached && !this.#closed) connection.bodyClosed?.();
    }
  }

  /** What is there, or `null`: nothing yet. */
  #take(maxBytes: number): Uint8Array | null {
    const bytes = this.#read(maxBytes);
    if (bytes === null) return null;
    this.#connection.inlet.consumed();
    this.#received += bytes.length;
    this.#requireWithinLimit(this.#received);
    return bytes;
  }

  #end(): void {
    this.#ended = true;
    this.#connection.bodyEnded?.();
  }

  #read(maxBytes: number): Uint8Array | null {
    if (this.#ahead !== null) return this.#readAhead(maxBytes);
    try {
      return this.#connection.parser.readBody(maxBytes);
    } catch (error) {
      this.hasFailed = true;
      throw this.#errors.broken(error);
    }
  }

  #requirePeer(operation: string): void {
    const { failure, ended } = this.#connection.inlet;
    if (failure !== null || ended) throw this.#errors.cut(operation, failure);
  }

  #failOverdue(): never {
    this.hasFailed = true;
    throw this.#errors.late();
  }

  #readAhead(maxBytes: number): Uint8Array {
    const ahead = this.#ahead as Uint8Array[];
    const piece = ahead[0] as Uint8Array;
    if (piece.length > maxBytes) {
      ahead[0] = piece.subarray(maxBytes);
      return piece.subarray(0, maxBytes);
    }
    ahead.shift();
    if (ahead.length === 0) this.#ahead = null;
    return piece;
  }

  wholeNowait(): Uint8Array | null {
    const { parser } = this.#connection;
    const { length } = this;
    if (this.isTouched || this.#closed || this.#detached || this.#ahead !== null) return null;
    if (length === undefined) return this.#wholeOfUnknownLength();
    if (length === 0 || length > this.bytesMax || parser.bufferedBytes < length) return null;
    const bytes = parser.readBody(length);
    if (bytes === null) return null;
    // A parser may give less than it has if that lies in pieces; then the rest has to be taken too.
    const whole = bytes.length === length ? bytes : this.#joined(bytes, length);
    this.#received = length;
    this.#end();
    return whole;
  }

  #joined(first: Uint8Array, length: number): Uint8Array {
    const whole = new Uint8Array(length);
    whole.set(first);
    for (let at = first.length; at < length;) {
      const next = this.#connection.parser.readBody(length - at) as Uint8Array;
      whole.set(next, at);
      at += next.length;
    }
    return whole;
  }

  /** One must have taken it out of the parser to know whether it is all. What is not all is received from there later. */
  #wholeOfUnknownLength(): Uint8Array | null {
    const { parser } = this.#connection;
    if (parser.bufferedBytes === 0 && !parser.bodyDone) return null;
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    try {
      for (let piece = parser.readBody(CHUNK_BYTES_MAX); piece !== null;) {
        pieces.push(piece);
        bytes += piece.length;
        piece = parser.readBody(CHUNK_BYTES_MAX);
      }
    } catch {
      // The parser tells it again when what came before it was received.
    }
    if (parser.bodyDone && bytes <= this.bytesMax) {
      this.#received = bytes;
      this.#end();
      return pieces.length === 1 ? (pieces[0] as Uint8Array) : joined(pieces, bytes);
    }
    if (pieces.length > 0) this.#ahead = pieces;
    return null;
  }

  #requireOpen(operation: string, isNew = true): void {
    if (this.#closed || (this.#detached && !this.#ended)) {
      throw new ClosedResourceError(
        `${this.#errors.name}.${operation}: ${this.#closed ? "it was closed" : this.#errors.detached}`,
      );
    }
    if (isNew && this.#receiving) {
      throw new BusyResourceError(
        `${this.#errors.name}.${operation}: another task receives from it at the moment; let one task receive`,
      );
    }
  }

  #requireWithinLimit(bytes: number): void {
    if (bytes <= this.bytesMax) return;
    // What is announced to be too large has not begun to be read.
    if (this.#received > 0) this.hasFailed = true;
    throw this.#errors.tooLarge(this.bytesMax);
  }

  #requireCount(maxBytes: number): void {
    if (Number.isInteger(maxBytes) && maxBytes > 0) return;
    throw new RangeError(
      `${this.#errors.name}.receive: got ${String(maxBytes)}, needs a whole number of bytes from 1 on`,
    );
  }

  /** What is left is not wanted; the connection decides whether to read or to leave it. Wakes who waits. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // What the connection carries now is not this message.
    if (this.#detached) return;
    if (this.#receiving) this.#connection.inlet.wake();
    this.#connection.bodyClosed?.();
  }

  /** @internal The exchange is over. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#trailers = this.#connection.parser.trailers;
    if (this.#receiving) this.#connection.inlet.wake();
  }

  /** Iterates over chunks until the body ends. A cancelled step has lost nothing: the next one goes on. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      return { done: false, value: await this.#receiveAs("receive", CHUNK_BYTES_MAX) };
    } catch (error) {
      if (error instanceof EndOfStream) return { done: true, value: undefined };
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
