import { changePath } from "./change-path.ts";
import { hasSystemCode } from "./system-code.ts";

/** Waits until the names in a directory are on the disk. */
export async function syncDirectory(where: string, path: string): Promise<void> {
  try {
    await changePath(where, { kind: "sync-directory", path });
  } catch (error) {
    // File systems that have nothing to sync there say so (fsync(2)).
    if (!hasSystemCode(error, "EINVAL")) throw error;
  }
}
