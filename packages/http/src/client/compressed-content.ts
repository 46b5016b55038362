import { compressNowait, createCompressor } from "arborio/lowlevel";
import { fromIterable } from "arborio/streams";
import { compressedBody } from "../negotiation/compressed-body.ts";
import { compressingProducer } from "../negotiation/compressing-producer.ts";
import type { ContentCoding } from "../negotiation/content-coding.ts";
import type { FieldList } from "../protocol/message.ts";
import { firstField } from "../web/field-names.ts";
import type { Payload } from "../web/payload.ts";

/** Bodies up to so many bytes are compressed at once: quicker than by a thread, and at most a few milliseconds. */
const AT_ONCE_BYTES = 65_536;

const encoder = new TextEncoder();

/**
 * The body of a request, compressed: at once if it is small, else while it is sent.
 *
 * @throws TypeError if it has a coding already.
 * @throws NotSupportedError if this runtime lacks it.
 */
export function compressedContent(
  payload: Exclude<Payload, null>,
  coding: ContentCoding,
  fields: FieldList,
): Exclude<Payload, null> {
  if (firstField(fields, "content-encoding") !== null)
    throw new TypeError("fetch({ compress }): got a Content-Encoding besides, needs one of them");
  if (typeof payload === "function") return compressingProducer(payload, coding, {});
  if (typeof payload !== "string" && !(payload instanceof Uint8Array))
    return compressedBody(payload, () => createCompressor(coding));
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  if (bytes.length <= AT_ONCE_BYTES) return compressNowait(coding, bytes);
  return compressedBody(fromIterable(chunksOf(bytes)), () => createCompressor(coding));
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += AT_ONCE_BYTES)
    yield bytes.subarray(at, at + AT_ONCE_BYTES);
}
