/**
 * Values of parameters whose name ends in `*`: any text, as percent-encoded bytes of a named encoding (RFC 8187).
 */

const EXTENDED = /^([^']*)'[^']*'(.*)$/su;
const ESCAPED = /%([0-9A-Fa-f]{2})/g;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})|[^\0-\xff]/;
/** What `encodeURIComponent` leaves, and RFC 8187 §3.2.1 does not have among its characters. */
const UNWANTED = /['()*]/g;

/** What it says; `null` if it is malformed, or in another encoding than UTF-8 and ISO 8859-1, which nobody sends. */
export function decodeExtendedValue(text: string): string | null {
  const [, charset = "", encoded = ""] = EXTENDED.exec(text) ?? [];
  if (charset.toLowerCase() === "iso-8859-1" && !BROKEN_ESCAPE.test(encoded)) {
    return encoded.replace(ESCAPED, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
  }
  if (charset.toLowerCase() !== "utf-8") return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // No percent-encoded UTF-8.
    return null;
  }
}

/** Writes a text as such a value, in UTF-8. @throws TypeError if it holds half of a surrogate pair. */
export function encodeExtendedValue(text: string): string {
  if (!text.isWellFormed()) {
    throw new TypeError("extended value: half of a surrogate pair: text was expected");
  }
  const encoded = encodeURIComponent(text).replace(
    UNWANTED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `UTF-8''${encoded}`;
}
