import { isToken, trimSpace } from "../characters.ts";

/** One extension of `Sec-WebSocket-Extensions`, with its parameters in their order (RFC 6455 §9.1). */
export interface Extension {
  readonly name: string;
  /** Name and value; `null` without a value. */
  readonly parameters: readonly (readonly [name: string, value: string | null])[];
}

/** Extensions in one field, and parameters of one: more is not read. */
const PARTS_MAX = 32;

/** The extensions that a field lists; `null` if it is not such a list. Names are in lower case. */
export function parseExtensions(value: string): Extension[] | null {
  const extensions: Extension[] = [];
  const elements = splitOutsideQuotes(value, ",");
  if (elements === null) return null;
  for (const element of elements) {
    // Empty elements mean nothing (RFC 9110 §5.6.1).
    if (trimSpace(element) === "") continue;
    const extension = parseExtension(element);
    if (extension === null) return null;
    extensions.push(extension);
  }
  return extensions;
}

function parseExtension(text: string): Extension | null {
  const parts = splitOutsideQuotes(text, ";");
  if (parts === null) return null;
  const [name = "", ...rest] = parts.map(trimSpace);
  if (!isToken(name)) return null;
  const parameters: [string, string | null][] = [];
  for (const part of rest) {
    const parameter = parseParameter(part);
    if (parameter === null) return null;
    parameters.push(parameter);
  }
  return { name: name.toLowerCase(), parameters };
}

function parseParameter(text: string): [string, string | null] | null {
  const equals = text.indexOf("=");
  const name = trimSpace(equals < 0 ? text : text.slice(0, equals));
  if (!isToken(name)) return null;
  if (equals < 0) return [name.toLowerCase(), null];
  const value = unquoted(trimSpace(text.slice(equals + 1)));
  return isToken(value) ? [name.toLowerCase(), value] : null;
}

/** A quoted value holds a token (RFC 6455 §9.1), which needs no escapes; those are resolved all the same. */
function unquoted(value: string): string {
  if (!(value.length >= 2 && value.startsWith('"') && value.endsWith('"'))) return value;
  return value.slice(1, -1).replaceAll(/\\(.)/g, "$1");
}

/** `null` if a quote is not closed, or there are too many parts. */
function splitOutsideQuotes(text: string, separator: string): string[] | null {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isQuoted && character === "\\") at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
      if (parts.length > PARTS_MAX) return null;
    }
  }
  parts.push(text.slice(start));
  return isQuoted ? null : parts;
}
