/**
 * Which names and values of fields are taken from users: the rules of WHATWG Fetch, and beyond them no control character but the tab
 * (RFC 9110 §5.5), so that nothing can be injected into the head. What is refused here is never written.
 */
import { isToken, isValue, SPACE } from "../protocol/characters.ts";

const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;

/** A name as it is, if it is a token. @throws TypeError otherwise. */
export function requireFieldName(where: string, name: unknown): string {
  const text = String(name);
  if (isToken(text)) return text;
  throw new TypeError(
    `${where}: got the field name ${quote(text)}, needs a token: letters, digits and !#$%&'*+-.^_\`|~`,
  );
}

/** A value without the white space around it, if it holds nothing but visible characters of ISO 8859-1, spaces and tabs. @throws TypeError otherwise. */
export function requireFieldValue(where: string, name: string, value: unknown): string {
  const text = trimmed(typeof value === "string" ? value : String(value));
  if (isValue(text)) return text;
  throw new TypeError(
    `${where}: got ${quote(text)} as the value of ${name}, needs characters of ISO 8859-1 without control characters`,
  );
}

/** Looks at the ends only: nearly all values have nothing around them. */
function trimmed(text: string): string {
  const isPlain = text.charCodeAt(0) > SPACE && text.charCodeAt(text.length - 1) > SPACE;
  return isPlain ? text : text.replace(AROUND, "");
}

/** Short, and without anything that could break a line of a log. */
function quote(text: string): string {
  return JSON.stringify(
    text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}…` : text,
  );
}

/** As much of a wrong name or value as a message needs to be understood. */
const QUOTED_CHARACTERS_MAX = 80;
