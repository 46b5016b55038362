import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";

/** Where a symbolic link leads, as it was written. */
export function readLink(where: string, path: string): Promise<string> {
  return hostOperation<string>({
    name: where,
    resource: path,
    begin: (backend, completion) =>
      requireCapability(backend, "files", where).readLink(path, completion),
  });
}
