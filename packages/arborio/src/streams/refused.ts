import { ambientScope } from "../core/ambient.ts";

/**
 * A promise rejected with `error`, for an operation that may not begin. It is a checkpoint like every other: where the flow is
 * cancelled, that is what it says.
 */
export function refused(error: unknown): Promise<never> {
  const scope = ambientScope();
  return scope.kernel.rejected(scope.refuse() ?? error);
}

/** `refused` with what `check` throws; `null` if it does not throw. */
export function refusedBy(check: () => void): Promise<never> | null {
  try {
    check();
    return null;
  } catch (error) {
    return refused(error);
  }
}

/** `refusedBy` of a check that is known to fail: only then is it worth a closure. */
export function mustRefuse(check: () => void): Promise<never> {
  return refusedBy(check) as Promise<never>;
}
