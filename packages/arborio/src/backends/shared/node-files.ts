/** Files through `node:fs`, whose operations run in the runtime's threads. */
import type { Dirent, Stats } from "node:fs";
import type { FileHandle, Files, OpenTarget } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { lazily } from "./builtin.ts";
import { arePathsTold } from "./descriptor-path.ts";
import { type WatchEnd, watchExitEvent } from "./left-processes.ts";
import { openDirectory } from "./node-directory.ts";
import { NodeFile, realPathOf } from "./node-file.ts";
import { toDirectoryEntry, toFileStat } from "./node-file-stat.ts";
import { beginOperation } from "./node-operation.ts";
import {
  beginPathChange,
  describePathChange,
  type PathWays,
  pathWays,
} from "./node-path-change.ts";
import { watchDirectory } from "./node-watch.ts";
import { toSystemError } from "./system-error.ts";

const fs = lazily("node:fs");
const os = lazily("node:os");

/** Files, for a runtime on which this process learns of its end, watches directories, and changes paths in these ways. */
export function createFiles(
  watchEnd: WatchEnd,
  watch: Files["watch"] = watchDirectory,
  ways: PathWays = pathWays,
): Files {
  return {
    get temporaryDirectory() {
      return os().tmpdir();
    },
    get openDirectory() {
      return arePathsTold() ? openDirectory : undefined;
    },
    ...byPath,
    open: (target, completion) => open(target, watchEnd, completion),
    change: (change, completion) =>
      beginOperation<void>((done) => beginPathChange(change, ways, done), {
        succeed: () => completion.succeed(),
        fail: (error) => completion.fail(toSystemError(describePathChange(change), error)),
      }),
    watch,
  };
}

/** What needs no open file. */
const byPath: Omit<Files, "open" | "openDirectory" | "temporaryDirectory" | "watch" | "change"> = {
  stat(path, followLinks, completion) {
    return beginOperation<Stats>(
      (done) => (followLinks ? fs().stat(path, done) : fs().lstat(path, done)),
      {
        succeed: (stats) => completion.succeed(toFileStat(stats)),
        fail: (error) => completion.fail(toSystemError(`stat ${path}`, error)),
      },
    );
  },
  realPath(path, completion) {
    const attempt = `find the real path of ${path}`;
    return beginOperation<string>((done) => realPathOf(path, done), {
      succeed: (real) => completion.succeed(real),
      fail: (error) => completion.fail(toSystemError(attempt, error)),
    });
  },
  readLink(path, completion) {
    return beginOperation<string>((done) => fs().readlink(path, done), {
      succeed: (target) => completion.succeed(target),
      fail: (error) => completion.fail(toSystemError(`read the link ${path}`, error)),
    });
  },
  readDirectory(path, completion) {
    const attempt = `read the directory ${path}`;
    return beginOperation<Dirent[]>((done) => fs().readdir(path, { withFileTypes: true }, done), {
      succeed: (entries) => completion.succeed(entries.map(toDirectoryEntry)),
      fail: (error) => completion.fail(toSystemError(attempt, error)),
    });
  },
};

export const nodeFiles: Files = createFiles(watchExitEvent);

function open(
  target: OpenTarget,
  watchEnd: WatchEnd,
  completion: Completion<FileHandle>,
): Withdraw {
  const { path } = target;
  const attempt = `open ${path}`;
  return beginOperation<number>(
    (done) => fs().open(path, flagsOf(target), target.mode, done),
    {
      succeed(descriptor) {
        try {
          // Of a file that has just been opened the system knows this by heart.
          if (fs().fstatSync(descriptor).isDirectory())
            throw Object.assign(new Error("directory"), { code: "EISDIR" });
        } catch (error) {
          fs().closeSync(descriptor);
          completion.fail(toSystemError(attempt, error));
          return;
        }
        const flags = accessFlagsOf(target);
        completion.succeed(new NodeFile({ descriptor, path, flags }, watchEnd));
      },
      fail: (error) => completion.fail(toSystemError(attempt, error)),
    },
    (descriptor) => fs().closeSync(descriptor),
  );
}

const ACCESS = { read: "O_RDONLY", write: "O_WRONLY", "read-write": "O_RDWR" } as const;

/** Without O_NONBLOCK a FIFO would keep a thread until its other side is opened, and there are four. */
function accessFlagsOf({ access }: OpenTarget): number {
  const { constants } = fs();
  return constants[ACCESS[access]] | constants.O_NONBLOCK;
}

function flagsOf(target: OpenTarget): number {
  const { create, truncate, append } = target;
  const { constants } = fs();
  let flags = accessFlagsOf(target);
  if (create !== "never") flags |= constants.O_CREAT;
  if (create === "new") flags |= constants.O_EXCL;
  if (truncate) flags |= constants.O_TRUNC;
  return append ? flags | constants.O_APPEND : flags;
}
