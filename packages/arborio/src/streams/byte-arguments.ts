import { describeValue } from "../core/arguments.ts";

/** Throws `TypeError` unless `bytes` is a `Uint8Array`. */
export function requireBytes(where: string, bytes: unknown): void {
  if (bytes instanceof Uint8Array) return;
  const hint = typeof bytes === "string" ? ": new TextEncoder().encode(text)" : "";
  throw new TypeError(`${where}: got ${describeValue(bytes)}, needs a Uint8Array${hint}`);
}

/** Throws unless `view` is a `Uint8Array` with at least one byte. */
export function requireRoom(where: string, view: unknown): void {
  requireBytes(where, view);
  if ((view as Uint8Array).length === 0)
    throw new RangeError(`${where}: got a view of 0 bytes, needs at least 1`);
}
