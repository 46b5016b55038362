import { isToken, trimSpace } from "../protocol/characters.ts";
import { decodeExtendedValue } from "../protocol/extended-value.ts";
import type { FieldList } from "../protocol/message.ts";
import { type ParameterizedValue, parseParameterized } from "../protocol/parse-parameterized.ts";
import { HttpError } from "./http-error.ts";

/** What the head of a part of a form says. */
export interface PartHead {
  readonly name: string;
  /** As the client has sent it; `undefined` for what is no file. */
  readonly fileName: string | undefined;
  /** The media type with its parameters; `text/plain` unless said otherwise, for files `application/octet-stream`. */
  readonly type: string;
  /** The encoding that is given for the text, or `undefined`. */
  readonly charset: string | undefined;
  /** Names and values in turn. */
  readonly fields: FieldList;
}

// Browsers and most libraries send names as UTF-8 (RFC 7578 §5.1.1).
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NO_TEXT = /[^\t\x20-\x7e\x80-\u{10ffff}]/u;

/**
 * Takes the head of a part: what comes between a boundary and the empty line, with all line ends.
 *
 * @throws HttpError 400 if it breaks the grammar, or does not name the field.
 */
export function parsePartHead(bytes: Uint8Array): PartHead {
  const [padding, ...lines] = decoder.decode(bytes).slice(0, -4).split("\r\n");
  // RFC 2046 §5.1.1 allows white space after a boundary.
  if (trimSpace(padding as string) !== "") throw malformed("text after a boundary");
  const fields: string[] = [];
  let disposition: ParameterizedValue | null = null;
  let type: string | undefined;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = trimSpace(line.slice(colon + 1));
    if (colon === -1 || !isToken(name) || NO_TEXT.test(value)) {
      throw malformed("a line in the head of a part that is no field");
    }
    fields.push(name, value);
    const key = name.toLowerCase();
    if (key === "content-disposition") {
      if (disposition !== null) throw malformed("Content-Disposition twice in one part");
      // Libraries escape with backslashes, browsers do not: where these make no sense of it, a backslash is a part of a name.
      disposition = parseParameterized(value) ?? parseParameterized(value, "unescaped");
    } else if (key === "content-type") type ??= value;
  }
  return partHead(fields, disposition, type);
}

function partHead(
  fields: FieldList,
  disposition: ParameterizedValue | null,
  type: string | undefined,
): PartHead {
  const name = disposition?.parameters.get("name");
  if (disposition?.value !== "form-data" || name === undefined) {
    throw malformed("a part without Content-Disposition: form-data; name=…");
  }
  const fileName = fileNameOf(disposition.parameters);
  return {
    name: unescaped(name),
    fileName,
    type: type ?? (fileName === undefined ? "text/plain" : "application/octet-stream"),
    charset: type === undefined ? undefined : parseParameterized(type)?.parameters.get("charset"),
    fields,
  };
}

function fileNameOf(parameters: ReadonlyMap<string, string>): string | undefined {
  const extended = parameters.get("filename*");
  const plain = parameters.get("filename");
  if (extended === undefined) return plain === undefined ? undefined : unescaped(plain);
  const decoded = decodeExtendedValue(extended);
  if (decoded !== null) return decoded;
  throw malformed("a filename* that is not as RFC 8187 has it");
}

/** What browsers escape in names: https://html.spec.whatwg.org/#multipart-form-data */
function unescaped(name: string): string {
  return name.replaceAll(/%0A/gi, "\n").replaceAll(/%0D/gi, "\r").replaceAll("%22", '"');
}

function malformed(what: string): HttpError {
  return new HttpError(400, `the form is malformed: ${what}`);
}
