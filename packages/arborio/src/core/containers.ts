/** Errors that hold errors: what a scope looks into for its `Cancelled` leaves. */
import { ExceptionGroup } from "./exception-group.ts";

/** `AggregateError`, `ExceptionGroup`, or `SuppressedError`. */
export type Container = (Error & { readonly errors: unknown[] }) | SuppressedErrorLike;

/** Known by name and fields: Node 22 has no such global, and compiled code brings its own. */
interface SuppressedErrorLike extends Error {
  readonly error: unknown;
  readonly suppressed: unknown;
}

export function isContainer(error: unknown): error is Container {
  // `errors` is an ordinary property, which anybody may have deleted.
  return error instanceof AggregateError ? Array.isArray(error.errors) : isSuppressedError(error);
}

function isSuppressedError(error: unknown): error is SuppressedErrorLike {
  return (
    error instanceof Error &&
    error.name === "SuppressedError" &&
    "error" in error &&
    "suppressed" in error
  );
}

export function errorsIn(container: Container): readonly unknown[] {
  return isSuppressedError(container) ? [container.error, container.suppressed] : container.errors;
}

/**
 * What remains of groups that task groups built when cancellation is taken out; without cancellation it is the group itself.
 * Without this, a failure 10,000 groups deep would be searched whole at each level.
 */
const realParts: WeakMap<object, ExceptionGroup> = new WeakMap();

/** Remembers that `real` is `group` without its `Cancelled` leaves. */
export function rememberRealPart(group: ExceptionGroup, real: ExceptionGroup): void {
  realParts.set(group, real);
}

/** The part of `container` that is not cancellation, if it is known already. */
export function realPartOf(container: Container): ExceptionGroup | undefined {
  return realParts.get(container);
}

/**
 * `container` with only the `kept` errors, of which there is at least one. An `ExceptionGroup` keeps its nesting, message and
 * cause; a plain `AggregateError` is copied, the original as cause; a `SuppressedError` that lost one side is the other; a
 * foreign subclass cannot be copied without knowing it, so it passes unchanged.
 */
export function rebuilt(container: Container, kept: unknown[]): unknown {
  if (isSuppressedError(container))
    return kept.length === 1 ? kept[0] : rebuiltSuppressed(container, kept);
  if (container instanceof ExceptionGroup) return container.derive(kept);
  if (Object.getPrototypeOf(container) !== AggregateError.prototype) return container;
  return new AggregateError(kept, container.message, { cause: container });
}

function rebuiltSuppressed(original: SuppressedErrorLike, kept: unknown[]): Error {
  const copy = new Error(original.message, { cause: original });
  return Object.defineProperties(copy, {
    name: { value: "SuppressedError", configurable: true, writable: true },
    error: { value: kept[0], configurable: true, writable: true },
    suppressed: { value: kept[1], configurable: true, writable: true },
  });
}
