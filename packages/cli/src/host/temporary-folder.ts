import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that only this user can look into; removed, with what is in it, when disposed of. */
export interface TemporaryFolder extends AsyncDisposable {
  /** The path of a file in it. */
  pathOf(name: string): string;
}

/** Makes one. */
export async function openTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "arborio-"));
  return {
    pathOf: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
