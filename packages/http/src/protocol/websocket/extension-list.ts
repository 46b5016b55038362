import { isToken, trimSpace } from "../characters.ts";
import { splitOutsideQuotes, unquoted } from "../quoted.ts";

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
  let elements = 0;
  for (const element of splitOutsideQuotes(value, ",")) {
    elements += 1;
    if (elements > PARTS_MAX) return null;
    // Empty elements mean nothing (RFC 9110 §5.6.1).
    if (trimSpace(element) === "") continue;
    const extension = parseExtension(element);
    if (extension === null) return null;
    extensions.push(extension);
  }
  return extensions;
}

function parseExtension(text: string): Extension | null {
  const [name = "", ...rest] = [...splitOutsideQuotes(text, ";")].map(trimSpace);
  if (!isToken(name) || rest.length > PARTS_MAX) return null;
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
  // A quoted value holds a token (RFC 6455 §9.1), which needs no escapes; those are resolved all the same.
  const value = unquoted(trimSpace(text.slice(equals + 1)));
  return isToken(value) ? [name.toLowerCase(), value] : null;
}
