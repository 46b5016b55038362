import type { FieldList } from "../../protocol/message.ts";
import { isName } from "../../web/field-names.ts";

/** Directives (RFC 9111 §5.2) by names in lower case: a number of seconds, or `true`. */
export type Directives = ReadonlyMap<string, number | true>;

/** Those whose value is a number of seconds. */
const SECONDS: ReadonlySet<string> = new Set([
  "max-age",
  "max-stale",
  "min-fresh",
  "stale-if-error",
  "stale-while-revalidate",
]);

/** Where a number is none, what is most careful. */
const UNREADABLE_SECONDS = 0;

const DIRECTIVE =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.)*)"|([^\t ,"]*)))?/g;

/**
 * The directives of `Cache-Control`. A number that is none, or comes twice and is not the same, is 0: RFC 9111 §4.2.1 wants such a response to be
 * taken for stale.
 */
export function cacheDirectives(fields: FieldList): Directives {
  const directives = new Map<string, number | true>();
  for (const match of (joinedField(fields, "cache-control") ?? "").matchAll(DIRECTIVE)) {
    const name = (match[1] as string).toLowerCase();
    const value = match[2] ?? match[3];
    const isBare = value === undefined && name === "max-stale";
    const said = SECONDS.has(name) && !isBare ? secondsOf(value ?? "") : true;
    const known = directives.get(name);
    directives.set(name, known === undefined || known === said ? said : UNREADABLE_SECONDS);
  }
  return directives;
}

function secondsOf(text: string): number {
  // More than 2^31 is as good as that: RFC 9111 §1.2.2.
  return /^[0-9]+$/.test(text) ? Math.min(Number(text), 2 ** 31) : UNREADABLE_SECONDS;
}

/** The values of all lines of a name, joined by `", "`; `null` if there is none. */
export function joinedField(fields: FieldList, lowerCaseName: string): string | null {
  let joined: string | null = null;
  for (let at = 0; at < fields.length; at += 2) {
    if (!isName(fields[at] as string, lowerCaseName)) continue;
    joined = joined === null ? (fields[at + 1] as string) : `${joined}, ${fields[at + 1]}`;
  }
  return joined;
}
