/**
 * Which bytes may stand where: RFC 9110 §5.6.2 (tokens), §5.5 (field values).
 */

export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const TAB = 9;

/** Characters of a token besides letters and digits. */
const TOKEN_SIGNS = "!#$%&'*+-.^_`|~";

const TOKEN_BYTES: Uint8Array = new Uint8Array(256);
for (let byte = 0; byte < 128; byte++) {
  if (/[0-9A-Za-z]/.test(String.fromCharCode(byte))) TOKEN_BYTES[byte] = 1;
}
for (const sign of TOKEN_SIGNS) TOKEN_BYTES[sign.charCodeAt(0)] = 1;

/** Whether a byte may stand in a token: methods, field names. */
export function isTokenByte(byte: number): boolean {
  return TOKEN_BYTES[byte] === 1;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether a text is a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7E\x80-\xFF]/;

/** Position of the first character that no field value may contain, or -1. */
export function forbiddenInValue(text: string): number {
  return text.search(FORBIDDEN_IN_VALUE);
}

/** Arguments that `String.fromCharCode` takes at once: engines limit the stack. */
const CODES_AT_ONCE = 4096;

/** Bytes as text of ISO 8859-1: one character each. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
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
