/**
 * The answer to a challenge of the scheme Digest (RFC 7616): proof of a password that does not tell it. Pure: the caller has the digest,
 * what cannot be guessed, and the count of how often a nonce was used.
 */
import type { DigestChallenge, DigestHash, DigestQop } from "./digest-challenge.ts";
import { encodeExtendedValue } from "./extended-value.ts";
import { quoted } from "./quoted.ts";
import { requireMethod, requireTarget } from "./require-text.ts";

/** Digests bytes, as `createDigest` of `arborio/lowlevel` does. */
export type HashFunction = (hash: DigestHash, bytes: Uint8Array) => Uint8Array;

/** The request that is answered for, and who asks. */
export interface DigestRequest {
  /** Of the request. */
  readonly method: string;
  /** The target as it is in the request line; `host:port` for CONNECT. */
  readonly target: string;
  /** Name of the user. */
  readonly user: string;
  /** Is never sent. */
  readonly password: string;
  /**
   * Visible ASCII that nobody can guess; 16 random bytes in hexadecimal are enough. New for each nonce, and may be for each answer
   * unless the challenge `isSession`: then all answers to one nonce have the same.
   */
  readonly cnonce: string;
  /** How often this nonce was used, this time included: 1, 2, …, up to 2^32 - 1. A server refuses what it has seen. */
  readonly nonceCount: number;
  /** The digest of the body, made with the challenge's `hash`. Without it, or where the server does not take it, only the request is protected. */
  readonly bodyHash?: Uint8Array | null;
}

/** Eight digits in hexadecimal: RFC 7616 §3.4. */
const NONCE_COUNT_MAX = 0xffff_ffff;

const VISIBLE = /^[!-~]+$/;
const ASCII_TEXT = /^[ -~]*$/;
// oxlint-disable-next-line no-control-regex -- what no field can hold
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * The value of `Authorization`, or of `Proxy-Authorization`, that answers a challenge.
 *
 * Whatever realm, nonce, names and targets hold: each stands in its quotes, and nothing in it ends them.
 *
 * @throws TypeError if method or target cannot be written; if the user's name has control characters; if user or password has half of a
 *   surrogate pair; if `cnonce` is no visible ASCII; if the server takes nothing but `auth-int`, and there is no `bodyHash`. Name and
 *   password are not shown.
 * @throws RangeError if `nonceCount` is no integer from 1 to 2^32 - 1.
 *
 * Source: RFC 7616 §3.4; for challenges without `qop`, RFC 2617 §3.2.2. Counterpart: `aiohttp.DigestAuthMiddleware`.
 *
 * @example
 * ```ts
 * import { createDigest } from "arborio/lowlevel";
 * import { chooseDigest, digestAuthorization, parseChallenges } from "@arborio/http/protocol";
 *
 * const challenge = chooseDigest(parseChallenges('Digest realm="a", nonce="x", qop="auth", algorithm=SHA-256'));
 * if (challenge !== null) {
 *   const value = digestAuthorization(
 *     challenge,
 *     { method: "GET", target: "/", user: "Mufasa", password: "Circle of Life", cnonce: "f2/wE4q74E6zIJEt", nonceCount: 1 },
 *     (hash, bytes) => createDigest(hash as "sha-256").update(bytes).digest(),
 *   );
 *   console.assert(value.startsWith('Digest username="Mufasa", realm="a", uri="/"'));
 * }
 * ```
 */
