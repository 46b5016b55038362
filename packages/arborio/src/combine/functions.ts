/** What the combinators take: functions, never promises, so that all begins inside and nothing is left outside. */
import { describeValue } from "../core/arguments.ts";

/** A function that may wait. */
export type Work<T = unknown> = () => T | PromiseLike<T>;

/** What a function returns in the end. */
export type ValueOf<F> = F extends () => infer R ? Awaited<R> : never;

/** Values in the order of the functions: a tuple of functions gives a tuple of values. */
export type ValuesOf<F extends readonly Work[]> = { -readonly [K in keyof F]: ValueOf<F[K]> };

/** The functions as a list, all checked before the first is called. */
export function requireFunctions<F extends Work>(where: string, fns: Iterable<F>): readonly F[] {
  if (!isIterable(fns)) {
    throw new TypeError(
      `${where}: got ${describeValue(fns)}, needs an iterable of functions; write ${where}([() => work()])`,
    );
  }
  const list = [...fns];
  for (let index = 0; index < list.length; index++) requireItem(where, String(index), list[index]);
  return list;
}

/** `requireFunctions` for combinators that have no answer without a function. */
export function requireSomeFunctions<F extends Work>(
  where: string,
  fns: Iterable<F>,
): readonly F[] {
  const list = requireFunctions(where, fns);
  if (list.length === 0)
    throw new RangeError(`${where}: got no functions, needs at least one: none could ever settle`);
  return list;
}

/** The names and functions of a record, all checked before the first is called. */
export function requireRecord(where: string, fns: unknown): readonly [name: string, fn: Work][] {
  // A promise has no entries and would pass for an empty record.
  if (typeof fns !== "object" || fns === null || "then" in fns) {
    throw new TypeError(
      `${where}: got ${describeValue(fns)}, needs an iterable or a record of functions; write ${where}([() => work()])`,
    );
  }
  const entries = Object.entries(fns);
  for (const [name, fn] of entries) requireItem(where, name, fn);
  return entries as [string, Work][];
}

export function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    value !== undefined &&
    value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function"
  );
}

function requireItem(where: string, key: string, fn: unknown): void {
  if (typeof fn === "function") return;
  if (typeof fn === "object" && fn !== null && "then" in fn) {
    throw new TypeError(
      `${where}: item ${key} is a promise, needs a function that returns one, so that it starts inside; ` +
        `write () => work() instead of work()`,
    );
  }
  throw new TypeError(`${where}: item ${key} is ${describeValue(fn)}, needs a function`);
}

/** Name of the task that runs a function, for the task tree. */
export function taskName(where: string, fn: Work, index: number): string {
  return fn.name === "" ? `${where}[${index}]` : fn.name;
}
