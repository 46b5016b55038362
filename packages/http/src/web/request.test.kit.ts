/** Requests without a connection, for tests. */
import { type ByteReceiveStream, fromIterable } from "arborio/streams";
import type { FieldList, RequestHead } from "../protocol/message.ts";
import { BodyTooLargeError } from "./http-error.ts";
import { HttpRequest } from "./http-request.ts";
import type { RequestBody } from "./request-body.ts";

const encoder = new TextEncoder();

/** What `testRequest` makes a request of. */
export interface TestRequest {
  readonly method?: string;
  readonly target?: string;
  readonly authority?: string;
  readonly fields?: FieldList;
  readonly scheme?: "http" | "https";
  /** `null`: no body. */
  readonly body?: string | Uint8Array | readonly Uint8Array[] | ByteReceiveStream | null;
  readonly length?: number;
  readonly bytesMax?: number;
  readonly signal?: () => AbortSignal;
}

/** A request as the server would make it. */
export function testRequest(given: TestRequest = {}): HttpRequest {
  const { body = null, scheme = "http" } = given;
  return new HttpRequest({
    head: headOf(given),
    scheme,
    fallbackHost: "127.0.0.1:8000",
    body: body === null ? null : new TestBody(streamOf(body), given),
    signal: given.signal ?? (() => new AbortController().signal),
  });
}

function headOf(given: TestRequest): RequestHead {
  return {
    version: "1.1",
    method: given.method ?? (given.body === undefined ? "GET" : "POST"),
    target: given.target ?? "/",
    authority: given.authority ?? "example.com",
    fields: given.fields ?? [],
    framing: 0,
    keepAlive: true,
    expectsContinue: false,
    upgrade: "",
  };
}

function streamOf(body: NonNullable<TestRequest["body"]>): ByteReceiveStream {
  if (typeof body === "string") return fromIterable([encoder.encode(body)]);
  if (body instanceof Uint8Array) return fromIterable([body]);
  return "receive" in body ? body : fromIterable(body);
}

/** A body as a connection would give it, out of any stream. */
export class TestBody implements RequestBody {
  readonly length: number | undefined;
  bytesMax: number;
  isTouched = false;
  readonly trailers: string[] = [];
  readonly #stream: ByteReceiveStream;
  #received = 0;

  constructor(stream: ByteReceiveStream, { length, bytesMax = Infinity }: TestRequest) {
    this.#stream = stream;
    this.length = length;
    this.bytesMax = bytesMax;
  }

  async receive(maxBytes?: number): Promise<Uint8Array> {
    this.isTouched = true;
    this.#count(this.length ?? 0, 0);
    const bytes = await this.#stream.receive(maxBytes);
    this.#count(0, bytes.length);
    return bytes;
  }

  async receiveInto(view: Uint8Array): Promise<number> {
    const bytes = await this.receive(view.length);
    view.set(bytes);
    return bytes.length;
  }

  #count(announced: number, received: number): void {
    this.#received += received;
    if (Math.max(announced, this.#received) > this.bytesMax) {
      throw new BodyTooLargeError(this.bytesMax);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    this.isTouched = true;
    this.#count(this.length ?? 0, 0);
    for await (const bytes of this.#stream) {
      this.#count(0, bytes.length);
      yield bytes;
    }
    return undefined;
  }

  close(): void {
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
