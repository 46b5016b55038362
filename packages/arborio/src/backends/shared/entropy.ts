import type { Entropy } from "../../platform/backend.ts";

/** The Web Cryptography API gives at most so many bytes at once. */
const FILL_BYTES_MAX = 65_536;

/** Chance of a host: quick numbers that can be guessed, and bytes that cannot. */
export const hostEntropy: Entropy = {
  random: () => Math.random(),
  fill(view) {
    for (let start = 0; start < view.length; start += FILL_BYTES_MAX)
      crypto.getRandomValues(
        view.subarray(start, start + FILL_BYTES_MAX) as Uint8Array<ArrayBuffer>,
      );
  },
};
