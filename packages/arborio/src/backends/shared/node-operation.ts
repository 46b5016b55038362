/**
 * Operations that the runtime does in threads of its own. None can be stopped there: one that is withdrawn ends by itself, and nobody
 * is told.
 */
import type { Completion, Withdraw } from "../../platform/network.ts";
import { outsideContext } from "./ambient.ts";

/** The callback of an operation of `node:*`. */
export type Done<T> = (error: Error | null, value: T) => void;
export type Operation<T> = (done: Done<T>) => void;

/** Starts an operation that nobody can stop; a value that comes when nobody wants it any more goes to `late`. */
export function beginOperation<T>(
  operation: Operation<T>,
  completion: Completion<T>,
  late?: (value: T) => void,
): Withdraw {
  let wanted = true;
  // Else it would keep the caller's scope alive until it ends.
  outsideContext(() =>
    operation((error, value) => {
      if (error !== null && error !== undefined) {
        if (wanted) completion.fail(error);
      } else if (wanted) {
        completion.succeed(value);
      } else {
        late?.(value);
      }
    }),
  );
  return () => {
    wanted = false;
  };
}
