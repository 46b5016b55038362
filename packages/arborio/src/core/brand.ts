/** Marks every error class of the library; the registry symbol is the same in two loaded copies of the package. */
const BRAND: unique symbol = Symbol.for("arborio.error") as never;

interface Branded {
  readonly [BRAND]: readonly string[];
}

/**
 * Gives an error class its stable `code` and its name, and makes `instanceof` recognise instances made by another loaded
 * copy of the package: the prototype lists the codes of the class and its branded ancestors.
 */
export function brandError(
  errorClass: { readonly prototype: Error; readonly name: string },
  code: string,
): void {
  const prototype = errorClass.prototype;
  const inherited = (prototype as Partial<Branded>)[BRAND] ?? [];
  const constant = (value: unknown): PropertyDescriptor => ({
    value,
    configurable: true,
    writable: true,
  });
  Object.defineProperties(prototype, {
    name: constant(errorClass.name),
    code: constant(code),
    [BRAND]: constant([...inherited, code]),
  });
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

/** Whether `candidate` is an error of the library with this code, or of a class derived from the one with this code. */
export function hasCode(candidate: unknown, code: string): boolean {
  if (typeof candidate !== "object" || candidate === null) return false;
  const codes = (candidate as Partial<Branded>)[BRAND];
  return codes !== undefined && codes.includes(code);
}
