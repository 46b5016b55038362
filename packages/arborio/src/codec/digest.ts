import { ambientScope } from "../core/ambient.ts";
import { describeValue } from "../core/arguments.ts";
import { InvalidStateError } from "../core/errors.ts";
import { backendOf, requireCapability } from "../platform/capabilities.ts";
import type { DigestAlgorithm, DigestState } from "../platform/digest.ts";
import { requireBytes } from "../streams/wire-stream.ts";

/** Options of `createDigest`. */
export interface DigestOptions {
  /** Makes the digest an HMAC (RFC 2104) with this key. */
  readonly key?: Uint8Array;
}

const ALGORITHMS: readonly DigestAlgorithm[] = ["md5", "sha-1", "sha-256", "sha-512"];

/**
 * Begins a digest, or with a key an HMAC. Synchronous, so for large amounts of bytes give it chunks and checkpoints between them.
 * MD5 and SHA-1 are here for protocols that need them; they protect nothing any more.
 *
 * @throws RangeError if there is no such algorithm.
 * @throws TypeError if the key is no `Uint8Array`.
 * @throws NotSupportedError if the backend has no digests.
 *
 * Counterpart: `hashlib.new`, `hmac.new`.
 *
 * @example The answer to a WebSocket's key (RFC 6455, section 1.3)
 * ```ts
 * import { createDigest } from "arborio/lowlevel";
 *
 * const question = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
 * const answer = createDigest("sha-1").update(new TextEncoder().encode(question)).digest();
 * console.assert(btoa(String.fromCharCode(...answer)) === "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
 * ```
 */
export function createDigest(algorithm: DigestAlgorithm, options: DigestOptions = {}): Digest {
  if (!ALGORITHMS.includes(algorithm)) {
    throw new RangeError(
      `createDigest: got ${describeValue(algorithm)}, needs one of ${ALGORITHMS.join(", ")}`,
    );
  }
  const { key } = options;
  if (key !== undefined) requireBytes("createDigest({ key })", key);
  const backend = backendOf(ambientScope());
  return new Digest(requireCapability(backend, "digests", "createDigest").create(algorithm, key));
}

/** A digest that is being made. */
export class Digest {
  #state: DigestState | null;

  /** @internal */
  constructor(state: DigestState) {
    this.#state = state;
  }

  /**
   * Adds bytes.
   *
   * @returns this.
   * @throws InvalidStateError after `digest`.
   * @throws TypeError if `bytes` is no `Uint8Array`.
   */
  update(bytes: Uint8Array): this {
    requireBytes("Digest.update", bytes);
    this.#open("update").update(bytes);
    return this;
  }

  /**
   * The digest of everything that was added. There is one; a second call is an error.
   *
   * @throws InvalidStateError when called again.
   */
  digest(): Uint8Array {
    const state = this.#open("digest");
    this.#state = null;
    return state.finish();
  }

  #open(operation: string): DigestState {
    if (this.#state !== null) return this.#state;
    throw new InvalidStateError(
      `Digest.${operation}: this digest was taken already; createDigest makes a new one`,
    );
  }
}
