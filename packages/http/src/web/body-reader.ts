/**
 * The body of a request or response as the web's `Body` mixin sees it: read once, as a whole or as a web stream, which is made only
 * when it is asked for.
 */
import { checkpointIfCancelled } from "arborio/lowlevel";
import { type ByteReceiveStream, fromReadableStream, toReadableStream } from "arborio/streams";
import { answerWithin } from "./answer-within.ts";
import { ByteCollector } from "./byte-collector.ts";
import type { Payload } from "./payload.ts";
import { bytesOf, payloadStream } from "./payload-stream.ts";
import { type TouchableStream, WatchedStream } from "./watched-stream.ts";

/** As the web's types want it: on memory of its own. */
export type OwnBytes = Uint8Array<ArrayBuffer>;
type WebStream = ReadableStream<OwnBytes>;
type Reading = ByteReceiveStream & { wholeNowait?(): Uint8Array | null };

const decoder = new TextDecoder();

/**
 * Who made a web stream. What passes responses on, as middleware does by `new Response(response.body, response)`, makes a stream of what
 * was text; so it is text again when it is sent.
 */
const MAKERS: WeakMap<object, BodyReader> = new WeakMap<object, BodyReader>();

/** What is to be sent of a web stream: what it was made of here, or what it gives. */
export function payloadOfWeb(web: ReadableStream): Exclude<Payload, null> {
  return MAKERS.get(web)?.takeOrigin() ?? fromReadableStream(web);
}

/** What the web's `Body` mixin does, over any payload. */
export class BodyReader {
  /** For messages: `"request"`. */
  readonly #owner: string;
  #payload: Payload;
  #web: WebStream | null;
  /** What the web stream was made of. */
  #origin: Payload = null;
  /** The web stream is the user's: nothing here sees what is read from it. */
  #isGiven: boolean;
  #used = false;

  constructor(owner: string, body: Payload | ReadableStream) {
    this.#owner = owner;
    const isWeb = body instanceof ReadableStream;
    this.#isGiven = isWeb;
    this.#web = isWeb ? (body as WebStream) : null;
    this.#payload = isWeb ? new WatchedStream(() => fromReadableStream(body)) : body;
  }

  /** Whether it was read, as far as it can be known. */
  get used(): boolean {
    return (
      this.#used ||
      (this.#payload as Partial<TouchableStream> | null)?.isTouched === true ||
      (this.#isGiven && isDisturbed(this.#web as WebStream))
    );
  }

  /** What is to be sent or received. @throws TypeError if it was read. */
  payload(method: string): Payload {
    if (this.#payload === null) return null;
    this.requireUsable(method);
    return this.#web === null ? this.#payload : payloadOfWeb(this.#web);
  }

  /** What the web stream was made of, if nothing of that was read; then it can be read no more. */
  takeOrigin(): Payload {
    if (this.used || this.#web?.locked !== false) return null;
    this.#used = true;
    this.#web.getReader();
    return this.#origin;
  }

  /** The web stream, made now if it was not made before. */
  get web(): WebStream | null {
    const payload = this.#payload;
    if (this.#web === null && payload !== null) {
      this.#used = this.used;
      const stream = new WatchedStream(() => payloadStream(payload));
      this.#payload = stream;
      this.#web = toReadableStream(stream) as WebStream;
      this.#origin = payload;
      MAKERS.set(this.#web, this);
      // What was read by other ways is not to be had from here.
      if (this.#used) this.#web.getReader();
    }
    return this.#web;
  }

  async bytes(): Promise<OwnBytes> {
    checkpointIfCancelled();
    const whole = this.#wholeNowait("bytes");
    if (whole === null) return onOwnMemory(await this.#received());
    return typeof whole === "string" ? (bytesOf(whole) as OwnBytes) : new Uint8Array(whole);
  }

  async text(): Promise<string> {
    return this.textNowait("text") ?? this.textLater();
  }

  /** The text, if all of it is here already; if not, `textLater` gives it. Else as any reading: looks at cancellation, counts as read. */
  textNowait(method: string): string | null {
    checkpointIfCancelled();
    const whole = this.#wholeNowait(method);
    return whole === null
      ? null
      : decoder.decode(typeof whole === "string" ? bytesOf(whole) : whole);
  }

  /** The text after `textNowait` gave none. */
  async textLater(): Promise<string> {
    return decoder.decode(await this.#received());
  }

  /** Gives one of two streams of the same away, and keeps the other. @throws TypeError if it was read. */
  tee(): BodyReader {
    this.requireUsable("clone");
    const payload = this.#payload;
    if (payload === null || typeof payload === "string" || payload instanceof Uint8Array) {
      return new BodyReader(this.#owner, payload);
    }
    const [here, there] = (this.web as WebStream).tee();
    this.#payload = new WatchedStream(() => fromReadableStream(here));
    this.#web = null;
    this.#isGiven = false;
    return new BodyReader(this.#owner, new WatchedStream(() => fromReadableStream(there)));
  }

  /** Gives up what was not read of it. */
  close(): void {
    const payload = this.#payload;
    if (typeof payload === "object" && payload !== null && !(payload instanceof Uint8Array))
      payload.close();
  }

  /** @throws TypeError if it was read, or is about to be. */
  requireUsable(method: string): void {
    if (!this.used && this.#web?.locked !== true) return;
    throw new TypeError(
      `${this.#owner}.${method}: the body was read already, or is locked; read it once, or clone() before`,
    );
  }

  /** All of it, if it is here already. From here on it counts as read. */
  #wholeNowait(method: string): Uint8Array | string | null {
    const payload = this.#payload;
    if (payload === null) return "";
    this.requireUsable(method);
    this.#used = true;
    if (this.#web !== null || typeof payload === "function") return null;
    if (typeof payload === "string" || payload instanceof Uint8Array) return payload;
    return (payload as Reading).wholeNowait?.() ?? null;
  }

  async #received(): Promise<Uint8Array> {
    const bytes = new ByteCollector();
    const payload = this.#payload;
    if (this.#web === null && typeof payload === "function") {
      await payload({ send: async (piece) => bytes.add(bytesOf(piece).slice()) });
      return bytes.take();
    }
    const stream =
      this.#web === null ? (payload as ByteReceiveStream) : fromReadableStream(this.#web);
    try {
      for await (const piece of stream) bytes.add(piece);
    } catch (error) {
      // It counts as read, so nobody else can: a file behind it would stay open.
      stream.close();
      throw answerWithin(error);
    }
    return bytes.take();
  }
}

/** The platform looks into a stream where we cannot. While somebody holds it, it counts as read. */
function isDisturbed(stream: WebStream): boolean {
  if (stream.locked) return true;
  try {
    new Response(stream);
    return false;
  } catch {
    return true;
  }
}

/** Its buffer is what `arrayBuffer()` gives: not more than the body. */
function onOwnMemory(bytes: Uint8Array): OwnBytes {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as OwnBytes)
    : new Uint8Array(bytes);
}
