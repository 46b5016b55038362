import { NotSupportedError } from "arborio";
import {
  CompressionError,
  type CompressionFormat,
  createDecompressor,
  decompressNowait,
} from "arborio/lowlevel";
import { type ByteReceiveStream, fromIterable } from "arborio/streams";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import {
  CONTENT_CODINGS,
  type ContentCoding,
  codingNames,
  formatOf,
} from "../negotiation/content-coding.ts";
import { LAYERS_MAX } from "../negotiation/decompress-body.ts";
import {
  decompressedBody,
  deflateOf,
  type ExpansionErrors,
  type ExpansionLimits,
} from "../negotiation/decompressed-body.ts";
import type { FieldList } from "../protocol/message.ts";
import { firstField, isName } from "../web/field-names.ts";

/** Bodies up to so many bytes are decompressed at once: quicker than by a thread. */
const AT_ONCE_BYTES = 65_536;

/** What comes of them then, in bytes at most, and at most a few milliseconds; more is made step by step. */
const AT_ONCE_OUTPUT_BYTES = 1_048_576;

/** Whose body it is, for errors. */
export interface DecodedRequest {
  readonly method: string;
  readonly url: string;
}

/** A body without its codings. */
export interface DecodedBody {
  readonly payload: Uint8Array | ByteReceiveStream;
  /** Holds for what is read from now on. */
  readonly limit: { bytesMax: number };
}

/** What this runtime decompresses, as `Accept-Encoding` has it. Asks the backend, so it needs a run. */
export function acceptEncoding(): string {
  return [...CONTENT_CODINGS.filter(isDecodable), "deflate"].join(", ");
}

function isDecodable(coding: ContentCoding): boolean {
  try {
    createDecompressor(coding).close();
    return true;
  } catch (error) {
    if (error instanceof NotSupportedError) return false;
    throw error;
  }
}

/**
 * The codings of a response's body, the first applied one first; `null` if there is none, or one that is not known.
 *
 * @throws RequestFailedError if there are more than `layersMax`: nobody means well with that.
 */
export function codingsOf(
  fields: FieldList,
  status: number,
  request: DecodedRequest,
  layersMax: number = LAYERS_MAX,
): readonly CompressionFormat[] | null {
  if (firstField(fields, "content-encoding") === null || status === 206) return null;
  let field = "";
  for (let at = 0; at < fields.length; at += 2)
    if (isName(fields[at] as string, "content-encoding")) field += `,${fields[at + 1] as string}`;
  const formats = codingNames(field).map(formatOf);
  if (formats.length > layersMax) {
    throw failed(request, "encoding", `the body has ${formats.length} codings one over the other`);
  }
  if (formats.length === 0 || formats.includes(undefined)) return null;
  return formats as CompressionFormat[];
}

/** The fields of a response without those that tell of the body as it came. */
export function decodedFields(fields: FieldList): FieldList {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (isName(name, "content-encoding") || isName(name, "content-length")) continue;
    kept.push(name, fields[at + 1] as string);
  }
  return kept;
}

/** The body without these codings: at once if it is here and small; else while it is read, which fails if it cannot be decoded. */
export function decodedBody(
  payload: Uint8Array | ByteReceiveStream,
  codings: readonly CompressionFormat[],
  limits: ExpansionLimits,
  request: DecodedRequest,
): DecodedBody {
  if (payload instanceof Uint8Array && payload.length <= AT_ONCE_BYTES) {
    const whole = decodedNowait(payload, codings, limits);
    if (whole !== null) return { payload: whole, limit: limits };
  }
  const source = payload instanceof Uint8Array ? fromIterable([payload]) : payload;
  const errors = decodingErrors(request);
  // The last one that was applied is the first to be undone.
  const stream = codings.reduceRight<ByteReceiveStream>(
    (body, format) => decompressedBody(body, format, limits, errors),
    source,
  );
  return { payload: stream, limit: limits };
}

/** `null`: it is too much for that, or wrong, which reading it will tell. */
function decodedNowait(
  bytes: Uint8Array,
  codings: readonly CompressionFormat[],
  { bytesMax, membersMax }: ExpansionLimits,
): Uint8Array | null {
  let decoded = bytes;
  try {
    for (let at = codings.length - 1; at >= 0 && decoded.length > 0; at--) {
      const format = codings[at] as CompressionFormat;
      decoded = decompressNowait(format === "deflate" ? deflateOf(decoded) : format, decoded, {
        maxOutputBytes: Math.min(bytesMax, AT_ONCE_OUTPUT_BYTES),
        maxMembers: membersMax,
      });
    }
    return decoded;
  } catch (error) {
    if (error instanceof CompressionError || error instanceof NotSupportedError) return null;
    throw error;
  }
}

function decodingErrors(request: DecodedRequest): ExpansionErrors {
  return {
    tooLarge: (bytesMax) =>
      failed(request, "too-large", `the response has more than ${bytesMax} bytes`),
    tooMuch: (message, cause) => failed(request, "too-large", message, cause),
    damaged: (message, cause) => failed(request, "encoding", message, cause),
    isEmptyTaken: true,
  };
}

function failed(
  { method, url }: DecodedRequest,
  reason: "encoding" | "too-large",
  message: string,
  cause?: unknown,
): RequestFailedError {
  return new RequestFailedError(message, { phase: "body", reason, method, url, cause });
}
