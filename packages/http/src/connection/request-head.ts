import { lengthOfNothing } from "./length-of-nothing.ts";
import type { OutgoingRequest } from "./outgoing-request.ts";
import type { OutgoingFraming } from "./response-head.ts";
import { utf8Length, type WireOutlet } from "./wire-outlet.ts";

/** Bodies up to so many bytes are joined with their head in one write; larger ones are sent beside the wait for the response. */
const JOINED_BYTES_MAX = 8192;

/**
 * Adds the head of a request to what goes out, and its body if that is small and here.
 *
 * @returns how the body is framed that is still to be sent; `null`: there is none.
 */
export function addRequestHead(
  outlet: WireOutlet,
  request: OutgoingRequest,
): OutgoingFraming | null {
  const { method, target, fieldText, payload } = request;
  const line = `${method} ${target} HTTP/1.1\r\n${fieldText}`;
  if (payload === null) {
    outlet.addLatin1(`${line}${lengthOfNothing(method)}\r\n`);
    return null;
  }
  const bytes = bytesOf(request);
  if (isJoined(request, bytes)) {
    outlet.addLatin1(`${line}content-length: ${bytes}\r\n\r\n`);
    if (typeof payload === "string") outlet.addUtf8(payload, bytes as number);
    else outlet.addBytes(payload as Uint8Array);
    return null;
  }
  const framing: OutgoingFraming = isChunked(request, bytes) ? "chunked" : (bytes as number);
  const length = framing === "chunked" ? "transfer-encoding: chunked" : `content-length: ${bytes}`;
  const expect = request.expectsContinue ? "expect: 100-continue\r\n" : "";
  outlet.addLatin1(`${line}${length}\r\n${expect}\r\n`);
  return framing;
}

function bytesOf({ payload, payloadBytes }: OutgoingRequest): number | undefined {
  if (typeof payload === "string") return utf8Length(payload);
  return payload instanceof Uint8Array ? payload.length : payloadBytes;
}

function isJoined(request: OutgoingRequest, bytes: number | undefined): boolean {
  const { payload, expectsContinue, onSent } = request;
  if (!(typeof payload === "string" || payload instanceof Uint8Array)) return false;
  const isSmall = bytes !== undefined && bytes <= JOINED_BYTES_MAX;
  return isSmall && !expectsContinue && onSent === null && !isChunked(request, bytes);
}

function isChunked({ trailers }: OutgoingRequest, bytes: number | undefined): boolean {
  return bytes === undefined || trailers !== null;
}
