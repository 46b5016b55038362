/**
 * Whose cancellation is it? Decided on the way out (Trio's rule): the outermost cancelled scope that the error passes owns it.
 * A scope owns every `Cancelled` that reaches it if it was cancelled itself and no visible ancestor is; it takes them away,
 * also out of containers, and lets the rest pass.
 */
import { inheritedCancellation } from "./cancel-tree.ts";
import { type Cancelled, isCancelled } from "./cancelled.ts";
import { type Container, errorsIn, isContainer, realPartOf, rebuilt } from "./containers.ts";
import { StrayCancelledError } from "./errors.ts";
import { CAUGHT } from "./flags.ts";
import type { CancelScope } from "./scope.ts";

/** Nothing is left of an error: all of it was cancellation. */
export const NOTHING: unique symbol = Symbol("nothing left");

/** Whether `scope` owns the cancellation that reaches it now. */
export function ownsCancellation(scope: CancelScope): boolean {
  return scope.own !== null && inheritedCancellation(scope) === null;
}

/**
 * What of `error` leaves `scope`: `NOTHING` if all of it was cancellation owned here, a `StrayCancelledError` for a
 * `Cancelled` that no scope around explains, else the error without the leaves owned here. Sets `cancelledCaught`.
 */
export function withoutOwned(scope: CancelScope, error: unknown): unknown {
  // The usual case first: what this scope's checkpoints throw.
  const pure = error === scope.applied ? scope.applied : pureCancellation(error);
  if (pure !== null) {
    if (ownsCancellation(scope)) {
      scope.flags |= CAUGHT;
      return NOTHING;
    }
    return isStray(scope) ? strayError(scope, pure) : pure;
  }
  if (!isContainer(error) || !ownsCancellation(scope)) return error;
  const rest = withoutCancellation(error);
  if (rest !== error) scope.flags |= CAUGHT;
  return rest;
}

/** The first `Cancelled` of an error that is nothing but cancellation; `null` for every other error. */
export function pureCancellation(error: unknown): Cancelled | null {
  if (isCancelled(error)) return error;
  if (!isContainer(error)) return null;
  let first: Cancelled | null = null;
  const stack: unknown[] = [error];
  const seen: Set<unknown> = new Set();
  while (stack.length > 0) {
    const next = stack.pop();
    if (isCancelled(next)) first = next;
    else if (!isContainer(next) || realPartOf(next) !== undefined) return null;
    else if (!seen.has(next)) {
      seen.add(next); // errors may hold themselves
      for (const error of errorsIn(next)) stack.push(error);
    }
  }
  return first;
}

/** `error` without its `Cancelled` leaves: itself if it has none, `NOTHING` if it has nothing else. Iterative: groups nest deep. */
export function withoutCancellation(error: unknown): unknown {
  if (isCancelled(error)) return NOTHING;
  if (!isContainer(error)) return error;
  const known = realPartOf(error);
  if (known !== undefined) return known;
  const stack: Frame[] = [new Frame(error)];
  const entered: Set<unknown> = new Set([error]);
  for (;;) {
    const frame = stack[stack.length - 1] as Frame;
    if (frame.index < frame.errors.length) {
      const child = frame.errors[frame.index++];
      const part = isContainer(child) ? realPartOf(child) : isCancelled(child) ? NOTHING : child;
      if (part !== undefined || !isContainer(child)) frame.keep(part, child);
      else if (entered.has(child)) frame.keep(child, child); // an error that holds itself
      else {
        entered.add(child);
        stack.push(new Frame(child));
      }
      continue;
    }
    stack.pop();
    entered.delete(frame.container);
    const rest = frame.rest();
    const above = stack[stack.length - 1];
    if (above === undefined) return rest;
    above.keep(rest, frame.container);
  }
}

class Frame {
  readonly container: Container;
  readonly errors: readonly unknown[];
  readonly #kept: unknown[] = [];
  index = 0;
  #changed = false;

  constructor(container: Container) {
    this.container = container;
    this.errors = errorsIn(container);
  }

  keep(rest: unknown, original: unknown): void {
    if (rest !== NOTHING) this.#kept.push(rest);
    if (rest !== original) this.#changed = true;
  }

  rest(): unknown {
    if (!this.#changed) return this.container;
    return this.#kept.length === 0 ? NOTHING : rebuilt(this.container, this.#kept);
  }
}

/** Whether no scope from here to the root was cancelled. Shields do not count: the error may have crossed one. */
export function isStray(from: CancelScope): boolean {
  for (let scope: CancelScope | null = from; scope !== null; scope = scope.parent) {
    if (scope.applied !== null || scope.own !== null) return false;
  }
  return true;
}

/** The ordinary failure that a stray `Cancelled` becomes. */
export function strayError(scope: CancelScope, cancelled: Cancelled): StrayCancelledError {
  return new StrayCancelledError(
    `a Cancelled (${cancelled.message}) came out of ${scope.task.describe()}, but nothing around it was cancelled: ` +
      "it was stored, or came through a promise shared with another task",
    { cause: cancelled },
  );
}
