/** Checks of the options of middleware. */
import { requireKnown, requireObject } from "../client/require-option.ts";

/** @throws TypeError if `options` is no object, or has a name that is none: it would be overlooked. */
export function requireNames(
  where: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  requireObject(where, options);
  requireKnown(where, options, names);
}

/** @throws RangeError if `value` is no number from `min` on. */
export function requireAtLeast(where: string, value: unknown, min: number): void {
  if (typeof value === "number" && value >= min) return;
  throw new RangeError(`${where}: got ${String(value)}, needs a number from ${min} on`);
}

/** @throws RangeError if `value` is no whole number from `min` on. */
export function requireCount(where: string, value: unknown, min: number): void {
  if (value === Infinity || (Number.isSafeInteger(value) && (value as number) >= min)) return;
  throw new RangeError(`${where}: got ${String(value)}, needs a whole number from ${min} on`);
}

/** @throws RangeError if `value` is no finite number from `min` on. */
export function requireFinite(where: string, value: unknown, min: number): void {
  if (Number.isFinite(value) && (value as number) >= min) return;
  throw new RangeError(`${where}: got ${String(value)}, needs a finite number from ${min} on`);
}