export function digestAuthorization(
  challenge: DigestChallenge,
  request: DigestRequest,
  hash: HashFunction,
): string {
  const { realm, nonce, opaque, algorithm, hashesUser } = challenge;
  const who = identityOf(challenge, request);
  const method = requireMethod(request.method);
  const target = requireTarget(request.target);
  requireUserAndCounts(request);
  const qop = chosenQop(challenge, request);
  const count = request.nonceCount.toString(16).padStart(8, "0");

  const digest = (...parts: readonly Uint8Array[]): string =>
    hex(hash(challenge.hash, joined(parts)));
  const secret = secretOf(challenge, who, request.cnonce, digest);
  const question =
    qop === "auth-int"
      ? digest(utf8(method), utf8(target), utf8(hex(request.bodyHash as Uint8Array)))
      : digest(utf8(method), utf8(target));
  const between = qop === null ? [] : [count, request.cnonce, qop].map(utf8);
  const response = digest(utf8(secret), latin1Bytes(nonce), ...between, utf8(question));

  const parts = [
    hashesUser
      ? `username="${digest(utf8(who.user), latin1Bytes(realm))}"`
      : userPart(challenge, who.user),
    `realm=${quoted(realm)}`,
    `uri=${quoted(target)}`,
    ...(algorithm === null ? [] : [`algorithm=${algorithm}`]),
    `nonce=${quoted(nonce)}`,
    // Never in quotes: RFC 7616 §3.4.
    ...(qop === null ? [] : [`nc=${count}`, `cnonce=${quoted(request.cnonce)}`, `qop=${qop}`]),
    `response="${response}"`,
    ...(opaque === null ? [] : [`opaque=${quoted(opaque)}`]),
    ...(hashesUser ? ["userhash=true"] : []),
  ];
  return `Digest ${parts.join(", ")}`;
}

type Identity = Pick<DigestRequest, "user" | "password">;

/** Composed as the server has them too, if it says how it reads them (RFC 7616 §4). */
function identityOf({ takesUtf8 }: DigestChallenge, { user, password }: DigestRequest): Identity {
  if (!takesUtf8) return { user, password };
  return { user: user.normalize("NFC"), password: password.normalize("NFC") };
}

type DigestParts = (...parts: readonly Uint8Array[]) => string;

/** A1 of RFC 7616 §3.4.2, digested. */
function secretOf(
  { realm, nonce, isSession }: DigestChallenge,
  { user, password }: Identity,
  cnonce: string,
  digest: DigestParts,
): string {
  const secret = digest(utf8(user), latin1Bytes(realm), utf8(password));
  return isSession ? digest(utf8(secret), latin1Bytes(nonce), utf8(cnonce)) : secret;
}

function chosenQop(
  { qops }: DigestChallenge,
  { bodyHash = null }: DigestRequest,
): DigestQop | null {
  if (bodyHash !== null && qops.includes("auth-int")) return "auth-int";
  if (qops.includes("auth")) return "auth";
  if (qops.length === 0) return null;
  throw new TypeError(
    "digestAuthorization: the server takes nothing but auth-int, and there is no bodyHash: the digest of the body was expected",
  );
}

/** RFC 7616 §3.4: `username*` where the name needs it. What does not say that it takes UTF-8 is older, and gets the bytes as they are. */
function userPart({ takesUtf8 }: DigestChallenge, user: string): string {
  if (ASCII_TEXT.test(user)) return `username=${quoted(user)}`;
  if (takesUtf8) return `username*=${encodeExtendedValue(user)}`;
  return `username=${quoted(String.fromCharCode(...utf8(user)))}`;
}

function requireUserAndCounts({ user, password, cnonce, nonceCount }: DigestRequest): void {
  if (CONTROL.test(user) || !user.isWellFormed() || !password.isWellFormed()) {
    throw new TypeError(
      "digestAuthorization: the user's name has control characters, or it or the password half of a surrogate pair: text without was expected",
    );
  }
  if (!VISIBLE.test(cnonce)) {
    throw new TypeError(
      `digestAuthorization: cnonce ${JSON.stringify(cnonce.slice(0, 64))}: visible ASCII was expected`,
    );
  }
  if (!(Number.isInteger(nonceCount) && nonceCount >= 1 && nonceCount <= NONCE_COUNT_MAX)) {
    throw new RangeError(
      `digestAuthorization: nonceCount ${nonceCount}: an integer from 1 to 2^32 - 1 was expected`,
    );
  }
}

const COLON = Uint8Array.of(58);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const pieces = parts.flatMap((part, index) => (index === 0 ? [part] : [COLON, part]));
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

const encoder = new TextEncoder();

function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** What the server has sent, byte for byte. */
function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
