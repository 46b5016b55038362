import { type ErrorMatcher, ExceptionGroup, toPredicate } from "../core/exception-group.ts";

/** Describes one error of a group: a class, a predicate, a pattern for the message, or a list for a nested group. */
export type GroupPattern = ErrorMatcher | RegExp | readonly GroupPattern[];

/**
 * Whether `error` is an `ExceptionGroup` with exactly these errors, in any order, nested as given.
 * Counterpart: `pytest.RaisesGroup`.
 *
 * @example A group with a nested group
 * ```ts
 * import { ExceptionGroup } from "arborio";
 * import { matchesExceptionGroup } from "arborio/testing";
 *
 * const error = new ExceptionGroup([new TypeError("a"), new ExceptionGroup([new RangeError("b")])]);
 * console.assert(matchesExceptionGroup(error, [[RangeError], /^a$/]));
 * ```
 */
export function matchesExceptionGroup(
  error: unknown,
  patterns: readonly GroupPattern[],
): error is ExceptionGroup {
  return error instanceof ExceptionGroup && pairsUp(error.errors, patterns);
}

/** Throws an error that shows both sides unless `matchesExceptionGroup`. */
export function assertExceptionGroup(
  error: unknown,
  patterns: readonly GroupPattern[],
): asserts error is ExceptionGroup {
  if (matchesExceptionGroup(error, patterns)) return;
  const actual = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  throw new Error(
    `assertExceptionGroup: got ${actual}\nneeded an ExceptionGroup of ${describePatterns(patterns)}`,
    { cause: error },
  );
}

/**
 * Finds a pairing of errors and patterns: a pattern may match several errors, so the first fit is not always the right one.
 * By augmenting paths, since trying all orders would take for ever with a dozen errors of one class.
 */
function pairsUp(errors: readonly unknown[], patterns: readonly GroupPattern[]): boolean {
  if (errors.length !== patterns.length) return false;
  const fits = patterns.map((pattern) => errors.map((error) => matchesOne(error, pattern)));
  const patternOf = new Map<number, number>();
  const place = (pattern: number, tried: Set<number>): boolean =>
    errors.some((_, error) => {
      if (fits[pattern]?.[error] !== true || tried.has(error)) return false;
      tried.add(error);
      const holder = patternOf.get(error);
      if (holder !== undefined && !place(holder, tried)) return false;
      patternOf.set(error, pattern);
      return true;
    });
  return patterns.every((_, pattern) => place(pattern, new Set()));
}

function matchesOne(error: unknown, pattern: GroupPattern): boolean {
  if (Array.isArray(pattern))
    return matchesExceptionGroup(error, pattern as readonly GroupPattern[]);
  if (pattern instanceof RegExp) return error instanceof Error && pattern.test(error.message);
  return toPredicate(pattern as ErrorMatcher)(error);
}

function describePatterns(patterns: readonly GroupPattern[]): string {
  const one = (pattern: GroupPattern): string => {
    if (Array.isArray(pattern)) return describePatterns(pattern as readonly GroupPattern[]);
    return pattern instanceof RegExp
      ? String(pattern)
      : (pattern as { name: string }).name || "a predicate";
  };
  return `[${patterns.map(one).join(", ")}]`;
}
