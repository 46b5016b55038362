import { type ByteReceiveStream, fromReadableStream } from "arborio/streams";
import { WatchedStream } from "./watched-stream.ts";
import type { BodyProducer } from "./body-producer.ts";
import { producerFrom } from "./iterable-producer.ts";

/**
 * What is to be sent as a body: nothing, text (as UTF-8), bytes, a stream that is received from as the peer takes it, or a function
 * that is called to produce it.
 */
export type Payload = null | string | Uint8Array | ByteReceiveStream | BodyProducer;

/** What `new HttpResponse(body)` takes: all that the web takes, and Arborio's streams, async iterables and producers. */
export type BodySource =
  | NonNullable<RequestInit["body"]>
  | Uint8Array
  | ByteReceiveStream
  | AsyncIterable<Uint8Array | string>
  | BodyProducer
  | null;

/** A body with what is known of it. */
export interface Content {
  readonly body: Payload | ReadableStream;
  /** For `Content-Type`; `""` if there is none. */
  readonly type: string;
  /** Bytes of a stream, if they are known before it is read. */
  readonly bytes: number | undefined;
}

/** The type that the web gives to text. */
export const TEXT_TYPE = "text/plain;charset=UTF-8";

/** @throws TypeError if `body` is nothing that can be sent; it says that an object is sent by `forObject`. */
export function contentOf(
  where: string,
  body: BodySource,
  forObject = "HttpResponse.json(object)",
): Content {
  if (body === null) return { body: null, type: "", bytes: undefined };
  if (typeof body === "string") return { body: body, type: TEXT_TYPE, bytes: undefined };
  if (body instanceof Uint8Array) return { body: body, type: "", bytes: undefined };
  if (typeof body === "function") return { body: body, type: "", bytes: undefined };
  if (typeof body === "object") return contentOfObject(where, body, forObject);
  return { body: String(body), type: TEXT_TYPE, bytes: undefined };
}

function contentOfObject(
  where: string,
  body: Exclude<BodySource, null | string | BodyProducer>,
  forObject: string,
): Content {
  if (isByteStream(body)) return { body: body, type: "", bytes: lengthOf(body) };
  if (body instanceof ReadableStream) {
    requireUnused(where, body);
    return { body, type: "", bytes: undefined };
  }
  if (body instanceof ArrayBuffer)
    return { body: new Uint8Array(body), type: "", bytes: undefined };
  if (ArrayBuffer.isView(body)) {
    const payload = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    return { body: payload, type: "", bytes: undefined };
  }
  if (body instanceof URLSearchParams) {
    const type = "application/x-www-form-urlencoded;charset=UTF-8";
    return { body: body.toString(), type, bytes: undefined };
  }
  if (body instanceof Blob) {
    return {
      body: new WatchedStream(() => fromReadableStream(body.stream())),
      type: body.type,
      bytes: body.size,
    };
  }
  if (body instanceof FormData) return contentOfForm(body);
  if (Symbol.asyncIterator in body) return { body: producerFrom(body), type: "", bytes: undefined };
  throw new TypeError(
    `${where}: got ${Object.prototype.toString.call(body)}, needs text, bytes, a stream, a form or null; for an object ${forObject}`,
  );
}

/** The platform writes the parts and makes up the boundary. */
function contentOfForm(form: FormData): Content {
  const { headers, body } = new Response(form);
  return { body, type: headers.get("content-type") as string, bytes: undefined };
}

function requireUnused(where: string, stream: ReadableStream): void {
  if (stream.locked) {
    throw new TypeError(`${where}: this ReadableStream is locked, needs one that nobody else uses`);
  }
}

function isByteStream(body: object): body is ByteReceiveStream {
  return typeof (body as Partial<ByteReceiveStream>).receive === "function";
}

/** Bytes of a stream, if it knows: a body that came does; so may streams of users. */
export function lengthOf(payload: Payload): number | undefined {
  if (typeof payload !== "object" || payload === null || payload instanceof Uint8Array)
    return undefined;
  const { length } = payload as { readonly length?: unknown };
  return typeof length === "number" ? length : undefined;
}
