/** Calling the body of a scope, and leaving the scope when the body has ended. */
import { ambientScope } from "./ambient.ts";
import { NOTHING, withoutOwned } from "./ownership.ts";
import { capture, captured } from "./promise.ts";
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
    const result = fn(argument);
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

function leaveWithValue<T>(value: T): T | Promise<T> {
  const scope = ambientScope();
  scope.kernel.fireDue();
  if (scope.first === null) {
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
  const rest = withoutOwned(scope, error);
  if (scope.first === null) {
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
