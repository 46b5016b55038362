import { SystemError } from "../../core/errors.ts";
import type { ProcessCommand } from "../../platform/processes.ts";
import { lazily } from "./builtin.ts";
import { codeOf, toSystemError } from "./system-error.ts";

const fs = lazily("node:fs");

/** What these codes mean when a program is to be started. */
const TEXTS: Readonly<Record<string, string>> = {
  E2BIG: "the arguments and the environment are too large together",
  EACCES: "this user may not run it, or it is no program",
  EAGAIN: "there are too many processes",
  EBADF: "a descriptor for one of its streams is not open",
  ENOENT: "there is no such program",
  ENOEXEC: "it is no program, nor a script that names its interpreter",
  ENOMEM: "there is not enough memory",
  ETXTBSY: "its file is being written",
};

/** The library's error for a program that could not be started. The system does not tell whether it misses the program or its directory. */
export function startError(command: ProcessCommand, error: unknown): SystemError {
  const attempt = `start ${JSON.stringify(command.program)}`;
  const code = codeOf(error);
  if (command.cwd !== undefined && (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES")) {
    const fault = faultOfDirectory(command.cwd);
    if (fault !== null) return toSystemError(`${attempt} in ${JSON.stringify(command.cwd)}`, fault);
  }
  const text =
    code === "ENOENT" && isThere(command)
      ? "the interpreter that it names, or its loader, does not exist"
      : TEXTS[code];
  if (text === undefined) return toSystemError(attempt, error);
  return new SystemError(`${attempt}: ${text} (${code})`, code, { cause: error });
}

/** Whether a program that was given by its path exists. */
function isThere({ program, cwd }: ProcessCommand): boolean {
  if (!program.includes("/")) return false;
  const isRelative = cwd !== undefined && !program.startsWith("/");
  return fs().existsSync(isRelative ? `${cwd}/${program}` : program);
}

/** Why nothing can be started in a directory; `null` if it can. */
function faultOfDirectory(path: string): unknown {
  try {
    if (!fs().statSync(path).isDirectory())
      return Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
    fs().accessSync(path, fs().constants.X_OK);
    return null;
  } catch (error) {
    // Deno may not be allowed to look.
    return codeOf(error) === "EUNKNOWN" ? null : error;
  }
}
