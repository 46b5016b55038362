import type { Entropy } from "../platform/backend.ts";
import type { Chooser } from "./chooser.ts";

/** Numbers below this are drawn as one choice. */
const RANDOM_RESOLUTION = 2 ** 32;

/** A random byte is one of so many. */
const BYTE_VALUES = 256;

/** Chance of one simulated host. */
export function createEntropy(chooser: Chooser): Entropy {
  return {
    random: () => chooser.pick("rand", RANDOM_RESOLUTION) / RANDOM_RESOLUTION,
    fill(view) {
      for (let index = 0; index < view.length; index++)
        view[index] = chooser.pick("rand", BYTE_VALUES);
    },
  };
}
