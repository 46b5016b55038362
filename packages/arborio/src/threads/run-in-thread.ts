import type { WaitKind } from "../core/suspend.ts";
import { currentDefaultThreadLimiter } from "./default-limiter.ts";
import type { FunctionAt, FunctionName, ModuleHandle } from "./module-at.ts";
import {
  callWait,
  runInWorker,
  type WorkerCallKind,
  type WorkerCallOptions,
} from "./run-in-worker.ts";

/** Options of `runInThread`. */
export interface RunInThreadOptions extends WorkerCallOptions {
  /** What of the arguments changes hands instead of being copied: array buffers, ports, streams. Default: nothing. */
  readonly transfer?: readonly object[];
}

/** Options of a typed call: its arguments may be left out if the function needs none. */
export type TypedCallOptions<Fn extends (...args: never) => unknown, Options> =
  [] extends Parameters<Fn>
    ? readonly [options?: Options & { readonly args?: Readonly<Parameters<Fn>> }]
    : readonly [options: Options & { readonly args: Readonly<Parameters<Fn>> }];

const WAIT: WaitKind = callWait("runInThread");

const KIND: WorkerCallKind = {
  where: "runInThread",
  worker: "thread",
  wait: WAIT,
  defaultLimiter: currentDefaultThreadLimiter,
  optionNames: {
    args: true,
    limiter: true,
    transfer: true,
    abandonOnCancel: true,
    graceMs: true,
    errorClasses: true,
    callbacks: true,
  },
};

/**
 * Calls a function that a module exports, in another thread, and waits for what it returns: for work that would keep this thread busy. Threads
 * are kept for the next calls; each loads the module once.
 *
 * Cancelled before the function has begun, it does not begin. Cancelled later, it is told: `checkCancelled` throws in it, and so does every
 * operation of the library that it waits for. The caller waits until it has ended; after `graceMs` the thread is terminated, in the middle
 * of whatever it does, and replaced. What it returns nevertheless is returned. See `abandonOnCancel` for the other way.
 *
 * Arguments and result are copied, by structured clone: functions cannot be sent, and objects lose their classes.
 *
 * @param module where the module is: a URL, such as `import.meta.resolve("./work.js")`, or a typed `moduleAt`.
 * @param exportName name of the function.
 * @returns what the function returns; if that is a promise, what it resolves to.
 * @throws whatever the function throws, with its class (see `errorClasses`), its fields and its stack.
 * @throws BrokenWorkerError if the thread ended before the function did.
 * @throws TypeError if the module cannot be loaded, has no such function, or if an argument or the result cannot be sent.
 * @throws TypeError, RangeError for wrong arguments and options.
 * @throws NotSupportedError if the backend has no threads.
 *
 * Counterpart: `anyio.to_thread.run_sync`, `trio.to_thread.run_sync`.
 *
 * @example Work for another thread
 * ```ts
 * import { run } from "arborio";
 * import { runInThread } from "arborio/threads";
 *
 * const work = "data:text/javascript,export const add = (a, b) => a + b;";
 *
 * await run(async () => {
 *   const sum = await runInThread<number>(work, "add", { args: [1, 2] });
 *   console.assert(sum === 3);
 * });
 * ```
 */
export function runInThread<Module, Name extends FunctionName<Module>>(
  module: ModuleHandle<Module>,
  exportName: Name,
  ...options: TypedCallOptions<FunctionAt<Module, Name>, Omit<RunInThreadOptions, "args">>
): Promise<Awaited<ReturnType<FunctionAt<Module, Name>>>>;
/** For a module without a type. */
export function runInThread(
  module: URL | string,
  exportName: string,
  options?: RunInThreadOptions,
): Promise<unknown>;
/** For a module without a type, and a result of which you know one: nobody checks it. */
export function runInThread<T>(
  module: URL | string,
  exportName: string,
  options?: RunInThreadOptions,
): Promise<T>;
export function runInThread(
  module: URL | string | ModuleHandle<unknown>,
  exportName: string,
  options: RunInThreadOptions = {},
): Promise<unknown> {
  return runInWorker(KIND, module, exportName, options);
}
