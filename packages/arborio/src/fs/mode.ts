import { requireCount } from "../core/arguments.ts";

/** All permission bits, with those for other users' rights and for directories. */
const MODE_MAX = 0o7777;

/** Throws unless `mode` is a number of permission bits. */
export function requireMode(where: string, mode: unknown): void {
  requireCount(where, mode, 0, false);
  if ((mode as number) <= MODE_MAX) return;
  throw new RangeError(`${where}: got ${String(mode)}, needs permission bits, at most 0o7777`);
}
