import { requireCapability } from "../platform/capabilities.ts";
import type { DirectoryHandle } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";

/** Opens a directory, not through a link at the end of the path; `null` where the system has no way. */
export function openDirectory(where: string, path: string): Promise<DirectoryHandle | null> {
  return hostOperation<DirectoryHandle | null>({
    name: where,
    resource: path,
    begin(backend, completion) {
      const files = requireCapability(backend, "files", where);
      if (files.openDirectory !== undefined) return files.openDirectory(path, completion);
      completion.succeed(null);
      return () => {};
    },
  });
}
