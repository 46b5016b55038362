import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import { backendOf } from "../platform/capabilities.ts";

/** More than any key, mask or boundary needs; a mistaken length would take as much memory as it likes. */
const RANDOM_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Random bytes that nobody can guess: for keys, nonces, masks. In the simulator they come from the seed, and are the same again.
 *
 * @param count how many; a whole number from 0 to 16,777,216.
 * @throws TypeError, RangeError if `count` is no such number.
 *
 * Counterpart: `secrets.token_bytes`.
 *
 * @example A mask for a WebSocket frame
 * ```ts
 * import { randomBytes } from "arborio/lowlevel";
 *
 * console.assert(randomBytes(4).length === 4);
 * ```
 */
export function randomBytes(count: number): Uint8Array {
  requireCount("randomBytes", count, 0, false);
  if (count > RANDOM_BYTES_MAX)
    throw new RangeError(`randomBytes: got ${count}, needs at most ${RANDOM_BYTES_MAX}`);
  const bytes = new Uint8Array(count);
  backendOf(ambientScope()).entropy.fill(bytes);
  return bytes;
}
