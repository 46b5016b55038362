import type { Cancelled } from "./cancelled.ts";
import { isContainer, realPartOf, rememberRealPart } from "./containers.ts";
import { TaskFailed } from "./errors.ts";
import { ExceptionGroup } from "./exception-group.ts";

const TITLE = "unhandled errors in a task group";

/**
 * The one error of a failed task group, from its errors without their cancellation. It has one `Cancelled` as the last leaf if
 * a visible ancestor is cancelled, so that the ancestor finds it and its `cancelledCaught` is right.
 */
export function groupError(
  errors: readonly unknown[],
  inherited: Cancelled | null,
): ExceptionGroup {
  const real = withoutRepeats(errors);
  const group = new ExceptionGroup(real, TITLE);
  // Foreign subclasses of AggregateError pass unchanged and may still hold a Cancelled.
  const isReal = real.every((error) => !isContainer(error) || realPartOf(error) === error);
  if (isReal) rememberRealPart(group, group);
  if (inherited === null) return group;
  const withCancellation = new ExceptionGroup([...real, inherited], TITLE);
  if (isReal) rememberRealPart(withCancellation, group);
  return withCancellation;
}

/** Leaves out each `TaskFailed` whose cause is in the group too: nothing is swallowed, nothing reported twice. */
function withoutRepeats(errors: readonly unknown[]): readonly unknown[] {
  if (!errors.some((error) => error instanceof TaskFailed)) return errors;
  const present = new Set<unknown>(errors);
  for (const error of errors)
    if (error instanceof ExceptionGroup) for (const leaf of error.leaves()) present.add(leaf);
  return errors.filter((error) => !(error instanceof TaskFailed && present.has(error.cause)));
}
