import { compressNowait, type CompressorOptions, createCompressor } from "arborio/lowlevel";
import { type ByteReceiveStream, fromIterable } from "arborio/streams";
import { weakened } from "../web/entity-tag.ts";
import { FieldHeaders } from "../web/field-headers.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { Payload } from "../web/payload.ts";
import { type ResponseParts, responseParts } from "../web/response-parts.ts";
import { compressedBody } from "./compressed-body.ts";
import { COMPRESSIBLE_TYPES, isCompressible, varyWith } from "./compressible.ts";
import { compressingProducer } from "./compressing-producer.ts";
import { CONTENT_CODINGS, type ContentCoding, isSupported } from "./content-coding.ts";
import { peekBody } from "./peek-body.ts";
import { preferredEncodings } from "./preferred-encodings.ts";

/** Options of `compress`. */
export interface CompressOptions {
  /** The codings to offer, the favourite first; those that the runtime lacks are left out. Default `["br", "zstd", "gzip"]`. */
  readonly formats?: readonly ContentCoding[];
  /** Bodies with fewer bytes are left as they are. Default 1024: below that a packet is a packet. */
  readonly bytesMin?: number;
  /** How hard each tries, as of `createCompressor`. The defaults suit what is compressed while it is sent. */
  readonly levels?: Readonly<Partial<Record<ContentCoding, number>>>;
  /** Media types to compress, without parameters and in lower case. Default: texts, JSON, XML, SVG, WebAssembly, fonts and the like. */
  readonly types?: RegExp;
}

interface Settings {
  readonly formats: readonly ContentCoding[];
  readonly bytesMin: number;
  readonly types: RegExp;
  readonly optionsOf: (coding: ContentCoding) => CompressorOptions;
}

const BYTES_MIN = 1024;

/** Bodies up to this are compressed at once: quicker than by a thread, and at most a few milliseconds. */
const AT_ONCE_BYTES = 65_536;

const encoder = new TextEncoder();

/**
 * Wraps a handler so that its answers are compressed for clients that take it, by what they really prefer (RFC 9110 §12.5.3). Text and bytes
 * are compressed at once, or while they are sent if they are large; streams as they come, and put out when they pause, so
 * that event streams and slow pages are not held back.
 *
 * Answers of a type that is compressed get `Vary: Accept-Encoding`, whether or not this one is. One that is compressed has
 * `Content-Encoding`, no `Content-Length` unless it is known, no `Accept-Ranges`, and a weak `ETag`, since the bytes are others. Left alone are:
 * 204, 205, 206, 304; `Cache-Control: no-transform`; what is encoded already, is a range, or has a digest; other types; and what is short,
 * or does not shrink. The fields of an answer to HEAD become those of GET, as far as its length is known.
 *
 * A client that refuses plain bytes (`identity;q=0`) and takes nothing that there is gets 406.
 *
 * Secrets in an answer that also repeats what the request says can be guessed by the length of the compressed answer (BREACH): for those
 * set `Cache-Control: no-transform`.
 *
 * @param handler gives `Response`s; further arguments are passed on.
 * @returns a handler.
 * @throws TypeError if the handler is none; RangeError if an option is wrong.
 *
 * Counterpart: `response.enable_compression()` of aiohttp.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { compress, HttpResponse } from "@arborio/http";
 *
 * await run(async () => {
 *   const handler = compress(() => HttpResponse.json(new Array(1000).fill("hello")));
 *   const request = new Request("http://localhost/", { headers: { "accept-encoding": "gzip" } });
 *   const response = await handler(request);
 *   console.assert(response.headers.get("content-encoding") === "gzip");
 *   console.assert((await response.arrayBuffer()).byteLength < 1000);
 * });
 * ```
 */
export function compress<Rest extends unknown[]>(
  handler: (request: Request, ...rest: Rest) => Response | Promise<Response>,
  options: CompressOptions = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  if (typeof handler !== "function")
    throw new TypeError(`compress: got ${String(handler)}, needs a handler: compress(app.fetch)`);
  const settings = settingsOf(options);
  return async (request, ...rest) => {
    const response = await handler(request, ...rest);
    if (!isCompressible(response, settings.types)) return response;
    return respond(request, response, settings);
  };
}

async function respond(
  request: Request,
  response: Response,
  settings: Settings,
): Promise<Response> {
  const codings = preferredEncodings(request.headers.get("accept-encoding"), settings.formats);
  const [coding] = codings;
  const parts = responseParts(response);
  if (coding === undefined) return notAcceptable(parts, settings);
  const refusesPlain = !codings.includes("identity");
  const size = sizeOf(parts);
  const isShort = size !== undefined && size < settings.bytesMin && !refusesPlain;
  if (coding === "identity" || isShort) return withVary(parts);
  const job: Job = { parts, coding: coding as ContentCoding, refusesPlain, settings };
  if (request.method === "HEAD")
    return size === undefined ? withVary(parts) : encoded(job, parts.payload);
  return compressed(job);
}

