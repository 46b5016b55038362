/**
 * What a client prefers, read from `Accept`, `Accept-Encoding` and `Accept-Language` (RFC 9110 §12.4.2, §12.5). ASCII grammar, to
 * the letter: a member that breaks it is passed over, the others count. Never by searching for a substring: `gzip` is not in
 * `notgzip`, and `gzip;q=0` forbids it.
 */

import { isToken, TOKEN_PATTERN, trimSpace } from "../protocol/characters.ts";
import { QUOTED_PATTERN, splitOutsideQuotes, unquoted } from "../protocol/quoted.ts";

/** One thing that a client would take. */
export interface Preference {
  /** In lower case: `"text/html"`, `"text/*"`, `"gzip"`, `"*"`, `"de-at"`. */
  readonly value: string;
  /** Parameters other than the weight, in turn: names in lower case, values unquoted. Those behind the weight are left out. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** How much it is wanted, 0 to 1 in thousandths; 0: not at all. */
  readonly quality: number;
}

/** Members that are looked at; what follows is passed over. No browser sends more than a dozen. */
const MEMBERS_MAX = 64;

const MEDIA_RANGE = new RegExp(`^${TOKEN_PATTERN}/${TOKEN_PATTERN}$`);
/** RFC 4647 §2.1. */
const LANGUAGE_RANGE = /^(?:\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)$/;
const QUALITY = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;

/** Text between separators, in which a quoted string may hide them; empty ones too. */
const PARAMETER = new RegExp(
  `^[ \\t]*(${TOKEN_PATTERN})=(${TOKEN_PATTERN}|${QUOTED_PATTERN})[ \\t]*$`,
);

/** The media ranges of `Accept` (RFC 9110 §12.5.1), in the order of the field; none if it is absent. */
export function parseAccept(field: string | null): Preference[] {
  return parsePreferences(field, (value) => {
    if (!MEDIA_RANGE.test(value)) return false;
    return !value.startsWith("*") || value === "*/*";
  });
}

/** The codings of `Accept-Encoding` (RFC 9110 §12.5.3), in the order of the field; none if it is absent or empty. */
export function parseAcceptEncoding(field: string | null): Preference[] {
  return parsePreferences(field, isToken);
}

/** The language ranges of `Accept-Language` (RFC 9110 §12.5.4), in the order of the field; none if it is absent. */
export function parseAcceptLanguage(field: string | null): Preference[] {
  return parsePreferences(field, (value) => LANGUAGE_RANGE.test(value));
}

function parsePreferences(field: string | null, isValue: (value: string) => boolean): Preference[] {
  const preferences: Preference[] = [];
  if (field === null) return preferences;
  let members = 0;
  for (const member of splitOutsideQuotes(field, ",")) {
    if (trimSpace(member) === "") continue;
    members += 1;
    if (members > MEMBERS_MAX) break;
    const preference = parseMember(member, isValue);
    if (preference !== null) preferences.push(preference);
  }
  return preferences;
}

function parseMember(member: string, isValue: (value: string) => boolean): Preference | null {
  const [first = "", ...rest] = splitOutsideQuotes(member, ";");
  const value = trimSpace(first);
  if (!isValue(value)) return null;
  const parameters: [string, string][] = [];
  let quality: number | null = null;
  for (const text of rest) {
    // An empty one is no parameter, and allowed (RFC 9110 §5.6.6).
    if (trimSpace(text) === "") continue;
    const match = PARAMETER.exec(text);
    if (match === null) return null;
    const name = (match[1] as string).toLowerCase();
    const given = match[2] as string;
    if (quality !== null) continue;
    if (name !== "q") parameters.push([name, unquoted(given)]);
    else if (QUALITY.test(given)) quality = Number(given);
    else return null;
  }
  return { value: value.toLowerCase(), parameters, quality: quality ?? 1 };
}
