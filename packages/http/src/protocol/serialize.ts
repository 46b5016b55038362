import type { FieldList, HttpVersion } from "./message.ts";
import {
  requireFieldName,
  requireFieldValue,
  requireMethod,
  requireReason,
  requireStatus,
  requireTarget,
} from "./require-text.ts";

/**
 * Messages to text. Each character is one byte (ISO 8859-1). What is not allowed is refused before anything is written.
 */

/**
 * The head of a response, with the empty line.
 *
 * @param reason `REASONS[status]`, or any phrase; it may be empty.
 * @throws {TypeError} Something in it would not be a head: see `requireFieldName` and its like.
 *
 * @example
 * ```ts
 * import { REASONS, responseHead } from "@arborio/http/protocol";
 *
 * const head = responseHead("1.1", 404, REASONS[404] ?? "", ["content-length", "0"]);
 * console.assert(head === "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
 * ```
 */
export function responseHead(
  version: HttpVersion,
  status: number,
  reason: string,
  fields: FieldList,
): string {
  if (version !== "1.1" && version !== "1.0") {
    throw new TypeError(`version ${JSON.stringify(version)}: "1.1" or "1.0" was expected`);
  }
  return `HTTP/${version} ${requireStatus(status)} ${requireReason(reason)}\r\n${fieldLines(fields)}\r\n`;
}

/**
 * The head of an HTTP/1.1 request, with the empty line.
 *
 * @throws {TypeError} Something in it would not be a head: see `requireFieldName` and its like.
 */
export function requestHead(method: string, target: string, fields: FieldList): string {
  return `${requireMethod(method)} ${requireTarget(target)} HTTP/1.1\r\n${fieldLines(fields)}\r\n`;
}

/**
 * What stands before a chunk's data. {@link CHUNK_END} stands after it.
 *
 * @param bytes Its size; at least 1, since a chunk of 0 bytes would end the body.
 * @throws {RangeError} It is not an integer, or less than 1.
 */
export function chunkHead(bytes: number): string {
  if (!(Number.isSafeInteger(bytes) && bytes > 0)) {
    throw new RangeError(`chunkHead: ${bytes}: a number of bytes, at least 1, was expected`);
  }
  return `${bytes.toString(16)}\r\n`;
}

/** What stands behind the data of a chunk. */
export const CHUNK_END = "\r\n";

/**
 * The end of a chunked body, with its trailers.
 *
 * @throws {TypeError} A trailer cannot be written: see `requireFieldName` and `requireFieldValue`.
 *
 * @example A chunked body
 * ```ts
 * import { CHUNK_END, chunkHead, lastChunk } from "@arborio/http/protocol";
 *
 * const body = chunkHead(5) + "hello" + CHUNK_END + lastChunk(["x-sum", "1"]);
 * console.assert(body === "5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n");
 * ```
 */
export function lastChunk(trailers: FieldList): string {
  return `0\r\n${fieldLines(trailers)}\r\n`;
}

function fieldLines(fields: FieldList): string {
  if (fields.length % 2 !== 0) {
    throw new TypeError("fields: a name without a value: names and values in turn were expected");
  }
  let text = "";
  for (let at = 0; at < fields.length; at += 2) {
    const name = requireFieldName(fields[at] as string);
    text += `${name}: ${requireFieldValue(fields[at + 1] as string)}\r\n`;
  }
  return text;
}
