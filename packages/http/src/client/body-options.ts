import { CONTENT_CODINGS, type ContentCoding } from "../negotiation/content-coding.ts";
import type { DecompressLimits } from "../negotiation/decompress-body.ts";
import type { FieldList } from "../protocol/message.ts";
import { describe } from "./require-option.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** What a body may become when it is decompressed, beside `bodyBytesMax`. What breaks such a limit is an error when it is read. */
export type DecompressionLimits = Omit<DecompressLimits, "bytesMax">;

/** What a client does with the bodies of responses. */
export interface ResponseBodyOptions {
  /**
   * Whether bodies are decompressed, by their `Content-Encoding`; that and `Content-Length` are not among the fields of the response then. `Accept-Encoding` names
   * what this runtime can decompress, unless it is given; without decompression it is not sent. Default `true`. A part of a representation (206) is given as it is, and what has a coding that is not known.
   *
   * Limits keep bombs away: bodies that grow more than 200 times, beyond 1 MiB, have more than 5 codings or more than 1,000 members. A server that may be trusted
   * with more is given more: `{ ratioMax: 5000 }`.
   */
  readonly decompress?: boolean | DecompressionLimits;
  /** Bytes that the body of a response may have, decompressed. More is an error when it is read. Default: `Infinity` for streams, 1 GiB for what is read as a whole. */
  readonly bodyBytesMax?: number;
}

/** What a client does with the body of a request. */
export interface RequestBodyOptions {
  /** Compresses the body, if there is one: at once if it is small, else while it is sent. Default: it is not. */
  readonly compress?: ContentCoding;
  /** Asks the server before the body is sent (RFC 9110 §10.1.1), and sends it after `timeouts.continueMs` without an answer. Without a body there is nothing to ask. Default `false`. */
  readonly expectContinue?: boolean;
  /** Fields to send behind the body, which is sent in chunks then, as headers, or names and values in turn. Called when the body has been sent. Without a body they are a `TypeError`. */
  readonly trailers?: () => HeadersSource | FieldList;
  /** Told after each piece of the body how many bytes of it have been taken, compressed if they are; and how many there are, if that is known. */
  readonly onUploadProgress?: (bytesSent: number, bytesTotal: number | undefined) => void;
  /** Told of each interim response: 100, 102, 103 (RFC 9110 §15.2). What it throws ends the request. */
  readonly onInformational?: (status: number, headers: Headers) => void;
}

/** @throws TypeError, RangeError for what is none. */
export function checkRequestBodyOptions(where: string, options: RequestBodyOptions): void {
  const { compress, expectContinue } = options;
  if (compress !== undefined && !CONTENT_CODINGS.includes(compress)) {
    throw new RangeError(
      `${where}({ compress }): got ${describe(compress)}, needs one of ${CONTENT_CODINGS.join(", ")}`,
    );
  }
  if (expectContinue !== undefined && typeof expectContinue !== "boolean") {
    throw new TypeError(
      `${where}({ expectContinue }): got ${describe(expectContinue)}, needs true or false`,
    );
  }
  for (const name of ["trailers", "onUploadProgress", "onInformational"] as const) {
    const given: unknown = options[name];
    if (given !== undefined && typeof given !== "function")
      throw new TypeError(`${where}({ ${name} }): got ${describe(given)}, needs a function`);
  }
}
