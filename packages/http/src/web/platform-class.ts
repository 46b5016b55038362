/**
 * What makes a class of ours pass for the platform's: `instanceof` holds, by the chain of prototypes, and members that the platform
 * has and we do not are inherited. The platform's constructor, which costs microseconds, is never called.
 */
export function actAs<Ours extends object>(
  ours: { readonly prototype: Ours },
  theirs: { readonly prototype: object },
  describe: (self: Ours) => object,
): void {
  Object.setPrototypeOf(ours, theirs);
  Object.setPrototypeOf(ours.prototype, theirs.prototype);
  // What the platform's class shows of itself is in private fields that ours has not: console.log would throw.
  Object.defineProperties(ours.prototype, {
    [Symbol.for("nodejs.util.inspect.custom")]: {
      value(this: Ours): object {
        return describe(this);
      },
      configurable: true,
    },
    [Symbol.for("Deno.privateCustomInspect")]: {
      value(this: Ours, inspect: (value: unknown, options: unknown) => string, options: unknown) {
        return inspect(describe(this), options);
      },
      configurable: true,
    },
  });
}
