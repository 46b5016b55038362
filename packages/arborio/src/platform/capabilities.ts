import { ambientScope } from "../core/ambient.ts";
import { NotSupportedError } from "../core/errors.ts";
import type { CancelScope } from "../core/scope.ts";
import type { Backend } from "./backend.ts";

/** The groups of the contract that a backend may lack. */
export type CapabilityName = {
  [Name in keyof Backend]-?: undefined extends Backend[Name] ? Name : never;
}[keyof Backend];

/** The backend of the calling flow: its run's, or that of the simulated host it is on. */
export function currentBackend(): Backend {
  return backendOf(ambientScope());
}

/** The backend of a scope. Walks up, since only a few scopes, those of simulated hosts, have one of their own. */
export function backendOf(scope: CancelScope): Backend {
  for (let at: CancelScope | null = scope; at !== null; at = at.parent) {
    const own = at.extras?.backend;
    if (own !== undefined) return own as Backend;
  }
  return scope.runState.backend as Backend;
}

/** Gives everything below `scope` a backend of its own, which shares the kernel: a simulated host. */
export function setBackend(scope: CancelScope, backend: Backend): void {
  scope.ensureExtras().backend = backend;
}

/**
 * A group of the contract.
 *
 * @throws NotSupportedError if the backend lacks it.
 */
export function requireCapability<Name extends CapabilityName>(
  backend: Backend,
  name: Name,
  operation: string,
): NonNullable<Backend[Name]> {
  const group = backend[name];
  if (group === undefined) throw notSupported(backend, operation);
  return group as NonNullable<Backend[Name]>;
}

/** The error for what a backend cannot do. */
export function notSupported(backend: Backend, operation: string): NotSupportedError {
  return new NotSupportedError(
    `${operation}: the backend "${backend.name}" cannot do this; docs/gaps.md lists which can`,
  );
}
