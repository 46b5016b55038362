/**
 * Quoted strings (RFC 9110 §5.6.4), the one place that knows how they begin, end and escape. Where text of a peer or a user stands in
 * quotes, an escape that is missed lets it break out, and say more than it may.
 */
import { forbiddenInValue } from "./characters.ts";

/** A quoted string, as a part of regular expressions without the flag `u`; it has no groups, and takes linear time also where it fails. */
export const QUOTED_PATTERN =
  '"[\\t !#-\\[\\]-~\\x80-\\xff]*(?:\\\\[\\t -~\\x80-\\xff][\\t !#-\\[\\]-~\\x80-\\xff]*)*"';

const WHOLE = new RegExp(`^${QUOTED_PATTERN}$`);

/**
 * Writes a text as a quoted string: `"` and `\` are escaped.
 *
 * @throws TypeError if it holds control characters besides the tab, or characters above 0xFF. The text is not shown: it may be secret.
 */
export function quoted(text: string): string {
  const bad = forbiddenInValue(text);
  if (bad >= 0) {
    const code = text.charCodeAt(bad).toString(16).toUpperCase().padStart(2, "0");
    throw new TypeError(
      `quoted string: character 0x${code} at ${bad}: no control characters and none above 0xFF were expected`,
    );
  }
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** What a quoted string says, its escapes resolved; any other text as it is. */
export function unquoted(text: string): string {
  return WHOLE.test(text) ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text;
}

/** The texts between separators that are not in a quoted string, empty ones too. A quote that is not closed hides the rest. */
export function* splitOutsideQuotes(text: string, separator: "," | ";"): Generator<string> {
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isQuoted && character === "\\") at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === separator) {
      yield text.slice(start, at);
      start = at + 1;
    }
  }
  yield text.slice(start);
}
