import type { CompressionFormat } from "arborio/lowlevel";
import { type ByteReceiveStream, fromReadableStream } from "arborio/streams";
import { isToken } from "../protocol/characters.ts";
import type { FieldList, RequestHead } from "../protocol/message.ts";
import { HttpError } from "../web/http-error.ts";
import { HttpRequest } from "../web/http-request.ts";
import type { RequestBody } from "../web/request-body.ts";
import { codingNames, formatOf } from "./content-coding.ts";
import { decompressedBody, type ExpansionLimits } from "./decompressed-body.ts";
import type { PulledBody } from "./pulled-body.ts";

/** Options of `decompressBody`: what a body may become. */
export interface DecompressLimits {
  /** Bytes after each step. Default: the limit of the body as it comes (`request.bodyBytesMax`), or 1,048,576. */
  readonly bytesMax?: number;
  /** Bytes of output for each byte of input, as soon as there is more than 1 MiB of output. Default 200. */
  readonly ratioMax?: number;
  /** Codings one over the other. Default 5. */
  readonly layersMax?: number;
  /** Members of gzip, or frames of zstd, one after the other. Default 1000. */
  readonly membersMax?: number;
}

const BYTES_MAX = 1_048_576;
/** What is sent in earnest is far below; zlib's and Brotli's bombs reach a thousand and far more. */
export const RATIO_MAX = 200;
/** As many as undici takes. One is usual. */
export const LAYERS_MAX = 5;
/** Parallel compressors make a member for some hundred kilobytes. */
export const MEMBERS_MAX = 1000;

/** One that was overlooked would not be enforced. */
const LIMITS: ReadonlySet<string> = new Set<keyof DecompressLimits>([
  "bytesMax",
  "ratioMax",
  "layersMax",
  "membersMax",
]);

/**
 * The request without the `Content-Encoding` of its body, which is decompressed while it is read. The rest is as it was; one without a
 * coding, or without a body, is given back as it is.
 *
 * Limits hold while the body is read, for each coding by itself, so no bomb gets far. Breaking one makes the reading fail with an
 * `HttpError` 413, data that is damaged or cut with 400: thrown on by a handler, each is the right answer.
 *
 * @throws HttpError 415 if a coding is not known, with `Accept-Encoding` in its headers (RFC 9110 §15.5.16); 413 if there are too many.
 * @throws RangeError if a limit is none.
 * @throws TypeError if the body was read already, or there is no limit of a name.
 *
 * @example A handler that takes compressed bodies
 * ```ts
 * import { run } from "arborio";
 * import { compressNowait } from "arborio/lowlevel";
 * import { decompressBody, HttpResponse } from "@arborio/http";
 *
 * const handler = async (request: Request) => new HttpResponse(await decompressBody(request).text());
 *
 * await run(async () => {
 *   const body = compressNowait("gzip", new TextEncoder().encode("hello")) as Uint8Array<ArrayBuffer>;
 *   const headers = { "content-encoding": "gzip" };
 *   const response = await handler(new Request("http://localhost/", { method: "POST", headers, body }));
 *   console.assert((await response.text()) === "hello");
 * });
 * ```
 */
export function decompressBody(request: Request, limits: DecompressLimits = {}): Request {
  const given = limitsOf(request, limits);
  const codings = codingsOf(request.headers.get("content-encoding"), limits.layersMax);
  if (codings.length === 0) return request;
  const source = bodyOf(request);
  if (source === null) return request;
  // The last one that was applied is the first to be undone.
  const body = codings.reduceRight<ByteReceiveStream>(
    (stream, format) => decompressedBody(stream, format, given),
    source,
  );
  return requestWith(request, new DecompressedRequestBody(body as PulledBody, request, given));
}

/** The codings, in the order in which they were applied. */
function codingsOf(field: string | null, layersMax: number = LAYERS_MAX): CompressionFormat[] {
  requireLimit("layersMax", layersMax);
  const codings: CompressionFormat[] = [];
  for (const name of codingNames(field)) {
    const format = formatOf(name);
    if (format === undefined) throw unsupported(name);
    codings.push(format);
  }
  if (codings.length > layersMax) {
    throw new HttpError(
      413,
      `the body has ${codings.length} codings one over the other, at most ${layersMax} are taken`,
    );
  }
  return codings;
}

