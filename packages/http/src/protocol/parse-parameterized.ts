import { TOKEN_PATTERN, trimSpace } from "./characters.ts";

/** A value with parameters, as of `Content-Type` (RFC 9110 §8.3.1) and `Content-Disposition` (RFC 6266 §4.1). */
export interface ParameterizedValue {
  /** What comes before the parameters, in lower case: `"text/html"`. */
  readonly value: string;
  /** By names in lower case; the first of each name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * `;`, then a name, `=`, and a token or a quoted string in which `\"` and `\\` are escapes. Sticky: nothing is skipped. Wider than other
 * grammars: all of Unicode, since parts of forms have it.
 */
const PARAMETER = new RegExp(
  `[\\t ]*;[\\t ]*(?:(${TOKEN_PATTERN})=(?:"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"|([^\\t ;"]*)))?`,
  "uy",
);

/** Takes it apart; `null` if it breaks the grammar. */
export function parseParameterized(text: string): ParameterizedValue | null {
  const end = text.indexOf(";");
  const value = trimSpace(end === -1 ? text : text.slice(0, end)).toLowerCase();
  const parameters = new Map<string, string>();
  let at = end === -1 ? text.length : end;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) return trimSpace(text.slice(at)) === "" ? { value, parameters } : null;
    at = PARAMETER.lastIndex;
    const [, name, quoted, token] = match;
    if (name === undefined) continue;
    const key = name.toLowerCase();
    // Only what has to be escaped: file names of Windows hold backslashes that mean themselves.
    const given = quoted === undefined ? (token as string) : quoted.replace(/\\(["\\])/g, "$1");
    if (!parameters.has(key)) parameters.set(key, given);
  }
  return { value, parameters };
}