/** What is to be done to a response. */
interface Job {
  readonly parts: ResponseParts;
  readonly coding: ContentCoding;
  /** The client takes no plain bytes. */
  readonly refusesPlain: boolean;
  readonly settings: Settings;
}

async function compressed(job: Job): Promise<Response> {
  const { parts, coding, refusesPlain, settings } = job;
  const { payload } = parts;
  const options = settings.optionsOf(coding);
  if (payload === null) return withVary(parts);
  if (typeof payload === "function")
    return encoded(job, compressingProducer(payload, coding, options));
  if (typeof payload === "string" || payload instanceof Uint8Array) {
    const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
    if (bytes.length > AT_ONCE_BYTES) {
      const source = fromIterable(chunksOf(bytes));
      return encoded(
        job,
        compressedBody(source, () => createCompressor(coding, options)),
      );
    }
    const shrunk = compressNowait(coding, bytes, options);
    return shrunk.length < bytes.length || refusesPlain ? encoded(job, shrunk) : withVary(parts);
  }
  let source: ByteReceiveStream = payload;
  if (sizeOf(parts) === undefined && !refusesPlain) {
    const peeked = await peekBody(payload, settings.bytesMin);
    if (peeked instanceof Uint8Array) return withVary({ ...partsOf(parts), payload: peeked });
    source = peeked;
  }
  return encoded(
    job,
    compressedBody(source, () => createCompressor(coding, options)),
  );
}

/** The answer with this payload, which is encoded. */
function encoded({ parts, coding }: Job, payload: Payload): HttpResponse {
  const headers = headersOf(parts);
  headers.set("content-encoding", coding);
  headers.delete("content-length");
  headers.delete("accept-ranges");
  const etag = headers.get("etag");
  if (etag !== null) headers.set("etag", weakened(etag));
  return rebuilt({ ...partsOf(parts), payload }, headers);
}

/** The answer as it is, but that it tells what it depends on. */
function withVary(parts: ResponseParts): HttpResponse {
  return rebuilt(parts, headersOf(parts));
}

function notAcceptable({ payload }: ResponseParts, { formats }: Settings): HttpResponse {
  if (payload !== null && typeof payload === "object" && !(payload instanceof Uint8Array))
    payload.close();
  return new HttpResponse(`406 Not Acceptable: there is ${formats.join(", ")}\n`, {
    status: 406,
    headers: { vary: "accept-encoding" },
  });
}

function headersOf({ fields }: ResponseParts): FieldHeaders {
  const headers = new FieldHeaders(fields.slice(), false);
  headers.set("vary", varyWith(headers.get("vary"), "accept-encoding"));
  return headers;
}

/** Those of a response are accessors, which spreading would miss. */
function partsOf({
  status,
  statusText,
  fields,
  payload,
  payloadBytes,
  trailers,
}: ResponseParts): ResponseParts {
  return { status, statusText, fields, payload, payloadBytes, trailers };
}

function rebuilt(
  { status, statusText, payload, trailers }: ResponseParts,
  headers: FieldHeaders,
): HttpResponse {
  const given = trailers === null ? {} : { trailers: () => new FieldHeaders(trailers(), true) };
  return new HttpResponse(payload, {
    status,
    statusText,
    headers,
    ...given,
  });
}

/** Bytes of the body, if they are known. Of text at least so many. */
function sizeOf({ payload, payloadBytes, fields }: ResponseParts): number | undefined {
  if (typeof payload === "string") return payload.length;
  if (payload instanceof Uint8Array) return payload.length;
  if (payloadBytes !== undefined) return payloadBytes;
  const announced = new FieldHeaders(fields, true).get("content-length");
  return announced !== null && /^[0-9]{1,15}$/.test(announced) ? Number(announced) : undefined;
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += AT_ONCE_BYTES)
    yield bytes.subarray(at, at + AT_ONCE_BYTES);
}

function settingsOf(options: CompressOptions): Settings {
  const { formats = CONTENT_CODINGS, bytesMin = BYTES_MIN, levels = {} } = options;
  const { types = COMPRESSIBLE_TYPES } = options;
  if (!(typeof bytesMin === "number" && bytesMin >= 0))
    throw new RangeError(
      `compress({ bytesMin }): got ${String(bytesMin)}, needs a number from 0 on`,
    );
  if (!(types instanceof RegExp))
    throw new RangeError(`compress({ types }): got ${String(types)}, needs a regular expression`);
  for (const format of formats) {
    if (!CONTENT_CODINGS.includes(format)) {
      throw new RangeError(
        `compress({ formats }): got ${JSON.stringify(format)}, needs of ${CONTENT_CODINGS.join(", ")}`,
      );
    }
  }
  const optionsOf = (coding: ContentCoding): CompressorOptions => {
    const level = levels[coding];
    return level === undefined ? {} : { level };
  };
  const supported = formats.filter((coding) => isSupported(coding, optionsOf(coding)));
  return { formats: supported, bytesMin, types, optionsOf };
}
