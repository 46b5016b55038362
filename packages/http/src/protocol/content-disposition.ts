import { isToken } from "./characters.ts";
import { decodeExtendedValue } from "./extended-value.ts";
import { parseParameterized } from "./parse-parameterized.ts";
import { safeFileName } from "./safe-file-name.ts";

/** How a response wants to be taken: RFC 6266. */
export interface ContentDisposition {
  /** In lower case: `"attachment"`: to be stored; `"inline"`: to be shown. What is not known is to be taken for `"attachment"`. */
  readonly type: string;
  /** A name for a file in a folder of ours, made harmless by `safeFileName`; `null` if there is none. */
  readonly fileName: string | null;
  /** All parameters, as they were sent, by names in lower case. A name of a file there may be a path, or anything. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads `Content-Disposition` of a response.
 *
 * The name is what `filename*` says (RFC 8187), and where that is missing or malformed what `filename` says: in UTF-8 if it is that,
 * as servers send it, else in ISO 8859-1.
 *
 * @param value One character for each byte, as `Headers` has it.
 * @returns `null` if it breaks the grammar.
 *
 * @example
 * ```ts
 * import { parseContentDisposition } from "@arborio/http/protocol";
 *
 * const field = "attachment; filename=\"EURO rates\"; filename*=utf-8''%e2%82%ac%20rates";
 * console.assert(parseContentDisposition(field)?.fileName === "€ rates");
 * console.assert(parseContentDisposition('attachment; filename="/etc/passwd"')?.fileName === "passwd");
 * ```
 */
export function parseContentDisposition(value: string): ContentDisposition | null {
  const parsed = parseParameterized(value, "spaced");
  if (parsed === null || !isToken(parsed.value)) return null;
  const { value: type, parameters } = parsed;
  const extended = parameters.get("filename*");
  const plain = parameters.get("filename");
  const name =
    (extended === undefined ? null : decodeExtendedValue(extended)) ??
    (plain === undefined ? null : decodedBytes(plain));
  return { type, fileName: name === null ? null : safeFileName(name), parameters };
}

/** Text whose characters are bytes, as the text that those are. */
function decodedBytes(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\0-\xff]/.test(text)) return text;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8: ISO 8859-1, which it is already.
    return text;
  }
}
