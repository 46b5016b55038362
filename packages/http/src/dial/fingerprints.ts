import { createDigest } from "arborio/lowlevel";

const SHA_256_DIGITS = 64;
/** Digests that others can be made for, by the number of their hexadecimal digits. */
const BROKEN: Readonly<Record<number, string>> = { 32: "MD5", 40: "SHA-1" };

/**
 * Fingerprints as routes have them: lower-case, without colons, sorted, each once.
 *
 * @throws TypeError, RangeError if one is no SHA-256 digest in hexadecimal.
 */
export function fingerprintsFrom(given: unknown): readonly string[] {
  if (!Array.isArray(given)) {
    throw new TypeError(
      `fingerprints: got ${typeof given}, needs an array of SHA-256 digests in hexadecimal`,
    );
  }
  if (given.length === 0)
    throw new RangeError("fingerprints: got none, needs at least one, or undefined for any");
  return [...new Set(given.map(fingerprintFrom))].sort();
}

function fingerprintFrom(given: unknown): string {
  const needs = `needs a SHA-256 digest of ${SHA_256_DIGITS} hexadecimal digits, with or without colons`;
  if (typeof given !== "string") throw new TypeError(`fingerprints: got ${typeof given}, ${needs}`);
  const digits = given.replaceAll(":", "").toLowerCase();
  const isHexadecimal = /^(?:[0-9a-f]{2}(?::?(?!$)|$))+$/i.test(given);
  if (isHexadecimal && digits.length === SHA_256_DIGITS) return digits;
  const broken = isHexadecimal ? BROKEN[digits.length] : undefined;
  const shown = JSON.stringify(given.slice(0, 2 * SHA_256_DIGITS));
  throw new RangeError(
    `fingerprints: got ${shown}${broken === undefined ? "" : `, which is as long as one of ${broken}, for which others can be found`}; ${needs}`,
  );
}

/** The fingerprint of a certificate (DER). */
export function fingerprintOf(certificate: Uint8Array): string {
  let digits = "";
  for (const byte of createDigest("sha-256").update(certificate).digest())
    digits += byte.toString(16).padStart(2, "0");
  return digits;
}
