import { randomBytes } from "arborio/lowlevel";

const MASK_BYTES = 4;
/** Asking the system costs more than its bytes: so many are asked for at once. */
const BUFFER_BYTES = 4096;

/** Masks for the frames of a client: random bytes that nobody can guess (RFC 6455 §10.3), each used once. */
export class MaskSource {
  #bytes: Uint8Array = new Uint8Array(0);
  #used = 0;

  /** Four bytes. */
  next(): Uint8Array {
    if (this.#used === this.#bytes.length) {
      this.#bytes = randomBytes(BUFFER_BYTES);
      this.#used = 0;
    }
    this.#used += MASK_BYTES;
    return this.#bytes.subarray(this.#used - MASK_BYTES, this.#used);
  }
}
