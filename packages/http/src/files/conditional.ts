/** Conditional requests (RFC 9110 §13), decided purely. */
import { parseHttpDate } from "../protocol/http-date.ts";
import { isEntityTag, matchesStrongly, matchesWeakly, parseEntityTags } from "../web/entity-tag.ts";

/** What is known of the state of what was asked for. */
export interface Validators {
  /** Its entity tag as it is sent: `"…"`, or `W/"…"`. */
  readonly etag?: string | undefined;
  /** When it was last changed, in milliseconds since 1970; only whole seconds are compared, since no more is ever sent. */
  readonly lastModifiedMs?: number | undefined;
}

/** What a decision needs of a request. */
export interface ConditionalRequest {
  /** `GET` and `HEAD` can be answered by 304, others by 412. */
  readonly method: string;
  /** Where the conditions stand. */
  readonly headers: Pick<Headers, "get">;
}

/** What is to be answered: what was asked for, or one of these statuses instead. */
export type Precondition = "proceed" | 304 | 412;

/**
 * Evaluates `If-Match`, `If-None-Match`, `If-Modified-Since` and `If-Unmodified-Since`, in the order and with the precedence of RFC
 * 9110 §13.2.2, for something that exists. To be asked only if the answer without them would be a success.
 *
 * Dates that are none are ignored. In lists of tags what breaks the grammar is not there: an `If-Match` of rubbish matches nothing
 * (412, so that nothing is done that was not wanted), an `If-None-Match` of rubbish neither (the whole answer).
 *
 * @returns `"proceed"`; 304 (GET and HEAD only): the client has it; 412: it is in another state than the client thinks.
 *
 * @example
 * ```ts
 * import { evaluatePreconditions } from "@arborio/http";
 *
 * const request = new Request("http://localhost/", { headers: { "if-none-match": '"v1"' } });
 * console.assert(evaluatePreconditions(request, { etag: '"v1"' }) === 304);
 * console.assert(evaluatePreconditions(request, { etag: '"v2"' }) === "proceed");
 * ```
 */
export function evaluatePreconditions(
  request: ConditionalRequest,
  validators: Validators,
): Precondition {
  const { method, headers } = request;
  const ifMatch = headers.get("if-match");
  if (ifMatch !== null) {
    if (!isListed(ifMatch, validators.etag, matchesStrongly)) return 412;
  } else if (isChangedSince(headers.get("if-unmodified-since"), validators) === true) {
    return 412;
  }
  const reads = method === "GET" || method === "HEAD";
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    if (!isListed(ifNoneMatch, validators.etag, matchesWeakly)) return "proceed";
    return reads ? 304 : 412;
  }
  if (reads && isChangedSince(headers.get("if-modified-since"), validators) === false) return 304;
  return "proceed";
}

/**
 * Whether a `Range` is to be honoured, as `If-Range` says (RFC 9110 §13.1.5): without one always; with an entity tag, if it is the
 * strong one of the present state; with a date, if it is exactly the time of the last change. With anything else not: then the
 * client gets the whole, which is never wrong.
 *
 * @param field the value of `If-Range`, `null` if there is none.
 */
export function evaluateIfRange(field: string | null, validators: Validators): boolean {
  if (field === null) return true;
  if (isEntityTag(field))
    return validators.etag !== undefined && matchesStrongly(field, validators.etag);
  const date = parseHttpDate(field);
  return date !== null && date === secondOf(validators.lastModifiedMs);
}

/** Whether a list has the tag, or is `*`: anything that exists. */
function isListed(
  field: string,
  etag: string | undefined,
  matches: (a: string, b: string) => boolean,
): boolean {
  if (field === "*") return true;
  return etag !== undefined && parseEntityTags(field).some((tag) => matches(tag, etag));
}

/** Whether it was changed after a date; `undefined` if one of the two is not known. */
function isChangedSince(field: string | null, { lastModifiedMs }: Validators): boolean | undefined {
  const date = field === null ? null : parseHttpDate(field);
  const changed = secondOf(lastModifiedMs);
  return date === null || changed === undefined ? undefined : changed > date;
}

function secondOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000) * 1000;
}
