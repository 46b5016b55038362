/** What every subject does. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stopwatch, type Case } from "../../harness/case.ts";

const MIB = 2 ** 20;

/** Reads a file to its end in chunks of at most so many bytes; returns how many bytes it had. */
export type Read = (path: string, chunkBytes: number) => Promise<number>;

/** The cases of a subject that reads a file with `read`. An operation is one MiB. */
export function casesOf(read: Read): Readonly<Record<string, Case>> {
  const reading =
    (chunkBytes: number): Case =>
    async (mebibytes) => {
      const path = cachedFile(mebibytes * MIB);
      const elapsed = stopwatch();
      const bytes = await read(path, chunkBytes);
      const time = elapsed();
      if (bytes !== mebibytes * MIB)
        throw new Error(
          `read ${bytes} bytes of ${mebibytes * MIB}: this is not what was asked for`,
        );
      return time;
    };
  return { "file-read": reading(65_536), "file-read-1m": reading(MIB) };
}

const files: Map<number, string> = new Map();

/** A file of so many bytes that is in the system's cache. It takes no room on the disk, and goes with this process. */
function cachedFile(bytes: number): string {
  let path = files.get(bytes);
  if (path !== undefined) return path;
  const folder = mkdtempSync(join(tmpdir(), "arborio-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  path = join(folder, "file");
  const descriptor = openSync(path, "w+");
  ftruncateSync(descriptor, bytes);
  const memory = new Uint8Array(MIB);
  for (let at = 0; at < bytes; at += MIB) readSync(descriptor, memory, 0, MIB, at);
  closeSync(descriptor);
  files.set(bytes, path);
  return path;
}
