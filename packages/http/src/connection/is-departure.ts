import { BrokenResourceError, Cancelled, ExceptionGroup } from "arborio";

/**
 * Whether an error of a handler says no more than that its client has gone: that nothing can be sent any more, that it was cancelled,
 * or both at once, as tasks beside one another say it. Ask only when the client has gone.
 */
export function isDeparture(error: unknown): boolean {
  if (error instanceof Cancelled) return true;
  if (error instanceof ExceptionGroup) return error.leaves().every(isDeparture);
  if (error instanceof BrokenResourceError) return suppressedBy(error).every(isDeparture);
  // Also where the runtime has no such class.
  if (error instanceof Error && error.name === "SuppressedError" && "error" in error)
    return isDeparture(error.error) && suppressedBy(error).every(isDeparture);
  return false;
}

/** What came later, which combinators attach to the first error. */
function suppressedBy(error: Error & { readonly suppressed?: unknown }): readonly unknown[] {
  const { suppressed = [] } = error;
  return Array.isArray(suppressed) ? suppressed : [suppressed];
}
