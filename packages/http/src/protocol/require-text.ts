import { forbiddenInValue, isToken, isValue } from "./characters.ts";

/**
 * What may be written. Everything that a message is made of passes here before a byte goes out, so that no value can end a line and
 * begin another (CWE-93, CWE-113).
 */

/** Names that were found good: a program writes the same few all the time. More than this many are checked anew each time. */
const GOOD_NAMES_MAX = 256;
const goodNames = new Set<string>();

/**
 * Gives a field's name back if it may be written.
 *
 * @throws {TypeError} It is not a token (RFC 9110 §5.1).
 *
 * @example
 * ```ts
 * import { requireFieldName } from "@arborio/http/protocol";
 *
 * console.assert(requireFieldName("X-Request-Id") === "X-Request-Id");
 * ```
 */
export function requireFieldName(name: string): string {
  if (goodNames.has(name)) return name;
  if (!isToken(name)) throw new TypeError(`field name ${shown(name)}: a token was expected`);
  if (goodNames.size < GOOD_NAMES_MAX) goodNames.add(name);
  return name;
}

/**
 * Gives a field's value back if it may be written.
 *
 * @throws {TypeError} It has control characters besides the tab, or characters above 0xFF (RFC 9110 §5.5).
 *
 * @example A value that would begin another field
 * ```ts
 * import { requireFieldValue } from "@arborio/http/protocol";
 *
 * let error: unknown;
 * try {
 *   requireFieldValue("/home\r\nSet-Cookie: a=b");
 * } catch (caught) {
 *   error = caught;
 * }
 * console.assert(error instanceof TypeError);
 * ```
 */
export function requireFieldValue(value: string): string {
  return requireText("field value", value);
}

/**
 * Gives a method back if it may be written.
 *
 * @throws {TypeError} It is not a token (RFC 9110 §9.1).
 */
export function requireMethod(method: string): string {
  if (!isToken(method)) throw new TypeError(`method ${shown(method)}: a token was expected`);
  return method;
}

/**
 * Gives a request's target back if it may be written.
 *
 * @throws {TypeError} It is empty, or has white space, a fragment, or anything that is not visible ASCII (RFC 9112 §3.2).
 */
export function requireTarget(target: string): string {
  if (!/^[!"$-~]+$/.test(target)) {
    throw new TypeError(`target ${shown(target)}: visible ASCII without a fragment was expected`);
  }
  return target;
}

/**
 * Gives a reason phrase back if it may be written.
 *
 * @throws {TypeError} It has control characters besides the tab, or characters above 0xFF (RFC 9112 §4).
 */
export function requireReason(reason: string): string {
  return requireText("reason", reason);
}

/**
 * Gives a status back if it may be written.
 *
 * @throws {TypeError} It is not an integer from 100 to 999 (RFC 9110 §15).
 */
export function requireStatus(status: number): number {
  if (Number.isInteger(status) && status >= 100 && status <= 999) return status;
  throw new TypeError(`status ${status}: an integer from 100 to 999 was expected`);
}

function requireText(what: string, text: string): string {
  if (isValue(text)) return text;
  const bad = forbiddenInValue(text);
  const code = text.charCodeAt(bad).toString(16).toUpperCase().padStart(2, "0");
  throw new TypeError(
    `${what} ${shown(text)}: character 0x${code} at ${bad}: no control characters and none above 0xFF were expected`,
  );
}

/** Characters of a text that errors show. */
const SHOWN_CHARACTERS_MAX = 64;

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_CHARACTERS_MAX));
}
