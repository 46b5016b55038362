import { currentBackend } from "../platform/capabilities.ts";

/** 80 bits: nobody guesses the name, nor comes by chance to one that is taken. */
const RANDOM_BYTES = 10;

/** A name for a file that nobody else has: `start` and 20 hexadecimal digits. */
export function randomName(start: string): string {
  const bytes = new Uint8Array(RANDOM_BYTES);
  currentBackend().entropy.fill(bytes);
  return start + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
