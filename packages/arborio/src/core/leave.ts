/** Calling the body of a scope, and leaving the scope when the body has ended. */
import { ambientScope } from "./ambient.ts";
import { isCancelled } from "./cancelled.ts";
import { TIMED_OUT } from "./flags.ts";
import { NOTHING, withoutOwned } from "./ownership.ts";
import { capture, captured, ignore } from "./promise.ts";
import type { CancelScope } from "./scope.ts";

// Shared functions instead of closures: the ambient scope says which scope they are about.

/** Calls `fn` as the body of the ambient scope, and leaves the scope when it has ended. */
export function runBody<T>(fn: (scope: CancelScope) => T | PromiseLike<T>): Promise<T | undefined> {
  return callForPromise(fn, ambientScope()).then(leaveWithValue<T>, leaveWithError);
}

/** Calls `fn` and returns its promise; what it throws synchronously becomes a rejection. */
export function callForPromise<A, T>(
  fn: (argument: A) => T | PromiseLike<T>,
  argument: A,
): Promise<T> {
  try {
    // Not by `instanceof`: the `then` of a subclass may throw, or be another.
    return Promise.resolve(fn(argument));
  } catch (error) {
    return Promise.reject(error);
  }
}

function leaveWithValue<T>(value: T): T | Promise<T> {
  const scope = ambientScope();
  scope.kernel.fireDue();
  if (scope.last === null) {
    scope.close();
    return value;
  }
  const promise = new Promise<T>(capture);
  const resolve = captured.resolve;
  scope.closeThen(() => scope.kernel.settle(resolve, value));
  return promise;
}

function leaveWithError(error: unknown): undefined | Promise<undefined> {
  const scope = ambientScope();
  scope.kernel.fireDue();
  const rest = timedOut(scope, withoutOwned(scope, error));
  // A rejection of ours with Cancelled may float.
  if (isCancelled(rest)) scope.extras?.outcome?.catch(ignore);
  if (scope.last === null) {
    scope.close();
    if (rest === NOTHING) return undefined;
    throw rest;
  }
  const promise = new Promise<undefined>(capture);
  const { resolve, reject } = captured;
  scope.closeThen(() => {
    if (rest === NOTHING) scope.kernel.settle(resolve, undefined);
    else scope.kernel.settle(reject, rest);
  });
  return promise;
}

/** What a scope whose own deadline cut it short throws, if it is one that does: `failAfter`. */
function timedOut(scope: CancelScope, rest: unknown): unknown {
  if (rest !== NOTHING || (scope.flags & TIMED_OUT) === 0) return rest;
  return scope.extras?.timeoutError?.() ?? NOTHING;
}
