/**
 * The one ambient store of the library: which scope does this flow run in? One store, because each further one makes
 * `run` dearer on every runtime; never `enterWith`, which leaks into the caller; never a mutable "current" variable, which is
 * wrong as soon as two flows interleave. The host's store is put in from outside (`platform/host.ts`).
 */
import { CLOSED } from "./flags.ts";
import type { CancelScope } from "./scope.ts";

/** What a host gives: `node:async_hooks`' `AsyncLocalStorage`, or an `AsyncContext.Variable`. */
export interface AmbientStore {
  get(): unknown;
  run<Argument, Result>(
    value: unknown,
    fn: (argument: Argument) => Result,
    argument: Argument,
  ): Result;
}

let store: AmbientStore;
let rootScope: CancelScope;

/** Puts in the host's store and the scope that flows outside any run are in. Called once, when the package is loaded. */
export function installAmbient(ambient: AmbientStore, root: CancelScope): void {
  store = ambient;
  rootScope = root;
}

/** The scope of the calling flow: the innermost that is open around it, the root scope outside any run. */
export function ambientScope(): CancelScope {
  return (store.get() as CancelScope | undefined) ?? rootScope;
}

/** Whether the calling flow is in a run that has not ended. */
export function isInsideRun(): boolean {
  const { outside, root } = ambientScope().runState;
  return !outside && (root.flags & CLOSED) === 0;
}

/** Calls `fn(argument)` with `scope` as the ambient scope of everything it starts. One argument, since a rest array for each task costs. */
export function runInScope<Argument, Result>(
  scope: CancelScope,
  fn: (argument: Argument) => Result,
  argument: Argument,
): Result {
  return store.run(scope, fn, argument);
}
