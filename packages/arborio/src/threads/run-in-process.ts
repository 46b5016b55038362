import type { WaitKind } from "../core/suspend.ts";
import { currentDefaultProcessLimiter } from "./default-limiter.ts";
import type { FunctionAt, FunctionName, ModuleHandle } from "./module-at.ts";
import type { TypedCallOptions } from "./run-in-thread.ts";
import {
  callWait,
  runInWorker,
  type WorkerCallKind,
  type WorkerCallOptions,
} from "./run-in-worker.ts";

/** Options of `runInProcess`. */
export type RunInProcessOptions = WorkerCallOptions;

const WAIT: WaitKind = callWait("runInProcess");

const KIND: WorkerCallKind = {
  where: "runInProcess",
  worker: "process",
  wait: WAIT,
  defaultLimiter: currentDefaultProcessLimiter,
  optionNames: {
    args: true,
    limiter: true,
    abandonOnCancel: true,
    graceMs: true,
    errorClasses: true,
    callbacks: true,
  },
  optionsInstead: {
    transfer: "runInThread, or no option: processes share no memory, so that everything is copied",
  },
};

/**
 * `runInThread` with a process in the place of the thread: for code that must not be able to end this program (by a crash in native
 * code, or for want of memory), that changes what belongs to a whole process (its directory, its environment), or that starts other
 * programs. A process costs more than a thread: a tenth of a second to start, more or less, and a tenth of a millisecond for a call.
 *
 * Processes run on the same runtime as this program, and are kept for the next calls, five minutes at most. What they write to standard
 * output and error goes where this program's goes; their standard input is empty. Each leads a process group of its own: what a
 * function has started, and left, ends with the process. None outlives this program, unless that is killed by SIGKILL while they are
 * busy: those that are idle, or wait, see it, and end.
 *
 * Cancellation is as with threads: the function is told (`checkCancelled` sees it also while it never gives way), and after `graceMs` the
 * process and its group are killed, in the middle of whatever they do, and replaced. There is no `transfer`, and there are no
 * `SharedArrayBuffer`s: processes share no memory.
 *
 * @param module where the module is: a URL, such as `import.meta.resolve("./work.js")`, or a typed `moduleAt`.
 * @param exportName name of the function.
 * @returns what the function returns; if that is a promise, what it resolves to.
 * @throws whatever the function throws, with its class (see `errorClasses`), its fields and its stack.
 * @throws BrokenWorkerError if the process ended before the function did; it has the exit code, or the signal.
 * @throws TypeError if the module cannot be loaded, has no such function, or if an argument or the result cannot be sent.
 * @throws TypeError, RangeError for wrong arguments and options.
 * @throws NotSupportedError if the backend has no processes.
 *
 * Counterpart: `anyio.to_process.run_sync`.
 *
 * @example Work for another process
 * ```ts
 * import { run } from "arborio";
 * import { runInProcess } from "arborio/threads";
 *
 * const work = "data:text/javascript,export const add = (a, b) => a + b;";
 *
 * await run(async () => {
 *   const sum = await runInProcess<number>(work, "add", { args: [1, 2] });
 *   console.assert(sum === 3);
 * });
 * ```
 */
export function runInProcess<Module, Name extends FunctionName<Module>>(
  module: ModuleHandle<Module>,
  exportName: Name,
  ...options: TypedCallOptions<FunctionAt<Module, Name>, Omit<RunInProcessOptions, "args">>
): Promise<Awaited<ReturnType<FunctionAt<Module, Name>>>>;
/** For a module without a type. */
export function runInProcess(
  module: URL | string,
  exportName: string,
  options?: RunInProcessOptions,
): Promise<unknown>;
/** For a module without a type, and a result of which you know one: nobody checks it. */
export function runInProcess<T>(
  module: URL | string,
  exportName: string,
  options?: RunInProcessOptions,
): Promise<T>;
export function runInProcess(
  module: URL | string | ModuleHandle<unknown>,
  exportName: string,
  options: RunInProcessOptions = {},
): Promise<unknown> {
  return runInWorker(KIND, module, exportName, options);
}
