import { CancelScope } from "../core/scope.ts";
import type { Backend } from "../platform/backend.ts";
import { setBackend } from "../platform/capabilities.ts";
import { outsideScopes } from "../sync/outside.ts";

/** Runs the end of something on its backend. Works in any context, and nothing around cancels it; only the end of the run itself does. */
export function unhindered<T>(backend: Backend, fn: () => Promise<T>): Promise<T> {
  return outsideScopes(() => {
    const scope = new CancelScope({ shield: true });
    setBackend(scope, backend);
    return scope.run(fn) as Promise<T>;
  });
}
