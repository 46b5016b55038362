/** Digests of bytes. */
export interface Digests {
  /** Begins a digest; with `key` an HMAC (RFC 2104). */
  create(algorithm: DigestAlgorithm, key: Uint8Array | undefined): DigestState;
}

/** Names as the Web Cryptography API spells them, in lower case. */
export type DigestAlgorithm = "md5" | "sha-1" | "sha-256" | "sha-512";

/** A digest that is being made. */
export interface DigestState {
  /** Adds bytes. */
  update(bytes: Uint8Array): void;
  /** The digest of all that was added. Called once, and last. */
  finish(): Uint8Array;
}
