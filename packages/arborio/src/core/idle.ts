import { ambientScope } from "./ambient.ts";
import type { Kernel } from "./kernel.ts";
import { Waiter, type WaitKind } from "./suspend.ts";

const WAIT_ALL_BLOCKED: WaitKind = {
  name: "waitAllTasksBlocked",
  abort(waiter) {
    (waiter.payload as () => void)();
  },
};

/**
 * Waits until every other task waits: until a whole turn of the host has passed in which no task resumed and none was ready
 * to. A sleeping task counts as waiting, and so does one that awaits a promise that is not ours. In the simulator this comes
 * before time jumps. For tests. Counterpart: `trio.testing.wait_all_tasks_blocked`.
 */
export function waitAllTasksBlocked(): Promise<void> {
  const scope = ambientScope();
  const refusal = scope.refuseExactly();
  if (refusal !== null) return scope.kernel.rejected(refusal);
  const waiter = new Waiter<void>(scope, WAIT_ALL_BLOCKED, undefined, undefined);
  waiter.payload = whenIdle(scope.kernel, () => waiter.wake());
  return waiter.promise;
}

/** Calls `idle` when a whole turn has passed in which nothing resumed or was ready to; the result calls it off. */
function whenIdle(kernel: Kernel, idle: () => void): () => void {
  let seen = -1;
  let wanted = true;
  const look = (): void => {
    if (!wanted) return;
    if (kernel.resumptions === seen && kernel.readyCount === 0) {
      idle();
      return;
    }
    seen = kernel.resumptions;
    kernel.clock.nextTurn(look);
  };
  kernel.clock.nextTurn(look);
  return () => {
    wanted = false;
  };
}