function unsupported(name: string): HttpError {
  const accepted = "br, zstd, gzip, deflate";
  const shown = isToken(name) ? `"${name.slice(0, 32)}"` : "that is no name";
  return new HttpError(415, `the body has a coding ${shown}, needs one of ${accepted}`, {
    headers: { "accept-encoding": accepted },
  });
}

function limitsOf(request: Request, limits: DecompressLimits): ExpansionLimits {
  const own = request instanceof HttpRequest ? request.bodyBytesMax : BYTES_MAX;
  const { bytesMax = own, ratioMax = RATIO_MAX, membersMax = MEMBERS_MAX } = limits;
  const unknown = Object.keys(limits).find((name) => !LIMITS.has(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `decompressBody({ ${unknown} }): there is no such limit; there are ${[...LIMITS].join(", ")}`,
    );
  }
  requireLimit("bytesMax", bytesMax);
  requireLimit("ratioMax", ratioMax);
  requireLimit("membersMax", membersMax);
  return { bytesMax, ratioMax, membersMax };
}

function requireLimit(name: string, value: number): void {
  if (typeof value === "number" && value >= 1) return;
  throw new RangeError(
    `decompressBody({ ${name} }): got ${String(value)}, needs a number from 1 on`,
  );
}

function bodyOf(request: Request): ByteReceiveStream | null {
  if (request instanceof HttpRequest) return request.bodyStream;
  const { body } = request;
  if (body === null) return null;
  if (request.bodyUsed || body.locked)
    throw new TypeError("decompressBody: the body was read already, or is locked");
  return fromReadableStream(body);
}

/** The same request, but for its body and the fields that tell of it. */
function requestWith(request: Request, body: RequestBody): HttpRequest {
  const { protocol, host, pathname, search } = new URL(request.url);
  const head: RequestHead = {
    version: "1.1",
    method: request.method,
    target: request instanceof HttpRequest ? request.target : pathname + search,
    authority: host,
    fields: fieldsWithoutCoding(request),
    framing: "chunked",
    keepAlive: true,
    expectsContinue: false,
    upgrade: "",
  };
  return new HttpRequest({
    head,
    scheme: protocol === "https:" ? "https" : "http",
    fallbackHost: host,
    body,
    signal: () => request.signal,
  });
}

function fieldsWithoutCoding(request: Request): FieldList {
  const fields: string[] = [];
  const add = (name: string, value: string): void => {
    const lower = name.toLowerCase();
    if (lower !== "content-encoding" && lower !== "content-length") fields.push(name, value);
  };
  if (request instanceof HttpRequest) {
    const { fields: own } = request;
    for (let at = 0; at < own.length; at += 2) add(own[at] as string, own[at + 1] as string);
  } else {
    for (const [name, value] of request.headers) add(name, value);
  }
  return fields;
}

/** A body of which nobody knows how long it will be. */
class DecompressedRequestBody implements RequestBody {
  readonly length: undefined = undefined;
  readonly #stream: PulledBody;
  readonly #request: Request;
  readonly #limits: ExpansionLimits;
  #isTouched = false;

  constructor(stream: PulledBody, request: Request, limits: ExpansionLimits) {
    this.#stream = stream;
    this.#request = request;
    this.#limits = limits;
  }

  get bytesMax(): number {
    return this.#limits.bytesMax;
  }

  set bytesMax(bytes: number) {
    this.#limits.bytesMax = bytes;
  }

  get isTouched(): boolean {
    return this.#isTouched;
  }

  get trailers(): FieldList {
    return this.#request instanceof HttpRequest ? this.#request.trailers : [];
  }

  receive(maxBytes?: number): Promise<Uint8Array> {
    this.#isTouched = true;
    return this.#stream.receive(maxBytes);
  }

  receiveInto(view: Uint8Array): Promise<number> {
    this.#isTouched = true;
    return this.#stream.receiveInto(view);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    const iterator = this.#stream[Symbol.asyncIterator]();
    return {
      next: () => {
        this.#isTouched = true;
        return iterator.next();
      },
    };
  }

  close(): void {
    this.#stream.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
