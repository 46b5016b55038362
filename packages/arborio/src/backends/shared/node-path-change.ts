import type { PathChange } from "../../platform/files.ts";
import { lazily } from "./builtin.ts";
import type { Done } from "./node-operation.ts";

const fs = lazily("node:fs");

/** Is told why it failed, or that it did not. */
export type Told = (error: Error | null) => void;

/** What not every runtime does in the same way. */
export interface PathWays {
  /** Removes a file or a link. */
  readonly removeFile: (path: string, told: Told) => void;
  /** A time before 1970 as `utimes` takes it: it takes a negative number for "now". */
  readonly earlyTime: (ms: number) => string | Date;
}

/** Node's, and Bun's. */
export const pathWays: PathWays = {
  removeFile: (path, told) => fs().unlink(path, told),
  earlyTime: (ms) => String(toSeconds(ms)),
};

/** Begins a change of what paths lead to. */
export function beginPathChange(change: PathChange, ways: PathWays, done: Done<void>): void {
  const told = done as Told;
  const { path } = change;
  switch (change.kind) {
    case "make-directory":
      return fs().mkdir(path, { mode: change.mode }, told);
    case "remove-file":
      return ways.removeFile(path, told);
    case "remove-directory":
      return fs().rmdir(path, told);
    case "rename":
      return fs().rename(path, change.target, told);
    case "symbolic-link":
      return fs().symlink(change.target, path, told);
    case "hard-link":
      return fs().link(change.target, path, told);
    case "copy-file":
      return fs().copyFile(
        path,
        change.target,
        change.replace ? 0 : fs().constants.COPYFILE_EXCL,
        told,
      );
    case "mode":
      return fs().chmod(path, change.mode, told);
    case "times": {
      const [accessed, modified] = [change.accessedMs, change.modifiedMs].map((ms) =>
        ms < 0 ? ways.earlyTime(ms) : toSeconds(ms),
      ) as [string | number | Date, string | number | Date];
      return fs().utimes(path, accessed, modified, told);
    }
    case "owner":
      return fs().chown(path, change.user, change.group, told);
    default:
      return syncDirectory(path, told);
  }
}

/** A microsecond more, so that what is cut off below that is not the last millisecond. */
function toSeconds(ms: number): number {
  return (ms + 0.001) / 1000;
}

/** What a change attempts, for messages: `"rename /a to /b"`. */
export function describePathChange(change: PathChange): string {
  const what = change.kind.replaceAll("-", " ");
  return "target" in change
    ? `${what} ${change.path} (${change.target})`
    : `${what} ${change.path}`;
}

function syncDirectory(path: string, told: Told): void {
  fs().open(path, fs().constants.O_RDONLY | fs().constants.O_DIRECTORY, (error, descriptor) => {
    if (error !== null) return told(error);
    fs().fsync(descriptor, (failure) => {
      fs().closeSync(descriptor);
      told(failure);
    });
  });
}
