import type { Challenge } from "./challenges.ts";

/** A digest that Digest is made with, as the Web Cryptography API spells it, in lower case. */
export type DigestHash = "md5" | "sha-1" | "sha-256" | "sha-512" | "sha-512-256";

/** What of a request is protected: itself, or its body too. */
export type DigestQop = "auth" | "auth-int";

/** A challenge of the scheme Digest (RFC 7616 §3.3), understood. */
export interface DigestChallenge {
  /** For which part of the server user and password are. To be shown to people, and a part of what is digested. */
  readonly realm: string;
  /** What the server has made up for this challenge, or for all of some time. */
  readonly nonce: string;
  /** Given back as it is; `null` if there is none. */
  readonly opaque: string | null;
  /** As the server spells it: `"SHA-256-sess"`; `null` if it names none, which is MD5. */
  readonly algorithm: string | null;
  /** Which digest that means. */
  readonly hash: DigestHash;
  /** Whether what user and password are digested to is bound to the nonce (`-sess`). */
  readonly isSession: boolean;
  /** What the server takes, and is known; none with servers from before RFC 2617. */
  readonly qops: readonly DigestQop[];
  /** Whether only the nonce was refused: user and password are right, and to be used again with the new one. */
  readonly isStale: boolean;
  /** Whether the user's name is to be digested too. */
  readonly hashesUser: boolean;
  /** Whether the server says that it takes UTF-8. */
  readonly takesUtf8: boolean;
  /** The URIs, absolute or paths, below which the answer is good too. None: the whole origin. */
  readonly domain: readonly string[];
}

/** What `createDigest` of `arborio/lowlevel` offers. */
const COMMON_HASHES: readonly DigestHash[] = ["md5", "sha-1", "sha-256", "sha-512"];

/** Names without `-SESS`, and the strongest first. RFC 7616 §6.1 has MD5, SHA-256 and SHA-512-256; the others are in use. */
const ALGORITHMS: ReadonlyMap<string, DigestHash> = new Map([
  ["SHA-512", "sha-512"],
  ["SHA-512-256", "sha-512-256"],
  ["SHA-256", "sha-256"],
  ["SHA", "sha-1"],
  ["SHA-1", "sha-1"],
  ["MD5", "md5"],
]);
const STRENGTHS: readonly DigestHash[] = [...ALGORITHMS.values()];

const SESSION = /-SESS$/;

/**
 * Understands a challenge of the scheme Digest.
 *
 * @param hashes Which digests there are. Default: all but SHA-512-256.
 * @returns `null` if it is of another scheme, lacks realm or nonce, or wants something that is not known: an algorithm, only other
 *   qualities of protection than `auth` and `auth-int`, or `-sess` without them.
 *
 * Source: RFC 7616 §3.3; without `qop`, RFC 2617 §3.2.1.
 */
export function digestChallenge(
  challenge: Challenge,
  hashes: readonly DigestHash[] = COMMON_HASHES,
): DigestChallenge | null {
  const { scheme, parameters } = challenge;
  const realm = parameters.get("realm");
  const nonce = parameters.get("nonce");
  if (scheme !== "digest" || realm === undefined || nonce === undefined) return null;

  const algorithm = parameters.get("algorithm") ?? null;
  const name = (algorithm ?? "MD5").toUpperCase();
  const hash = ALGORITHMS.get(name.replace(SESSION, ""));
  if (hash === undefined || !hashes.includes(hash)) return null;

  const qop = parameters.get("qop");
  const qops = qopsOf(qop);
  const isSession = SESSION.test(name);
  if (qops.length === 0 && (qop !== undefined || isSession)) return null;
  return {
    realm,
    nonce,
    opaque: parameters.get("opaque") ?? null,
    algorithm,
    hash,
    isSession,
    qops,
    isStale: isTrue(parameters.get("stale")),
    hashesUser: isTrue(parameters.get("userhash")),
    takesUtf8: parameters.get("charset")?.toUpperCase() === "UTF-8",
    domain: parameters.get("domain")?.match(/[^\t ]+/g) ?? [],
  };
}

/**
 * The strongest of the challenges of the scheme Digest that are understood, of equals the first (RFC 7616 §3.7); `null` if there is
 * none.
 *
 * @param hashes Which digests there are. Default: all but SHA-512-256.
 *
 * @example
 * ```ts
 * import { chooseDigest, parseChallenges } from "@arborio/http/protocol";
 *
 * const field = 'Digest realm="a", nonce="x", algorithm=MD5, Digest realm="a", nonce="x", qop="auth", algorithm=SHA-256';
 * console.assert(chooseDigest(parseChallenges(field))?.hash === "sha-256");
 * ```
 */
export function chooseDigest(
  challenges: readonly Challenge[],
  hashes?: readonly DigestHash[],
): DigestChallenge | null {
  let best: DigestChallenge | null = null;
  for (const challenge of challenges) {
    const understood = digestChallenge(challenge, hashes);
    if (understood === null) continue;
    if (best === null || weakness(understood) < weakness(best)) best = understood;
  }
  return best;
}

function weakness({ hash }: DigestChallenge): number {
  return STRENGTHS.indexOf(hash);
}

function qopsOf(list: string | undefined): DigestQop[] {
  const names = (list ?? "").toLowerCase().split(/[\t ]*,[\t ]*/);
  return (["auth", "auth-int"] as const).filter((qop) => names.includes(qop));
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === "true";
}
