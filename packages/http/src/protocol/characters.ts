/**
 * Which bytes may stand where: RFC 9110 §5.6.2 (tokens), §5.5 (field values).
 */

export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const TAB = 9;

/** Characters of a token besides letters and digits. */
const TOKEN_SIGNS = "!#$%&'*+-.^_`|~";

/** 1 for each byte that may stand in a token: methods, field names. */
export const TOKEN_BYTES: Uint8Array = bytesWhere((character) => {
  return /[0-9A-Za-z]/.test(character) || TOKEN_SIGNS.includes(character);
});

/** 1 for each byte of ASCII that may stand in a target: visible, and not `#`. */
export const TARGET_BYTES: Uint8Array = bytesWhere((character) => /[!"$-~]/.test(character));

/** 1 for each byte of ASCII that may stand in a field's value. */
export const VALUE_BYTES: Uint8Array = bytesWhere((character) => /[\t -~]/.test(character));

function bytesWhere(holds: (character: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    return byte < 128 && holds(String.fromCharCode(byte)) ? 1 : 0;
  });
}

/** A token, as a part of regular expressions: with or without the flag `v`, and without groups. */
export const TOKEN_PATTERN = "[!#$%&'*+\\-.^_`\\|~0-9A-Za-z]+";

const TOKEN = new RegExp(`^${TOKEN_PATTERN}$`);

/** Whether a text is a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7E\x80-\xFF]/;

/** Whether a text may be a field's value. */
export function isValue(text: string): boolean {
  return !FORBIDDEN_IN_VALUE.test(text);
}

/** Position of the first character that no field value may contain, or -1. */
export function forbiddenInValue(text: string): number {
  return text.search(FORBIDDEN_IN_VALUE);
}

/** Arguments that `String.fromCharCode` takes at once: engines limit the stack. */
const CODES_AT_ONCE = 4096;

/** The one decoder that is fast on all runtimes. That of "latin1" is slow on Deno, and takes 0x80 to 0x9F for windows-1252 everywhere. */
const UTF_8 = new TextDecoder("utf-8", { ignoreBOM: true });
// oxlint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\x00-\x7F]*$/;

/** Bytes that are known to be ASCII, as text. */
export function ascii(bytes: Uint8Array, start: number, end: number): string {
  // A head that came alone needs no view of its own.
  const isWhole = start === 0 && end === bytes.length;
  return UTF_8.decode(isWhole ? bytes : bytes.subarray(start, end));
}

/** Bytes as text of ISO 8859-1: one character each. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  const utf8 = ascii(bytes, start, end);
  if (utf8.length === end - start && ASCII.test(utf8)) return utf8;
  let text = "";
  for (let at = start; at < end; at += CODES_AT_ONCE) {
    const codes = bytes.subarray(at, Math.min(end, at + CODES_AT_ONCE));
    text += String.fromCharCode(...codes);
  }
  return text;
}

/** A text without spaces and tabs at its ends: RFC 9110 §5.6.3, and nothing of what `trim()` takes besides. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}
