/** The codes of close frames (RFC 6455 §7.4.1). */

/** It was done with. */
export const CODE_NORMAL = 1000;
/** A server that shuts down, a page that is left. */
export const CODE_GOING_AWAY = 1001;
/** The other side broke a rule. */
export const CODE_BROKEN_RULE = 1002;
/** A message is of a kind that this side does not take. */
export const CODE_UNSUPPORTED = 1003;
/** Stands for a close frame without a code; never on the wire. */
export const CODE_NONE = 1005;
/** Stands for a connection that broke without a close frame; never on the wire. */
export const CODE_BROKEN = 1006;
/** What came is not what it says: text that is not UTF-8, data that cannot be decompressed. */
export const CODE_BAD_DATA = 1007;
/** A message is too large. */
export const CODE_TOO_LARGE = 1009;
/** This side could not finish what it had begun. */
export const CODE_FAILED = 1011;

/** 1012 to 1014 are registered with IANA, later than the RFC; 1004 is reserved, 1005 and 1006 are never sent. */
const CODES: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
]);

/** Whether a close frame may hold this code: one with a meaning (RFC 6455 §7.4.1, IANA), or 3000 to 4999. */
export function isCloseCode(code: number): boolean {
  return CODES.has(code) || (Number.isInteger(code) && code >= 3000 && code <= 4999);
}
