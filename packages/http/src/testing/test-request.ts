import { requestHead } from "../protocol/serialize.ts";
import { fieldsFrom } from "../web/fields-from.ts";
import { type BodySource, contentOf, type Payload } from "../web/payload.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** What `TestClient.fetch` sends: a part of the web's `RequestInit`, with bodies as responses have them. */
export interface TestRequestInit {
  /** Default `"GET"`, or that of the `Request`. Sent as it is. */
  readonly method?: string;
  /** Instead of those of the `Request`. `Host` and what tells the length of the body are added if they are not there. */
  readonly headers?: HeadersSource;
  /** Text, bytes, a form, a stream, an async iterable or a producer; of unknown length, it is sent in chunks. */
  readonly body?: BodySource;
}

/** A request as it is sent. */
export interface TestRequest {
  readonly method: string;
  /** With the empty line. */
  readonly head: string;
  readonly body: Payload | ReadableStream;
  readonly isChunked: boolean;
}

const ENCODER = new TextEncoder();

/** @throws TypeError if it cannot be sent. */
export function testRequest(input: string | URL | Request, init: TestRequestInit): TestRequest {
  const base = input instanceof Request ? input : null;
  const url = new URL(base === null ? String(input) : base.url, "http://localhost/");
  const method = init.method ?? base?.method ?? "GET";
  const body = init.body ?? base?.body ?? null;
  const content = contentOf("TestClient.fetch({ body })", body);
  const fields = fieldsFrom("TestClient.fetch({ headers })", init.headers ?? base?.headers ?? {});
  if (!has(fields, "host")) fields.unshift("host", url.host);
  if (content.type !== "" && !has(fields, "content-type")) {
    fields.push("content-type", content.type);
  }
  const isFramed = has(fields, "content-length") || has(fields, "transfer-encoding");
  let isChunked = false;
  if (content.body !== null && !isFramed) {
    const bytes = lengthOf(content.body) ?? content.bytes;
    isChunked = bytes === undefined;
    if (bytes === undefined) fields.push("transfer-encoding", "chunked");
    else fields.push("content-length", String(bytes));
  }
  return {
    method,
    head: requestHead(method, url.pathname + url.search, fields),
    body: content.body,
    isChunked,
  };
}

function has(fields: readonly string[], name: string): boolean {
  return fields.some((text, index) => index % 2 === 0 && text.toLowerCase() === name);
}

function lengthOf(body: Payload | ReadableStream): number | undefined {
  if (typeof body === "string") return ENCODER.encode(body).length;
  return body instanceof Uint8Array ? body.length : undefined;
}
