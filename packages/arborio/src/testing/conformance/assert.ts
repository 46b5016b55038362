/** A few assertions of our own: the suites must run under any test runner, on any host, without its modules. */

/** Something a test expected does not hold. */
class ConformanceError extends Error {}

/** An error class, a predicate, or a pattern for the message. */
export type Matcher = (abstract new (...args: never[]) => unknown) | RegExp;

export function ok(value: unknown, message = "needed a true value"): asserts value {
  if (!value) throw new ConformanceError(`${message}: got ${show(value)}`);
}

/** The same value, by `Object.is`. */
export function equal<T>(actual: T, expected: T, message = "not equal"): void {
  if (!Object.is(actual, expected))
    throw new ConformanceError(`${message}: got ${show(actual)}, needed ${show(expected)}`);
}

/** The same lists and plain objects, down to the same values. */
export function deepEqual(actual: unknown, expected: unknown, message = "not equal"): void {
  if (!same(actual, expected))
    throw new ConformanceError(`${message}: got ${show(actual)}, needed ${show(expected)}`);
}

/** An instance of `errorClass`. */
export function instance<T>(
  value: unknown,
  errorClass: abstract new (...args: never[]) => T,
): asserts value is T {
  if (!(value instanceof errorClass))
    throw new ConformanceError(`got ${show(value)}, needed a ${errorClass.name}`);
}

/** `fn` throws synchronously. @returns what it throws. */
export function throws(fn: () => unknown, matcher: Matcher): unknown {
  let result: unknown;
  try {
    result = fn();
  } catch (error) {
    match(error, matcher);
    return error;
  }
  throw new ConformanceError(`got ${show(result)}, needed it to throw ${show(matcher)}`);
}

/** `promise` rejects. @returns what with. */
export async function rejects(promise: PromiseLike<unknown>, matcher: Matcher): Promise<unknown> {
  const error = await errorOf(promise);
  match(error, matcher);
  return error;
}

/** What `promise` rejects with; fails if it does not. */
export async function errorOf(promise: PromiseLike<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  throw new ConformanceError(`got ${show(result)}, needed a rejection`);
}

function match(error: unknown, matcher: Matcher): void {
  const matches =
    matcher instanceof RegExp
      ? error instanceof Error && matcher.test(error.message)
      : error instanceof matcher;
  if (!matches)
    throw new ConformanceError(`got ${show(error)}, needed ${show(matcher)}`, { cause: error });
}

function same(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected)) return true;
  if (Array.isArray(actual) && Array.isArray(expected))
    return (
      actual.length === expected.length &&
      actual.every((item, index) => same(item, expected[index]))
    );
  if (!isPlain(actual) || !isPlain(expected)) return false;
  const keys = Object.keys(actual);
  return (
    keys.length === Object.keys(expected).length &&
    keys.every((key) => Object.hasOwn(expected, key) && same(actual[key], expected[key]))
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === "function") return value.name || "a function";
  if (value instanceof RegExp || typeof value !== "object") return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "an object";
  }
}
