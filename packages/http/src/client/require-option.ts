/** What checks of options have in common: errors that say what was got and what is needed. */

/** @throws TypeError if `options` is no object, or an option has a name that is none. */
export function requireKnown(
  where: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  requireObject(`${where}(options)`, options);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names).join(", ");
    throw new TypeError(`${where}({ ${name} }): there is no such option; there are ${known}`);
  }
}

/** @throws TypeError if it is none. */
export function requireObject(where: string, value: unknown): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new TypeError(`${where}: got ${describe(value)}, needs an object`);
}

/** @throws TypeError, RangeError if it is not a number from `least` on, `Infinity` with them. */
export function requireNumber(where: string, value: unknown, least: number): void {
  if (typeof value !== "number")
    throw new TypeError(`${where}: got ${describe(value)}, needs a number`);
  if (!(value >= least)) throw new RangeError(`${where}: got ${value}, needs at least ${least}`);
}

/** @throws RangeError if it is not a whole number from `least` on, or `Infinity`. */
export function requireCount(where: string, value: unknown, least: number): void {
  requireNumber(where, value, least);
  if (Number.isInteger(value) || value === Infinity) return;
  throw new RangeError(`${where}: got ${String(value)}, needs a whole number, or Infinity`);
}

/** @throws TypeError, RangeError if it is not a number from `least` on, without `Infinity`. */
export function requireFinite(where: string, value: unknown, least: number): void {
  requireNumber(where, value, least);
  if (value === Infinity) throw new RangeError(`${where}: got Infinity, needs a finite number`);
}

/** @throws TypeError if it is none. */
export function requireFunction(where: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(`${where}: got ${describe(value)}, needs a function`);
}

/** @throws TypeError if it is none. Text is none, though it can be iterated. */
export function requireList(where: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw new TypeError(`${where}: got ${describe(value)}, needs a list`);
}

/** @throws TypeError if it is not one of these. */
export function requireOneOf(where: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  const needed = choices.map((choice) => JSON.stringify(choice)).join(", ");
  throw new TypeError(`${where}: got ${describe(value)}, needs one of ${needed}`);
}

/** The values of `defaults`, with those that are given in their place. @throws TypeError, RangeError for what is none. */
export function numbersWith<T extends object>(
  where: string,
  defaults: T,
  given: Partial<T> | undefined,
  leastOf: (name: string) => number,
): T {
  if (given === undefined) return defaults;
  requireObject(`${where} })`, given);
  const all: Record<string, unknown> = { ...(defaults as Record<string, unknown>) };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const place = `${where}: { ${name} } })`;
    if (!Object.hasOwn(defaults, name)) {
      const known = Object.keys(defaults).join(", ");
      throw new TypeError(`${place}: there is no such option; there are ${known}`);
    }
    requireNumber(place, value, leastOf(name));
    all[name] = value;
  }
  return all as T;
}

/** A value in a message: short. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_CHARACTERS_MAX));
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  return typeof value === "object" && value !== null
    ? Object.prototype.toString.call(value)
    : String(value);
}

/** Characters of a text that a message shows. */
const SHOWN_CHARACTERS_MAX = 80;
