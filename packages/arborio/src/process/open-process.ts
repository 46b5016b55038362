import { requireOptions } from "../core/arguments.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { requireCapability } from "../platform/capabilities.ts";
import type { ProcessHandle, StreamTarget } from "../platform/processes.ts";
import { ChildProcess } from "./child-process.ts";
import { checkCommand, type Command, type ProcessOptions } from "./command.ts";

/** Options of `openProcess`. */
export interface OpenProcessOptions extends ProcessOptions {
  /** Where its standard input comes from. Default `"ignore"`: it has ended at once. */
  readonly stdin?: StreamTarget;
  /** Where its standard output goes. Default `"pipe"`. */
  readonly stdout?: StreamTarget;
  /** Where its standard error goes. Default `"inherit"`: to where that of this process goes. */
  readonly stderr?: StreamTarget;
}

/**
 * Starts a program as a process of its own. Its standard streams are byte streams.
 *
 * Own it with `await using`: at the end of the block, also by an error or a cancellation, the process and all that it has started are
 * asked to end (SIGTERM), killed after `graceMs` (SIGKILL), and reaped. Nothing is left then. Nor does it outlive this process, if that
 * ends in a way that a program can notice: by `process.exit`, an uncaught error, SIGINT, SIGTERM, SIGHUP or SIGQUIT; then it is killed at
 * once. When this process itself is killed by SIGKILL, or crashes in native code, nothing is promised. What has left the group on
 * purpose (a daemon) is not followed.
 *
 * Cancelled before it runs, nothing is left.
 *
 * @param command the program, by its name or path, and its arguments. No shell is in between; `shellCommand` is for those who want one.
 * @returns the process; it runs.
 * @throws SystemError if the system cannot start it: `systemCode` is `"ENOENT"` if there is no such program, or no such directory as
 *   `cwd`; `"EACCES"` if it may not be run; `"E2BIG"` if arguments and environment are too large. The message tells which.
 * @throws TypeError, RangeError for a wrong command or option.
 * @throws NotSupportedError if the backend has no processes.
 *
 * Counterpart: `anyio.open_process`, `trio.lowlevel.open_process`.
 *
 * @example Talk with a program
 * ```ts
 * import { run } from "arborio";
 * import { openProcess } from "arborio/process";
 *
 * await run(async () => {
 *   await using process = await openProcess(["tr", "a-z", "A-Z"], { stdin: "pipe" });
 *   await process.stdin.send(new TextEncoder().encode("hello\n"));
 *   process.stdin.close();
 *   for await (const chunk of process.stdout) console.log(new TextDecoder().decode(chunk));
 *   console.assert((await process.wait()).code === 0);
 * });
 * ```
 */
export async function openProcess(
  command: Command,
  options: OpenProcessOptions = {},
): Promise<ChildProcess> {
  requireOptions("openProcess(command, options)", options, '{ stdin: "pipe" }');
  const { stdin = "ignore", stdout = "pipe", stderr = "inherit" } = options;
  return await start("openProcess", command, options, { stdin, stdout, stderr });
}

/** `openProcess` for `where`, whose name is in the messages, and which has options of `otherNames` too. */
export async function start(
  where: string,
  command: Command,
  options: ProcessOptions,
  streams: Readonly<Record<"stdin" | "stdout" | "stderr", StreamTarget>>,
  otherNames?: Readonly<Record<string, true>>,
): Promise<ChildProcess> {
  const checked = checkCommand(where, command, options, streams, otherNames);
  const copy: Command = Object.freeze([checked.command.program, ...checked.command.args]);
  const handle = await hostOperation<ProcessHandle>({
    name: "process.start",
    resource: copy,
    begin: (backend, completion) =>
      requireCapability(backend, "processes", where).start(checked.command, completion),
  });
  return new ChildProcess(copy, handle, checked.graceMs);
}
