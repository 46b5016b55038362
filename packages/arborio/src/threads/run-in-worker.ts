/** What `runInThread` and `runInProcess` have in common. */
import { ambientScope } from "../core/ambient.ts";
import {
  describeValue,
  requireFlag,
  requireKnown,
  requireOptions,
  requireTime,
} from "../core/arguments.ts";
import type { WaitKind } from "../core/suspend.ts";
import { backendOf, requireCapability } from "../platform/capabilities.ts";
import { CapacityLimiter } from "../sync/limiter.ts";
import { Call, type CallExtension, type CallOrder } from "./call.ts";
import { callWithCallbacks } from "./from-thread-callbacks.ts";
import { type ModuleHandle, requireClasses, requireModule } from "./module-at.ts";
import type { CallableFunctions } from "./portal-protocol.ts";
import { poolOf } from "./worker-pool.ts";
import { requireTransfer } from "./transferred.ts";
import type { RemoteErrorClass } from "./thrown-form.ts";

/** Options that calls in threads and in processes have in common. */
export interface WorkerCallOptions {
  /** Arguments of the function. Copied, by structured clone, when the call begins. Default: none. */
  readonly args?: readonly unknown[];
  /** Whose token the call needs. Default: the one of the run, with as many tokens as there are processors. */
  readonly limiter?: CapacityLimiter;
  /**
   * `false`: a cancelled caller waits until the function has ended; after `graceMs` its worker is terminated. `true`: it does not wait, and
   * the function goes on to its end; its value is dropped, what it throws goes to the run's `onUnhandled`, and it keeps its token until then.
   * In both cases the function is told. Default `false`.
   */
  readonly abandonOnCancel?: boolean;
  /** Milliseconds that the function has to end after the caller was cancelled. `Infinity`: any number. Default 1,000. */
  readonly graceMs?: number;
  /**
   * Functions of this program that the function may call, by their names: `fromThread.run("lookup", key)`. They run here, as tasks of the
   * call; those that still run when it has ended are cancelled. Default: none.
   */
  readonly callbacks?: CallableFunctions;
  /**
   * Error classes of your own that the function may throw: what comes here is of the same class. They are known by their names. Fields are
   * kept, constructors are not called. An error of a class that is not known here is of the nearest class above it that is. Default: those
   * of the module, if it is a `moduleAt`.
   */
  readonly errorClasses?: readonly RemoteErrorClass[];
}

/** How a kind of workers is called. */
export interface WorkerCallKind {
  /** `"runInThread"`. */
  readonly where: string;
  readonly worker: "thread" | "process";
  readonly wait: WaitKind;
  readonly defaultLimiter: () => CapacityLimiter;
  readonly optionNames: Readonly<Record<string, true>>;
  /** What to use for options that the other kind has. */
  readonly optionsInstead?: Readonly<Record<string, string>>;
}

/**
 * Time that a function has to end after its caller was cancelled, in milliseconds: enough for `finally` blocks and for work that asks
 * `checkCancelled` seldom, while nobody waits long for one that never asks.
 */
const GRACE_MS = 1000;

const ABORT: WaitKind["abort"] = (waiter) => (waiter.payload as Call).cancel(waiter);

/** The wait for a call, by its name. */
export function callWait(name: string): WaitKind {
  return { name, abort: ABORT };
}

/** Calls an export of a module in a worker. */
export function runInWorker(
  kind: WorkerCallKind,
  module: URL | string | ModuleHandle<unknown>,
  exportName: string,
  options: WorkerCallOptions & { readonly transfer?: readonly object[] },
): Promise<unknown> {
  const { callbacks } = options;
  if (callbacks === undefined) return begin(kind, module, exportName, options);
  return callWithCallbacks(kind.where, callbacks, (extra, extension) =>
    begin(kind, module, exportName, options, extra, extension),
  );
}

function begin(
  kind: WorkerCallKind,
  module: URL | string | ModuleHandle<unknown>,
  exportName: string,
  options: WorkerCallOptions & { readonly transfer?: readonly object[] },
  extra?: unknown,
  extension?: CallExtension,
): Promise<unknown> {
  const scope = ambientScope();
  const refusal = scope.refuse();
  if (refusal !== null) return scope.kernel.rejected(refusal);
  try {
    const order = checkOrder(kind, module, exportName, options, extra, extension);
    const limiter = requireLimiter(kind, options.limiter);
    const backend = backendOf(scope);
    const threads = requireCapability(backend, "threads", kind.where);
    return new Call(order, scope, poolOf(backend, threads, kind.worker), limiter).start(kind.wait);
  } catch (error) {
    return scope.kernel.rejected(error);
  }
}

function checkOrder(
  { where, optionNames, optionsInstead }: WorkerCallKind,
  module: URL | string | ModuleHandle<unknown>,
  exportName: unknown,
  options: WorkerCallOptions & { readonly transfer?: readonly object[] },
  extra: unknown,
  extension: CallExtension | undefined,
): CallOrder {
  const url = requireModule(`${where}(module)`, module);
  if (typeof exportName !== "string") {
    throw new TypeError(
      `${where}(module, exportName): got ${describeValue(exportName)}, needs the name of a function that the module exports; ` +
        "a function itself cannot be sent to a worker",
    );
  }
  requireOptions(`${where}(module, exportName, options)`, options, "{ args: [1, 2] }");
  requireKnown(where, options, optionNames, optionsInstead);
  const { args = [], transfer = [], abandonOnCancel = false } = options;
  const { errorClasses = classesOf(module), graceMs = GRACE_MS } = options;
  requireArgs(where, args);
  requireTransfer(`${where}({ transfer })`, transfer);
  requireFlag(`${where}({ abandonOnCancel })`, abandonOnCancel);
  requireTime(`${where}({ graceMs })`, graceMs);
  requireClasses(where, errorClasses);
  return {
    where,
    module: url,
    exportName,
    args,
    transfer,
    abandonOnCancel,
    graceMs,
    errorClasses,
    extra,
    extension,
  };
}

/** Those that were told with the module. */
function classesOf(module: URL | string | ModuleHandle<unknown>): readonly RemoteErrorClass[] {
  return (module as Partial<ModuleHandle<unknown>>).errorClasses ?? [];
}

function requireArgs(where: string, args: unknown): void {
  if (!Array.isArray(args)) {
    throw new TypeError(
      `${where}({ args }): got ${describeValue(args)}, needs an array of the arguments`,
    );
  }
  for (const [index, arg] of args.entries()) {
    if (typeof arg !== "function" && typeof arg !== "symbol") continue;
    throw new TypeError(
      `${where}({ args }): the argument at index ${index} cannot be sent: it is a ${typeof arg}; needs what structuredClone can copy`,
    );
  }
}

function requireLimiter(
  { where, defaultLimiter }: WorkerCallKind,
  limiter: CapacityLimiter | undefined,
): CapacityLimiter {
  if (limiter === undefined) return defaultLimiter();
  if (limiter instanceof CapacityLimiter) return limiter;
  throw new TypeError(
    `${where}({ limiter }): got ${describeValue(limiter)}, needs a CapacityLimiter`,
  );
}
