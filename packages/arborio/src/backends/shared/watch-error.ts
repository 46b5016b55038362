import { SystemError } from "../../core/errors.ts";
import { codeOf, toSystemError } from "./system-error.ts";

/** What codes mean here, and nowhere else. */
const TEXTS: Readonly<Record<string, string>> = {
  ENOSPC: "the system allows this user no more watches (fs.inotify.max_user_watches)",
  EMFILE:
    "the system allows this user no more processes that watch (fs.inotify.max_user_instances)",
};

/** The library's error for one of the runtime, of a watch. */
export function toWatchError(path: string, error: unknown): SystemError {
  const code = codeOf(error);
  const text = TEXTS[code];
  if (text === undefined) return toSystemError(`watch ${path}`, error);
  return new SystemError(`watch ${path}: ${text} (${code})`, code, { cause: error });
}
