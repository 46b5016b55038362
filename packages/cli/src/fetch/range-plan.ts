/**
 * Whether a download goes on where the last attempt ended, decided from what is left of it and from what the server says (RFC 9110,
 * sections 13.1.5 and 14). A part is only ever completed by bytes of the same version: the request carries the strong validator of the
 * part in `If-Range`, and what comes back must agree with it. Anything else begins anew.
 */
import { type ContentRange, parseContentRange, parseHttpDate } from "@arborio/http/protocol";

/** What is known of the version that a part belongs to. */
export interface Version {
  /** A strong entity tag, or a date of last modification that is as good as one; `null`: none, so no part of it can be completed. */
  readonly validator: string | null;
  /** Bytes of the whole; `null` if the server did not say. */
  readonly totalBytes: number | null;
}

/** What lies on the disk. */
export interface Part {
  readonly version: Version;
  readonly sizeBytes: number;
}

/** What to do with a response. */
export type RangeDecision =
  /** Its body goes behind what is there, from this place on. */
  | { readonly kind: "append"; readonly offsetBytes: number; readonly version: Version }
  /** Its body is the whole: what is there is dropped. */
  | { readonly kind: "whole"; readonly version: Version }
  /** What is there is the whole already. */
  | { readonly kind: "complete" }
  /** It is of no use: ask again, for the whole. */
  | { readonly kind: "again" }
  /** The server says no. */
  | { readonly kind: "refused"; readonly status: number };

/** A date counts as a strong validator if the response is at least so much younger: what changed twice in one second would share it. */
const STRONG_DATE_MS = 1_000;

/** The fields that ask for the rest of a part; none if it cannot be completed. */
export function rangeFields(part: Part | null): Record<string, string> {
  if (part === null || part.version.validator === null || part.sizeBytes === 0) return {};
  return { range: `bytes=${part.sizeBytes}-`, "if-range": part.version.validator };
}

/** Decides what a response is, to a request that had the `rangeFields` of `part`. */
export function decideRange(
  part: Part | null,
  { status, headers }: Pick<Response, "status" | "headers">,
): RangeDecision {
  const asked = "range" in rangeFields(part) ? part : null;
  if (status === 200) return { kind: "whole", version: versionOf(headers) };
  if (asked === null) return { kind: "refused", status };
  const range = parseContentRange(headers.get("content-range") ?? "");
  if (status === 206) return decidePartial(asked, range, headers);
  if (status === 416) {
    // The range begins behind the end: there may be nothing left to get.
    const isWhole = range?.size === asked.sizeBytes && agrees(asked.version, headers, range);
    return isWhole ? { kind: "complete" } : { kind: "again" };
  }
  return { kind: "refused", status };
}

function decidePartial(part: Part, range: ContentRange | null, headers: Headers): RangeDecision {
  if (range?.range?.start !== part.sizeBytes || !agrees(part.version, headers, range))
    return { kind: "again" };
  const totalBytes = range.size ?? part.version.totalBytes;
  return {
    kind: "append",
    offsetBytes: part.sizeBytes,
    version: { validator: part.version.validator, totalBytes },
  };
}

/**
 * Whether a response is about the same version. A server that ignores `If-Range` is caught here, so what is missing counts as a no: a 206 has
 * to repeat the entity tag (RFC 9110, section 15.3.7), and only the date may be left out, where the length must tell.
 */
function agrees(part: Version, headers: Headers, { size }: ContentRange): boolean {
  const { validator, totalBytes } = part;
  if (totalBytes !== null && size !== null && totalBytes !== size) return false;
  if (validator?.startsWith('"') === true) return headers.get("etag") === validator;
  const modified = headers.get("last-modified");
  return modified === null ? totalBytes !== null && totalBytes === size : modified === validator;
}

/** What a response says of the version that it is. */
export function versionOf(headers: Headers): Version {
  const length = headers.get("content-length");
  return {
    validator: strongValidator(headers),
    totalBytes: length !== null && /^\d+$/.test(length) ? Number(length) : null,
  };
}

/** What proves that two responses are of the same bytes (RFC 9110, section 8.8): `null` if there is nothing. */
export function strongValidator(headers: Headers): string | null {
  const tag = headers.get("etag");
  if (tag !== null && /^"[\x21\x23-\x7e]*"$/.test(tag)) return tag;
  const modified = headers.get("last-modified");
  const [modifiedAt, sentAt] = [
    parseHttpDate(modified ?? ""),
    parseHttpDate(headers.get("date") ?? ""),
  ];
  if (modified === null || modifiedAt === null || sentAt === null) return null;
  return sentAt - modifiedAt >= STRONG_DATE_MS ? modified : null;
}
