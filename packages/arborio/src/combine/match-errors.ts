import { describeValue, requireFunction } from "../core/arguments.ts";
import { type Cancelled, isCancelled } from "../core/cancelled.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { errorsIn, isContainer } from "../core/containers.ts";
import { type ErrorMatcher, ExceptionGroup, toPredicate } from "../core/exception-group.ts";
import { NOTHING, withoutCancellation } from "../core/ownership.ts";
import { suppressedError } from "./failures.ts";

/** What is done about one kind of errors: an error class or a predicate, and what gets the group of those it matches. */
export type ErrorCase<R = unknown> = readonly [
  matcher: ErrorMatcher,
  handler: (group: ExceptionGroup) => R | PromiseLike<R>,
];

/**
 * Runs `fn`, and deals with the errors it throws, sorted by kind: `except*` of Python. A handler runs once, for all errors of
 * its kind that no case before it took, wherever in the tree they are. A bare error is sorted like a group of one.
 * Cancellation is never matched: it passes, together with what else is left.
 *
 * @param fn what may throw; runs in the caller's own task.
 * @param cases tried in order. Matchers see single errors, never groups. A handler gets an `ExceptionGroup`, pruned to its
 *   errors with the nesting kept. If it throws the very group it got, that counts as not handled.
 * @returns what `fn` returns; if all its errors were handled, what the first handler that ran returns.
 * @throws what no handler took: a bare error bare, a group as the pruned group.
 * @throws ExceptionGroup if handlers of a group throw: of what they throw, then what no handler took. For a bare error, what
 *   its handler throws is thrown bare.
 * @throws TypeError if an argument is of the wrong kind.
 * @throws Cancelled if cancelled.
 *
 * Counterpart: `except*` (PEP 654).
 *
 * @example Missing is fine, anything else is not
 * ```ts
 * import { matchErrors, run, taskGroup } from "arborio";
 *
 * await run(async () => {
 *   const missing = await matchErrors(
 *     () => taskGroup((group) => void group.startSoon(() => Promise.reject(new RangeError("missing")))),
 *     [[RangeError, (group) => group.leaves().length]],
 *   );
 *   console.assert(missing === 1);
 * });
 * ```
 */
export async function matchErrors<T, const C extends readonly ErrorCase[]>(
  fn: () => T | PromiseLike<T>,
  cases: C,
): Promise<T | Awaited<ReturnType<C[number][1]>>> {
  await checkpoint();
  requireFunction("matchErrors", fn);
  if (!Array.isArray(cases) || !cases.every(Array.isArray)) {
    throw new TypeError(
      `matchErrors(fn, cases): got ${describeValue(cases)}, needs a list of pairs: [[NotFound, (group) => …]]`,
    );
  }
  for (const [matcher, handler] of cases) {
    toPredicate(matcher);
    requireFunction("matchErrors([[matcher, handler]])", handler);
  }
  try {
    return await fn();
  } catch (error) {
    const sorting = new Sorting(error);
    for (const one of cases) await sorting.handle(one);
    return sorting.result() as Awaited<ReturnType<C[number][1]>>;
  }
}

class Sorting {
  /** All but cancellation. */
  readonly #real: ExceptionGroup | null;
  readonly #wasBare: boolean;
  /** What no case has matched yet. */
  #left: ExceptionGroup | undefined;
  readonly #handled: Set<unknown> = new Set();
  readonly #thrown: unknown[] = [];
  #cancelled: Cancelled | null;
  #first: { readonly value: unknown } | null = null;

  constructor(error: unknown) {
    const real = withoutCancellation(error);
    this.#cancelled = real === error ? null : firstCancellation(error);
    this.#wasBare = !(real instanceof ExceptionGroup);
    if (real === NOTHING) this.#real = null;
    else
      this.#real =
        real instanceof ExceptionGroup ? real : new ExceptionGroup([real], "a bare error");
    this.#left = this.#real ?? undefined;
  }

  async handle([matcher, handler]: ErrorCase): Promise<void> {
    const accepts = toPredicate(matcher);
    const [matched, left] = this.#left?.split((error) => !isGroup(error) && accepts(error)) ?? [];
    if (matched === undefined) return;
    this.#left = left;
    try {
      const value = await handler(matched);
      this.#first ??= { value };
    } catch (thrown) {
      if (thrown === matched) return;
      if (isCancelled(thrown)) this.#cancelled ??= thrown;
      else this.#thrown.push(thrown);
    }
    for (const leaf of matched.leaves()) this.#handled.add(leaf);
  }

  /** Value of the first handler; throws what is left. */
  result(): unknown {
    const left = this.#real?.split((error) => this.#handled.has(error))[1];
    const error = this.#wasBare ? this.#bareRest(left) : this.#groupRest(left);
    if (error !== NOTHING) throw error;
    if (this.#cancelled !== null) throw this.#cancelled;
    return this.#first?.value;
  }

  #bareRest(left: ExceptionGroup | undefined): unknown {
    const rest = left === undefined ? this.#thrown : left.errors;
    if (rest.length === 0) return NOTHING;
    return this.#cancelled === null ? rest[0] : suppressedError(rest[0], this.#cancelled);
  }

  #groupRest(left: ExceptionGroup | undefined): unknown {
    const rest = left === undefined ? this.#thrown : [...this.#thrown, left];
    if (rest.length === 0) return NOTHING;
    const group =
      left !== undefined && rest.length === 1
        ? left
        : new ExceptionGroup(rest, "errors while handling errors");
    return this.#cancelled === null ? group : group.derive([...group.errors, this.#cancelled]);
  }
}

function isGroup(error: unknown): boolean {
  return error instanceof ExceptionGroup;
}

/** The first `Cancelled` in a tree of errors that has one. Iterative: groups nest deep. */
function firstCancellation(error: unknown): Cancelled | null {
  const stack: unknown[] = [error];
  const seen: Set<unknown> = new Set();
  while (stack.length > 0) {
    const next = stack.pop();
    if (isCancelled(next)) return next;
    if (!isContainer(next) || seen.has(next)) continue;
    seen.add(next); // errors may hold themselves
    for (const inner of errorsIn(next).toReversed()) stack.push(inner);
  }
  return null;
}
