import { TOKEN_PATTERN, trimSpace } from "./characters.ts";

/** A value with parameters, as of `Content-Type` (RFC 9110 §8.3.1) and `Content-Disposition` (RFC 6266 §4.1). */
export interface ParameterizedValue {
  /** What comes before the parameters, in lower case: `"text/html"`. */
  readonly value: string;
  /** By names in lower case; the first of each name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** How much of what is not in the grammar is taken. */
export interface ParameterizedOptions {
  /** Whether white space may stand around `=`, as in an example of RFC 6266 (§5), and against RFC 9110 (§5.6.6). Default `false`. */
  readonly spaceAroundEquals?: boolean;
}

const STRICT = parameterPattern("=");
const LENIENT = parameterPattern("[\\t ]*=[\\t ]*");

/** Takes it apart; `null` if it breaks the grammar. */
export function parseParameterized(
  text: string,
  options: ParameterizedOptions = {},
): ParameterizedValue | null {
  const pattern = options.spaceAroundEquals === true ? LENIENT : STRICT;
  const end = text.indexOf(";");
  const value = trimSpace(end === -1 ? text : text.slice(0, end)).toLowerCase();
  const parameters = new Map<string, string>();
  let at = end === -1 ? text.length : end;
  while (at < text.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return trimSpace(text.slice(at)) === "" ? { value, parameters } : null;
    at = pattern.lastIndex;
    const [, name, quoted, token] = match;
    if (name === undefined) continue;
    const key = name.toLowerCase();
    // Only what has to be escaped: file names of Windows hold backslashes that mean themselves.
    const given = quoted === undefined ? (token as string) : quoted.replace(/\\(["\\])/g, "$1");
    if (!parameters.has(key)) parameters.set(key, given);
  }
  return { value, parameters };
}

/**
 * `;`, then a name, `=`, and a token or a quoted string in which `\"` and `\\` are escapes. Sticky: nothing is skipped. Wider than other
 * grammars: all of Unicode, since parts of forms have it.
 */
function parameterPattern(equals: string): RegExp {
  const quoted = '"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"';
  return new RegExp(
    `[\\t ]*;[\\t ]*(?:(${TOKEN_PATTERN})${equals}(?:${quoted}|([^\\t ;"]*)))?`,
    "uy",
  );
}
