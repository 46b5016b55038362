import type { Digests } from "../../platform/digest.ts";
import { lazily } from "./builtin.ts";

const crypto = lazily("node:crypto");

/** Node's names of the algorithms. */
const NAMES = { md5: "md5", "sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512" } as const;

/** Digests through `node:crypto`. */
export const nodeDigests: Digests = {
  create(algorithm, key) {
    const name = NAMES[algorithm];
    const state = key === undefined ? crypto().createHash(name) : crypto().createHmac(name, key);
    return {
      update: (bytes) => void state.update(bytes),
      finish: () => new Uint8Array(state.digest()),
    };
  },
};
