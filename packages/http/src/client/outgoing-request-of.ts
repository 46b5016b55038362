import type { OnInterim } from "../connection/client-core.ts";
import type { OutgoingRequest } from "../connection/outgoing-request.ts";
import { isForwarded, type Route } from "../dial/route.ts";
import { requireMethod, requireTarget } from "../protocol/require-text.ts";
import { FieldHeaders } from "../web/field-headers.ts";
import { fieldsFrom, pairsOf } from "../web/fields-from.ts";
import type { ClientTimeouts, FetchOptions } from "./client-options.ts";
import type { ClientRequest } from "./client-request.ts";
import { compressedContent } from "./compressed-content.ts";
import type { FieldTexts } from "./field-texts.ts";
import type { ResponseBodies } from "./response-bodies.ts";

/** A request as a connection sends it. @throws TypeError if something of it cannot be sent. */
export function outgoingRequestOf(
  request: ClientRequest,
  route: Route,
  timeouts: ClientTimeouts,
  { bodyBytesMax }: ResponseBodies,
  texts: FieldTexts,
): OutgoingRequest {
  const { method, target, options, fields } = request;
  const { upgrade = "", compress, expectContinue = false, trailers } = options;
  let { payload, payloadBytes } = request;
  let text = texts.of(request, route, upgrade);
  if (compress !== undefined && payload !== null) {
    payload = compressedContent(payload, compress, fields);
    payloadBytes = undefined;
    text += `content-encoding: ${compress}\r\n`;
  }
  // A text would be one piece, of a length that nobody has counted.
  if (options.onUploadProgress !== undefined && typeof payload === "string")
    payload = new TextEncoder().encode(payload);
  const total = payload instanceof Uint8Array ? payload.length : payloadBytes;
  return {
    url: target.href,
    method: requireMethod(method),
    target: requireTarget(isForwarded(route) ? target.href : target.target),
    fieldText: text,
    payload,
    payloadBytes,
    trailers:
      trailers === undefined ? null : () => fieldsFrom("fetch({ trailers })", pairsOf(trailers())),
    expectsContinue: expectContinue,
    upgrade,
    bodyBytesMax,
    signal: options.signal ?? null,
    timeouts,
    onInterim: interimOf(options),
    onSent: progressOf(options, total),
  };
}

function interimOf({ onInformational }: FetchOptions): OnInterim | null {
  if (onInformational === undefined) return null;
  return ({ status, fields }) => onInformational(status, new FieldHeaders(fields, true));
}

function progressOf(
  { onUploadProgress }: FetchOptions,
  total: number | undefined,
): ((bytesSent: number) => void) | null {
  if (onUploadProgress === undefined) return null;
  return (bytesSent) => onUploadProgress(bytesSent, total);
}
