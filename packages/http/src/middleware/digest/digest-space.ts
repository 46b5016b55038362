import { createDigest, type DigestAlgorithm, randomBytes } from "arborio/lowlevel";
import type { ClientRequest } from "../../client/client-request.ts";
import { digestAuthorization } from "../../protocol/digest-authorization.ts";
import type { DigestChallenge } from "../../protocol/digest-challenge.ts";

/** Randomness of what a server cannot guess: RFC 7616 §5.4 has no number; this is that of its examples. */
const CNONCE_BYTES = 16;

/** Whom a challenge is answered for. */
export interface DigestIdentity {
  readonly user: string;
  readonly password: string;
}

/** A part of a server for which one answer is good (RFC 7616 §3.3), with what its nonce was used for. */
export class DigestSpace {
  readonly challenge: DigestChallenge;
  /** Later ones have more: what was learnt last counts. */
  readonly order: number;
  readonly #origin: string;
  /** Paths below which it is good, of this origin alone; none: all. */
  readonly #paths: readonly string[];
  #cnonce = newCnonce();
  #count = 0;

  constructor(origin: string, challenge: DigestChallenge, order: number) {
    this.#origin = origin;
    this.order = order;
    this.challenge = challenge;
    this.#paths = challenge.domain
      .filter((place) => URL.canParse(place, `${origin}/`))
      .map((place) => new URL(place, `${origin}/`))
      .filter((url) => url.origin === origin)
      .map((url) => url.pathname);
  }

  /** The same with the nonce that the server wants to be used next. */
  withNonce(nonce: string, order: number): DigestSpace {
    return new DigestSpace(this.#origin, { ...this.challenge, nonce }, order);
  }

  /** Whether a request belongs to it. With URIs of other origins alone it has nothing. */
  covers({ origin, target }: ClientRequest): boolean {
    if (origin !== this.#origin) return false;
    if (this.challenge.domain.length === 0) return true;
    const { pathname } = new URL(target.href);
    return this.#paths.some((path) => isBelow(pathname, path));
  }

  /** The value of `Authorization` for a request; each counts. */
  answer(
    { method, target }: ClientRequest,
    { user, password }: DigestIdentity,
    bodyHash: Uint8Array | null,
  ): string {
    this.#count += 1;
    return digestAuthorization(
      this.challenge,
      {
        method,
        target: target.target,
        user,
        password,
        cnonce: this.#cnonce,
        nonceCount: this.#count,
        bodyHash,
      },
      (hash, bytes) =>
        createDigest(hash as DigestAlgorithm)
          .update(bytes)
          .digest(),
    );
  }
}

/** By whole parts of the path: `/a` is not above `/ab`. */
function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith("/") || path.length === prefix.length || path[prefix.length] === "/";
}

function newCnonce(): string {
  return Array.from(randomBytes(CNONCE_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}
