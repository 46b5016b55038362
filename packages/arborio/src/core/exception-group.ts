import { ExceptionGroupText } from "./exception-text.ts";
import { brandError } from "./brand.ts";

/** Chooses errors: an error class, or a predicate. */
export type ErrorMatcher = ErrorClass | ((error: unknown) => boolean);

/** Any class of errors, also abstract ones. */
export type ErrorClass<E = unknown> = abstract new (...args: never[]) => E;

/** Options of an `ExceptionGroup`. */
export interface ExceptionGroupOptions {
  /** What led to the group, as in `Error`. */
  readonly cause?: unknown;
}

/**
 * Several errors as one, in a tree. Task groups throw it, always, also for a single error; nested groups nest. `message`
 * shows the tree, in bounded space. Counterpart: Python's `ExceptionGroup` (PEP 654).
 *
 * @example Take a group apart
 * ```ts
 * import { ExceptionGroup } from "arborio";
 *
 * const group = new ExceptionGroup([new TypeError("a"), new RangeError("b")], "two things failed");
 * const [types, others] = group.split(TypeError);
 * console.assert(types?.leaves().length === 1 && others?.leaves().length === 1);
 * ```
 */
export class ExceptionGroup extends AggregateError {
  /** `"ARBORIO_EXCEPTION_GROUP"`. */
  declare readonly code: string;
  /** The message without the tree. */
  readonly title: string;

  /**
   * Makes a group; its message is the title and a tree of the errors.
   *
   * @throws RangeError if there are no errors.
   */
  constructor(
    errors: Iterable<unknown>,
    title = "several errors",
    options: ExceptionGroupOptions = {},
  ) {
    const list = [...errors];
    if (list.length === 0)
      throw new RangeError("new ExceptionGroup(errors): got no errors, needs at least one");
    super(
      list,
      new ExceptionGroupText(title, list).toString(),
      "cause" in options ? { cause: options.cause } : {},
    );
    this.title = title;
  }

  /** A group with these errors and the title and cause of this one. */
  derive(errors: Iterable<unknown>): ExceptionGroup {
    return new ExceptionGroup(errors, this.title, "cause" in this ? { cause: this.cause } : {});
  }

  /** All errors that are not groups themselves, depth first, in order. */
  leaves(): unknown[] {
    const leaves: unknown[] = [];
    const stack: unknown[] = [this];
    while (stack.length > 0) {
      const error = stack.pop();
      if (!(error instanceof ExceptionGroup)) leaves.push(error);
      else
        for (let index = error.errors.length - 1; index >= 0; index--)
          stack.push(error.errors[index]);
    }
    return leaves;
  }

  /**
   * Parts the group into what `matcher` accepts and what it does not, both keeping the nesting; `undefined` for an empty part.
   * A nested group that a predicate accepts as a whole is taken as a whole.
   */
  split(
    matcher: ErrorMatcher,
  ): [matched: ExceptionGroup | undefined, rest: ExceptionGroup | undefined] {
    const accepts = toPredicate(matcher);
    if (accepts(this)) return [this, undefined];
    const root = new SplitFrame(this);
    const stack: SplitFrame[] = [root];
    for (;;) {
      const frame = stack[stack.length - 1] as SplitFrame;
      if (frame.index < frame.group.errors.length) {
        const error: unknown = frame.group.errors[frame.index++];
        if (accepts(error)) frame.matched.push(error);
        else if (error instanceof ExceptionGroup) stack.push(new SplitFrame(error));
        else frame.rest.push(error);
        continue;
      }
      stack.pop();
      const above = stack[stack.length - 1];
      const [matched, rest] = frame.parts();
      if (above === undefined) return [matched, rest];
      if (matched !== undefined) above.matched.push(matched);
      if (rest !== undefined) above.rest.push(rest);
    }
  }

  /** The part of the group that `matcher` accepts, keeping the nesting; `undefined` if there is none. */
  subgroup(matcher: ErrorMatcher): ExceptionGroup | undefined {
    return this.split(matcher)[0];
  }
}
brandError(ExceptionGroup, "ExceptionGroup");

class SplitFrame {
  readonly group: ExceptionGroup;
  readonly matched: unknown[] = [];
  readonly rest: unknown[] = [];
  index = 0;

  constructor(group: ExceptionGroup) {
    this.group = group;
  }

  parts(): [ExceptionGroup | undefined, ExceptionGroup | undefined] {
    return [this.#part(this.matched), this.#part(this.rest)];
  }

  #part(errors: unknown[]): ExceptionGroup | undefined {
    if (errors.length === 0) return undefined;
    const whole =
      errors.length === this.group.errors.length &&
      errors.every((error, at) => error === this.group.errors[at]);
    return whole ? this.group : this.group.derive(errors);
  }
}

/** A class is told from a predicate by its prototype: classes of errors inherit from `Error`. */
export function toPredicate(matcher: ErrorMatcher): (error: unknown) => boolean {
  if (typeof matcher !== "function")
    throw new TypeError(
      `error matcher: got ${typeof matcher}, needs an error class or a predicate`,
    );
  const prototype: unknown = matcher.prototype;
  const isClass =
    matcher === (Error as unknown) || (typeof prototype === "object" && prototype instanceof Error);
  return isClass
    ? (error) => error instanceof (matcher as ErrorClass)
    : (matcher as (error: unknown) => boolean);
}
