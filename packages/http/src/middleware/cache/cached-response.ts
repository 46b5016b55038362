import { ClientResponse } from "../../client/client-response.ts";
import type { ClientRequest } from "../../client/client-request.ts";
import type { FieldList, ResponseHead } from "../../protocol/message.ts";
import { isName } from "../../web/field-names.ts";
import { fieldsWithout } from "../../client/request-fields.ts";
import { joinedField } from "./cache-control.ts";
import { type CacheOutcome, withOutcome } from "./cache-outcome.ts";
import type { CachedResponse } from "./cache-store.ts";
import { CachePolicy } from "./cache-policy.ts";

/** Fields that are not kept: those of a connection (RFC 9111 §3.1), and cookies, which the jar has taken and which are not to be set again later. */
const UNKEPT: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Fields of a 304 that tell nothing of the response that is kept: RFC 9111 §3.2. */
const UNMERGED: readonly string[] = [
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
];

const AGE: ReadonlySet<string> = new Set(["age"]);

/** The fields of a response that may be kept. */
export function keptFields(fields: FieldList): FieldList {
  const named = (joinedField(fields, "connection") ?? "").toLowerCase().match(/[^\t ,]+/g) ?? [];
  return fieldsWithout(fields, new Set([...UNKEPT, ...named]));
}

/** A response with the fields of the 304 that says that it still holds, in the place of its own: RFC 9111 §4.3.4. */
export function mergedResponse(
  stored: CachedResponse,
  { fields }: ResponseHead,
  requestedAt: number,
): CachedResponse {
  const news = fieldsWithout(keptFields(fields), new Set(UNMERGED));
  const names = new Set(
    news.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()),
  );
  // How old it was on the way to here means nothing any more.
  names.add("age");
  return { ...stored, fields: [...fieldsWithout(stored.fields, names), ...news], requestedAt };
}

/** Whether a 304 is about this response: what it says to be its entity tag is so (RFC 9111 §4.3.4). */
export function isAbout(stored: CachedResponse, { fields }: ResponseHead): boolean {
  const said = tagOf(fields);
  return said === null || said === tagOf(stored.fields);
}

function tagOf(fields: FieldList): string | null {
  return joinedField(fields, "etag")?.replace(/^W\//, "") ?? null;
}

/** What is given for a response that is kept. */
export function responseOf(
  stored: CachedResponse,
  request: ClientRequest,
  outcome: CacheOutcome,
): ClientResponse {
  const age = Math.max(0, Math.floor(new CachePolicy(stored).ageSeconds));
  const fields = [...fieldsWithout(stored.fields, AGE), "age", String(age)];
  const isHead = request.method === "HEAD";
  return new ClientResponse({
    head: {
      version: stored.version,
      status: stored.status,
      reason: stored.reason,
      fields: withOutcome(fields, outcome),
      framing: isHead ? 0 : stored.bytes.length,
      keepAlive: true,
    },
    request,
    // Who gets it may change it.
    payload: isHead || hasNoBody(stored.status) ? null : stored.bytes.slice(),
  });
}

function hasNoBody(status: number): boolean {
  return status === 204;
}

/** The answer to `only-if-cached` where there is nothing: RFC 9111 §5.2.1.7. */
export function notCached(request: ClientRequest): ClientResponse {
  return new ClientResponse({
    head: {
      version: "1.1",
      status: 504,
      reason: "Gateway Timeout",
      fields: ["content-length", "0", "cache-status", "arborio; detail=only-if-cached"],
      framing: 0,
      keepAlive: true,
    },
    request,
    payload: null,
  });
}

/** Whether the body is there without codings: what has them may not be given to who asks for none. */
export function isPlain(fields: FieldList): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    if (!isName(fields[at] as string, "content-encoding")) continue;
    if ((fields[at + 1] as string).toLowerCase() !== "identity") return false;
  }
  return true;
}
