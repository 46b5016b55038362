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
}

interface Payload {
  withdraw: Withdraw;
}

function abort(waiter: Waiter<unknown>): void {
  (waiter.payload as Payload).withdraw();
}

const kinds: Map<string, WaitKind> = new Map();

function kindOf(name: string): WaitKind {
  let kind = kinds.get(name);
  if (kind === undefined) kinds.set(name, (kind = { name, abort }));
  return kind;
}

/**
 * Waits for an operation of the host. A checkpoint; cancelled before it begins, it does not begin; cancelled while waiting, it is
 * withdrawn and leaves nothing behind.
 */
export function hostOperation<T>(operation: HostOperation<T>): Promise<T> {
  const scope: CancelScope = ambientScope();
  const refusal = scope.refuse();
  if (refusal !== null) return scope.kernel.rejected(refusal);
  const payload: Payload = { withdraw: () => {} };
  const waiter = new Waiter<T>(scope, kindOf(operation.name), operation.resource, payload);
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
