import process from "node:process";
import { fileURLToPath } from "node:url";

/** The program, and its arguments up to the module that it runs. */
export type WorkerCommand = (module: string) => readonly [string, ...string[]];

/** Under it the package's own modules are found as sources; the worker must load the same ones as this program. */
const SOURCE_CONDITION = "--conditions=@arborio/source";

export const sourceFlags: readonly string[] = import.meta.url.endsWith(".ts")
  ? [SOURCE_CONDITION]
  : [];

/** Flags of this program alone: a debugger's port, a watcher's, a test runner's, and those that need another main module. */
const OWN_FLAGS: readonly RegExp[] = [
  /^--inspect/,
  /^--test/,
  /^--watch/,
  /^--hot$/,
  /^--check$|^-c$/,
  /^--interactive$|^-i$/,
  /^--input-type/,
  /^--(experimental-)?entry-url$/,
];

/** Flags with which a program comes as text, in the next argument. */
const TEXT_FLAG = /^(--eval|--print|-e|-p|-pe)$/;

/** Node's and Bun's: the same program, with the flags of this one that mean something to another. */
export const nodeWorkerCommand: WorkerCommand = (module) => {
  const flags = process.execArgv.filter((flag, index, all) => {
    if (TEXT_FLAG.test(flag) || TEXT_FLAG.test(all[index - 1] ?? "")) return false;
    return !OWN_FLAGS.some((own) => own.test(flag));
  });
  const source = sourceFlags.filter((flag) => !flags.includes(flag));
  return [process.execPath, ...flags, ...source, fileURLToPath(module)];
};
