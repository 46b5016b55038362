import { requireCapability } from "../platform/capabilities.ts";
import type { PathChange } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";

/** Waits for a change of what paths lead to. Once it has begun it is not cancelled. */
export function changePath(operation: string, change: PathChange): Promise<void> {
  return hostOperation<void>({
    name: operation,
    resource: change.path,
    mustEnd: true,
    begin: (backend, completion) =>
      requireCapability(backend, "files", operation).change(change, completion),
  });
}
