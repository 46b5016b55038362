/** A value with parameters, as of `Content-Type` (RFC 9110 §8.3.1) and `Content-Disposition` (RFC 6266 §4.1). */
export interface ParameterizedValue {
  /** What comes before the parameters, in lower case: `"text/html"`. */
  readonly value: string;
  /** By names in lower case; the first of each name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** `;`, then a name, `=`, and a token or a quoted string in which `\"` and `\\` are escapes. Sticky: nothing is skipped. */
const PARAMETER =
  /[\t ]*;[\t ]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\t ;"]*)))?/uy;

/** Takes it apart; `null` if it breaks the grammar. */
export function parseParameterized(text: string): ParameterizedValue | null {
  const end = text.indexOf(";");
  const value = (end === -1 ? text : text.slice(0, end)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  let at = end === -1 ? text.length : end;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) return text.slice(at).trim() === "" ? { value, parameters } : null;
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
