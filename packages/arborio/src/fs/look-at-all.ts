/** Looking at what is in a watched directory, in one wait for many names. */
import { SystemError } from "../core/errors.ts";
import type { Files, FileStat } from "../platform/files.ts";
import type { Completion, Withdraw } from "../platform/network.ts";

/** The system is asked about so many files at once: it has a few threads for that, and more would only wait in its queue. */
const ASKED_MAX = 8;

/** What is at a path: nothing, something, or the system does not say. */
export type Seen = FileStat | null | SystemError;

/** Looks at each path; links are not followed. Succeeds with what is there, in the order of the paths. */
export function lookAtAll(
  files: Files,
  paths: readonly string[],
  completion: Completion<Seen[]>,
): Withdraw {
  const seen: Seen[] = [];
  const asked: Set<Withdraw> = new Set();
  let next = 0;
  let open = paths.length;
  const ask = (): void => {
    const index = next++;
    let withdraw: Withdraw = () => {};
    const answered = (answer: Seen): void => {
      seen[index] = answer;
      asked.delete(forget);
      open -= 1;
      if (open === 0) completion.succeed(seen);
      else if (next < paths.length) ask();
    };
    const forget = (): void => withdraw();
    asked.add(forget);
    withdraw = files.stat(paths[index] as string, false, {
      succeed: answered,
      fail: (error) => answered(seenInstead(error)),
    });
  };
  while (next < Math.min(paths.length, ASKED_MAX)) ask();
  return () => {
    for (const withdraw of asked) withdraw();
  };
}

function seenInstead(error: Error): Seen {
  if (isMissing(error)) return null;
  return error instanceof SystemError
    ? error
    : new SystemError(error.message, "EUNKNOWN", { cause: error });
}

/** Whether nothing is at the path that the system was asked about. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof SystemError)) return false;
  return error.systemCode === "ENOENT" || error.systemCode === "ENOTDIR";
}
