/** Checks of the options of middleware. */

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
