import { run, type RunOptions, TaskCancelled, type TaskGroup } from "arborio";
import type { Shell } from "../host/shell.ts";

/**
 * `run`, for a command: it ends too when standard output takes nothing any more, and at the third signal at the latest.
 *
 * @returns what `main` returns; `undefined` if its output is lost: `Shell.finish` knows the exit code.
 */
export async function runOnThisMachine<T>(
  shell: Shell,
  options: RunOptions,
  main: (group: TaskGroup) => T | Promise<T>,
): Promise<T | undefined> {
  let isLost = false;
  using _guard = shell.guardSignals();
  try {
    return await run((group) => {
      shell.onOutputLost(() => {
        isLost = true;
        group.scope.cancel("standard output takes nothing any more");
      });
      return main(group);
    }, options);
  } catch (error) {
    if (isLost && error instanceof TaskCancelled) return undefined;
    throw error;
  }
}
