import type { FieldList, ResponseHead } from "../protocol/message.ts";
import { isName } from "../web/field-names.ts";
import { lengthOf, type Payload } from "../web/payload.ts";
import type { ResponseParts } from "../web/response-parts.ts";
import { fieldsWithout } from "./request-fields.ts";

/** Fields for the one client that a message was sent to (RFC 9110 §7.6.1, §11.7.1). */
const HOP_FIELDS: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** A response that came, as one to be sent: without what was for its receiver alone. */
export function passedOn(
  { status, reason, fields }: ResponseHead,
  payload: Payload,
  trailers: (() => FieldList) | undefined,
): ResponseParts {
  const names = new Set(HOP_FIELDS);
  for (let at = 0; at < fields.length; at += 2) {
    if (!isName(fields[at] as string, "connection")) continue;
    for (const named of (fields[at + 1] as string).split(","))
      names.add(named.trim().toLowerCase());
  }
  const payloadBytes = lengthOf(payload);
  return {
    status,
    statusText: reason,
    fields: fieldsWithout(fields, names),
    payload,
    payloadBytes,
    // They come behind chunks alone.
    trailers: payloadBytes === undefined && payload !== null ? (trailers ?? null) : null,
  };
}
