/** Throws `TypeError` unless `fn` is a function. A promise gets its own message: it is the usual mistake. */
export function requireFunction(where: string, fn: unknown): void {
  if (typeof fn === "function") return;
  if (typeof fn === "object" && fn !== null && "then" in fn) {
    throw new TypeError(
      `${where}: got a promise, needs a function that returns one, so that it starts inside; ` +
        `write ${where}(() => work()) instead of ${where}(work())`,
    );
  }
  throw new TypeError(`${where}: got ${describeValue(fn)}, needs a function`);
}

/** Throws `TypeError` unless `options` is an object; `example` shows one. */
export function requireOptions(where: string, options: unknown, example: string): void {
  if (typeof options === "object" && options !== null) return;
  throw new TypeError(
    `${where}: got ${describeValue(options)}, needs an object such as ${example}`,
  );
}

/**
 * Throws `TypeError` if `options` has a name that is not among `names`: a misspelt one would be ignored in silence. `instead` says what to
 * use for names that are known from elsewhere.
 */
export function requireKnown(
  where: string,
  options: object,
  names: Readonly<Record<string, true>>,
  instead: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const remedy = Object.hasOwn(instead, name)
      ? `use ${instead[name]}`
      : `there are ${Object.keys(names).join(", ")}`;
    throw new TypeError(`${where}({ ${name} }): there is no such option; ${remedy}`);
  }
}

/** Throws `TypeError` unless `flag` is `true` or `false`. */
export function requireFlag(where: string, flag: unknown): void {
  if (typeof flag !== "boolean")
    throw new TypeError(`${where}: got ${describeValue(flag)}, needs true or false`);
}

/** Throws unless `time` is a number of milliseconds; `Infinity` and negative numbers are. */
export function requireTime(where: string, time: unknown): void {
  if (typeof time !== "number")
    throw new TypeError(`${where}: got ${describeValue(time)}, needs a number of milliseconds`);
  if (Number.isNaN(time)) throw new RangeError(`${where}: got NaN, needs a number of milliseconds`);
}

/** Throws unless `count` is a whole number from `min` on, or `Infinity` where that is allowed. */
export function requireCount(
  where: string,
  count: unknown,
  min: number,
  infinityAllowed = true,
): void {
  const needed = `needs a whole number, at least ${min}${infinityAllowed ? ", or Infinity" : ""}`;
  if (typeof count !== "number")
    throw new TypeError(`${where}: got ${describeValue(count)}, ${needed}`);
  if (infinityAllowed && count === Infinity) return;
  if (!Number.isInteger(count) || count < min)
    throw new RangeError(`${where}: got ${count}, ${needed}`);
}

/** A short description of any value, for messages. */
export function describeValue(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  if (typeof value === "object" && value !== null)
    return `an object of ${value.constructor?.name ?? "no class"}`;
  return String(value);
}
