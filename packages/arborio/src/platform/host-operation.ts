import { ambientScope } from "../core/ambient.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { Backend } from "./backend.ts";
import { backendOf } from "./capabilities.ts";
import type { Completion, Withdraw } from "./network.ts";

/** An operation of the host that waits: how it is called in the task tree, and what it is about. */
export interface HostOperation<T> {
  /** `"connect"`. */
  readonly name: string;
  readonly resource: unknown;
  /** Starts it. What this throws is what the wait rejects with. */
  readonly begin: (backend: Backend, completion: Completion<T>) => Withdraw;
  /**
   * Once begun, it is waited for, cancelled or not, and tells what came of it: for what changes something and cannot be called back.
   */
  readonly mustEnd?: boolean;
}

interface Payload {
  withdraw: Withdraw;
}

function abort(waiter: Waiter<unknown>): void {
  (waiter.payload as Payload).withdraw();
}

function refuseAbort(): false {
  return false;
}

const kinds: Map<string, WaitKind> = new Map();
const enduringKinds: Map<string, WaitKind> = new Map();

function kindOf(name: string, mustEnd: boolean): WaitKind {
  const known = mustEnd ? enduringKinds : kinds;
  let kind = known.get(name);
  if (kind === undefined) known.set(name, (kind = { name, abort: mustEnd ? refuseAbort : abort }));
  return kind;
}

/**
 * Waits for an operation of the host. A checkpoint; cancelled before it begins, it does not begin; cancelled while waiting, it is
 * withdrawn and leaves nothing behind, unless it must end.
 */
export function hostOperation<T>(operation: HostOperation<T>): Promise<T> {
  const scope: CancelScope = ambientScope();
  const refusal = scope.refuse();
  if (refusal !== null) return scope.kernel.rejected(refusal);
  const payload: Payload = { withdraw: () => {} };
  const kind = kindOf(operation.name, operation.mustEnd === true);
  const waiter = new Waiter<T>(scope, kind, operation.resource, payload);
  try {
    payload.withdraw = operation.begin(backendOf(scope), {
      succeed: (value) => void waiter.wake(value),
      fail: (error) => void waiter.fail(error),
    });
  } catch (error) {
    waiter.fail(error);
  }
  return waiter.promise;
}
