import { brandError, hasCode } from "./brand.ts";
import { textOf } from "./exception-text.ts";

/** What `brandError` makes of the class's name. */
const CODE = "ARBORIO_CANCELLED";
const INTERNAL: unique symbol = Symbol("arborio.internal");

/**
 * What every checkpoint throws inside a cancelled scope. One object per cancellation, shared by all who see it, never
 * changed, without a stack. Only scopes make it and only scopes take it away; code that catches it should throw it on.
 * Counterpart: `trio.Cancelled`.
 */
export class Cancelled extends Error {
  /** `"ARBORIO_CANCELLED"`. */
  declare readonly code: string;
  /** The reason of the first `cancel(reason)`, or the string `"deadline exceeded"`. */
  readonly reason: unknown;

  /** @internal */
  constructor(reason: unknown, key: typeof INTERNAL) {
    if (key !== INTERNAL) {
      throw new TypeError(
        "new Cancelled(…): not for users; cancel a scope instead: scope.cancel(reason)",
      );
    }
    super(describeReason(reason));
    this.reason = reason;
  }
}
brandError(Cancelled, "Cancelled");

/** Makes the one `Cancelled` of a cancellation, without the cost of a stack that would only show who called `cancel`. */
export function createCancelled(reason: unknown): Cancelled {
  const limit = Error.stackTraceLimit;
  // Reflect.set, since the property is read-only under `--frozen-intrinsics`; then a stack is captured, and nothing else changes.
  const changed = Reflect.set(Error, "stackTraceLimit", 0);
  const cancelled = new Cancelled(reason, INTERNAL);
  if (changed) Error.stackTraceLimit = limit;
  return cancelled;
}

/** Whether `error` is a `Cancelled`, of this or of another loaded copy of the package. */
export function isCancelled(error: unknown): error is Cancelled {
  return hasCode(error, CODE);
}

function describeReason(reason: unknown): string {
  return reason === undefined ? "cancelled" : textOf(reason);
}
