import { TOKEN_PATTERN, trimSpace } from "./characters.ts";

/** A value with parameters, as of `Content-Type` (RFC 9110 §8.3.1) and `Content-Disposition` (RFC 6266 §4.1). */
export interface ParameterizedValue {
  /** What comes before the parameters, in lower case: `"text/html"`. */
  readonly value: string;
  /** By names in lower case; the first of each name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * How parameters are written: `strict` as RFC 9110 has it (§5.6.6), but `\"` and `\\` are the only escapes in quotes; `spaced` with white
 * space around `=`, as in an example of RFC 6266 (§5); `unescaped`, as browsers write forms: a backslash means itself.
 */
export type ParameterGrammar = "strict" | "spaced" | "unescaped";

const ESCAPED = '"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"';
const PATTERNS: Readonly<Record<ParameterGrammar, RegExp>> = {
  strict: parameterPattern("=", ESCAPED),
  spaced: parameterPattern("[\\t ]*=[\\t ]*", ESCAPED),
  unescaped: parameterPattern("=", '"([^"]*)"'),
};

/** Takes it apart; `null` if it breaks the grammar. */
export function parseParameterized(
  text: string,
  grammar: ParameterGrammar = "strict",
): ParameterizedValue | null {
  const pattern = PATTERNS[grammar];
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
    const given = quoted === undefined ? (token as string) : resolved(quoted, grammar);
    if (!parameters.has(key)) parameters.set(key, given);
  }
  return { value, parameters };
}

/** Only what has to be escaped: file names of Windows hold backslashes that mean themselves. */
function resolved(quoted: string, grammar: ParameterGrammar): string {
  return grammar === "unescaped" ? quoted : quoted.replace(/\\(["\\])/g, "$1");
}

/**
 * `;`, then a name, `=`, and a token or a quoted string. Sticky: nothing is skipped. Wider than other grammars: all of Unicode, since
 * parts of forms have it.
 */
function parameterPattern(equals: string, quoted: string): RegExp {
  return new RegExp(
    `[\\t ]*;[\\t ]*(?:(${TOKEN_PATTERN})${equals}(?:${quoted}|([^\\t ;"]*)))?`,
    "uy",
  );
}
