import { isCancelled } from "../core/cancelled.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";

/** The runtimes do file operations in a few threads; more at once would only wait for one. */
const AT_ONCE_MAX = 8;

/**
 * Calls `fn` with each item, a few at once. The first failure is thrown, bare, when those that run have ended; no other begins. Not a
 * checkpoint itself if there are no items.
 */
export async function eachOf<T>(
  items: readonly T[],
  fn: (item: T) => Promise<void>,
): Promise<void> {
  const [only] = items;
  if (items.length < 2) return only === undefined ? undefined : await fn(only);
  let next = 0;
  let failure: { readonly error: unknown } | null = null;
  const scope = new CancelScope();
  const work = async (): Promise<void> => {
    try {
      while (next < items.length) await fn(items[next++] as T);
    } catch (error) {
      if (isCancelled(error)) throw error;
      failure ??= { error };
      scope.cancel("another item failed");
    }
  };
  let end: unknown;
  try {
    await scope.run(() =>
      taskGroup(async (group) => {
        for (let count = Math.min(AT_ONCE_MAX, items.length); count > 0; count -= 1)
          group.startSoon(work);
      }),
    );
  } catch (error) {
    end = error;
  }
  // Rather than a cancellation that came as well: it must not be lost.
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
  if (end !== undefined) throw end;
}
