/** Marks every error class of the library; the registry symbol is the same in two loaded copies of the package. */
const BRAND: unique symbol = Symbol.for("arborio.error") as never;

interface Branded {
  readonly [BRAND]: readonly string[];
}

/** All classes of the library that are loaded, by their codes. */
const classes: Map<string, { readonly prototype: Error }> = new Map();

/** The library's error class with this code, if it is loaded: for errors that come from another thread. */
export function brandedClass(code: string): { readonly prototype: Error } | undefined {
  return classes.get(code);
}

/**
 * Gives an error class its name (bundlers change the one it has) and its stable `code`, and makes `instanceof` recognise
 * instances made by another loaded copy of the package: the prototype lists the codes of the class and its branded
 * ancestors. `"WouldBlock"` has the code `"ARBORIO_WOULD_BLOCK"`, `"TimeoutError"` the code `"ARBORIO_TIMEOUT"`.
 */
export function brandError(errorClass: { readonly prototype: Error }, name: string): void {
  const { prototype } = errorClass;
  const code = codeOf(name);
  classes.set(code, errorClass);
  const inherited = (prototype as Partial<Branded>)[BRAND] ?? [];
  for (const [key, value] of [
    ["name", name],
    ["code", code],
    [BRAND, [...inherited, code]],
  ] as const) {
    Object.defineProperty(prototype, key, { value, configurable: true, writable: true });
  }
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    configurable: true,
    value(this: unknown, candidate: unknown): boolean {
      // A user's subclass inherits this function; it has no code of its own, so the ordinary rule is the right one for it.
      return this === errorClass
        ? hasCode(candidate, code)
        : Function.prototype[Symbol.hasInstance].call(this, candidate);
    },
  });
}

function codeOf(name: string): string {
  const words = name.replace(/^Arborio|(?<=.)Error$/, "").replace(/(?<=[a-z])(?=[A-Z])/g, "_");
  return `ARBORIO_${words.toUpperCase()}`;
}

/** Whether `candidate` is an error of the library with this code, or of a class derived from the one with this code. */
export function hasCode(candidate: unknown, code: string): boolean {
  if (typeof candidate !== "object" || candidate === null) return false;
  const codes = (candidate as Partial<Branded>)[BRAND];
  // Objects that answer every question, such as proxies of remote ones, are thrown too.
  return Array.isArray(codes) && codes.includes(code);
}
