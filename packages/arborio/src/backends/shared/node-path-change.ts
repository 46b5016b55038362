import type { PathChange } from "../../platform/files.ts";
import { lazily } from "./builtin.ts";
import type { Done } from "./node-operation.ts";

const fs = lazily("node:fs");

/** Is told why it failed, or that it did not. */
export type Told = (error: Error | null) => void;

/** Removes a file or a link. */
export type RemoveFile = (path: string, told: Told) => void;

/** As the system does it. */
export const removeFile: RemoveFile = (path, told) => fs().unlink(path, told);

/** Begins a change of what paths lead to. */
export function beginPathChange(change: PathChange, remove: RemoveFile, done: Done<void>): void {
  const told = done as Told;
  const { path } = change;
  switch (change.kind) {
    case "make-directory":
      return fs().mkdir(path, { mode: change.mode }, told);
    case "remove-file":
      return remove(path, told);
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
    case "times":
      return fs().utimes(path, toSeconds(change.accessedMs), toSeconds(change.modifiedMs), told);
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
