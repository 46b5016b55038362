import type { CancelScope } from "../core/scope.ts";

/** Calls `passed` at each checkpoint that a flow in `scope`, or below it, passes, until the result is called. */
export function watchCheckpoints(scope: CancelScope, passed: () => void): () => void {
  const { kernel } = scope;
  const before = kernel.probe;
  kernel.probe = (at) => {
    before?.(at);
    if (isWithin(at, scope)) passed();
  };
  return () => {
    kernel.probe = before;
  };
}

/** Whether `scope` is `top` or lies below it. */
export function isWithin(scope: CancelScope, top: CancelScope): boolean {
  for (let at: CancelScope | null = scope; at !== null; at = at.parent) if (at === top) return true;
  return false;
}
