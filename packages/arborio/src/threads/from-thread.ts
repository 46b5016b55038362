/** The worker's side of callbacks: calls of functions that the caller has given to the call. */
import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireKnown, requireOptions } from "../core/arguments.ts";
import { BrokenResourceError, InvalidStateError, NotSupportedError } from "../core/errors.ts";
import { requireBlockable, requireTimeout } from "./doorbell.ts";
import { WITH_CALLBACKS } from "./from-thread-callbacks.ts";
import { requireClasses } from "./module-at.ts";
import { type Line, RemoteCalls } from "./portal-calls.ts";
import type {
  CallableArguments,
  CallableFunctions,
  CallableName,
  CallableResult,
  FromFunctions,
  UntypedFunctions,
} from "./portal-protocol.ts";
import type { ToWorker } from "./protocol.ts";
import type { RemoteErrorClass } from "./thrown-form.ts";
import { currentWorkerCall, type WorkerCall } from "./worker-call.ts";

/** Options of `fromThread.of`. */
export interface FromThreadOptions {
  /** Error classes of your own that callbacks may throw, known by their names; see `runInThread`. */
  readonly errorClasses?: readonly RemoteErrorClass[];
  /** Longest wait of `runSync` in milliseconds: then the callback is cancelled. For `run` there are scopes. Default `Infinity`. */
  readonly timeoutMs?: number;
}

/** Calls callbacks, by their names. See `fromThread`. */
export interface FromThread<Callbacks> {
  /**
   * Calls a callback in the caller's loop and waits for what it returns. Cancelled, the callback is cancelled, and its end is waited for.
   *
   * @returns what the callback returns, copied by structured clone; if that is a promise, what it resolves to.
   * @throws whatever the callback throws, with its class, its fields and its stack.
   * @throws BrokenResourceError if the caller waits for this call no more (`abandonOnCancel`).
   * @throws TypeError if there is no such callback, or an argument or the result cannot be sent.
   * @throws InvalidStateError outside a call that has callbacks.
   */
  run<Name extends CallableName<Callbacks>>(
    name: Name,
    ...args: CallableArguments<Callbacks, Name>
  ): Promise<CallableResult<Callbacks, Name>>;
  /**
   * `run` for synchronous code: blocks this thread until the callback has ended. The caller's loop goes on, and so does everything that the
   * callback waits for there; only what it should need of this thread could not come.
   *
   * @throws as `run`; Cancelled if the caller is cancelled.
   * @throws TimeoutError if the time is over (`of({ timeoutMs })`); the callback is cancelled, and its end is not waited for.
   * @throws NotSupportedError in a process, and in a simulator.
   */
  runSync<Name extends CallableName<Callbacks>>(
    name: Name,
    ...args: CallableArguments<Callbacks, Name>
  ): CallableResult<Callbacks, Name>;
  /**
   * The same with types, with error classes of your own, and with a limit of time: `fromThread.of<Callbacks>()`.
   *
   * @throws TypeError, RangeError for wrong options.
   */
  of<Typed extends CallableFunctions>(options?: FromThreadOptions): FromThread<Typed>;
}

class CallbacksOfCall implements FromThread<UntypedFunctions> {
  readonly #errorClasses: readonly RemoteErrorClass[];
  readonly #timeoutMs: number;

  constructor(errorClasses: readonly RemoteErrorClass[], timeoutMs: number) {
    this.#errorClasses = errorClasses;
    this.#timeoutMs = timeoutMs;
  }

  run(name: string, ...args: readonly unknown[]): Promise<never> {
    try {
      const calls = callsOf("fromThread.run", name);
      return calls.call(name, args, this.#errorClasses) as Promise<never>;
    } catch (error) {
      return ambientScope().kernel.rejected(error);
    }
  }

  runSync(name: string, ...args: readonly unknown[]): never {
    const where = "fromThread.runSync";
    requireBlockable(where, "await fromThread.run(…) instead");
    const calls = callsOf(where, name);
    if (currentWorkerCall()?.parent.receiveNowait === undefined) {
      throw new NotSupportedError(
        `${where}: a process cannot wait for a message without its event loop; await fromThread.run(…) instead`,
      );
    }
    return calls.callSync(where, name, args, this.#timeoutMs, this.#errorClasses) as never;
  }

  of<Typed extends CallableFunctions>(options: FromThreadOptions = {}): FromThread<Typed> {
    const where = "fromThread.of";
    requireOptions(where, options, "{ errorClasses: [MyError] }");
    requireKnown(where, options, { errorClasses: true, timeoutMs: true });
    const { errorClasses = [] } = options;
    requireClasses(where, errorClasses);
    return new CallbacksOfCall(
      errorClasses,
      requireTimeout(where, options),
    ) as unknown as FromThread<Typed>;
  }
}

/**
 * Calls, from a function that runs in a worker, functions of whoever called it: the `callbacks` of `runInThread` and `runInProcess`. They run in
 * the caller's loop as tasks of the call: in the caller's context, in its scopes, and cancelled with it.
 *
 * Counterpart: `anyio.from_thread.run` and `run_sync`, `trio.from_thread.run`. There, any function can be called; between threads of JavaScript no
 * function can be sent, so the caller names those that it gives. `checkCancelled` is their `check_cancelled`.
 *
 * @example Progress, and a question
 * ```ts ignore
 * // hash.ts, which a worker runs
 * import { fromThread } from "arborio/threads";
 *
 * export interface Callbacks {
 *   progress(done: number): void;
 *   lookup(key: string): Promise<string>;
 * }
 *
 * export async function work(): Promise<string> {
 *   const caller = fromThread.of<Callbacks>();
 *   caller.runSync("progress", 0.5);
 *   return await caller.run("lookup", "key");
 * }
 *
 * // main.ts
 * const hash = moduleAt<typeof import("./hash.ts")>(new URL("./hash.ts", import.meta.url));
 * const callbacks: Callbacks = { progress: (done) => console.log(done), lookup: async (key) => await read(key) };
 * await runInThread(hash, "work", { callbacks });
 * ```
 */
export const fromThread: FromThread<UntypedFunctions> = new CallbacksOfCall([], Infinity);

/** Of calls that have called back. */
const known: WeakMap<WorkerCall, RemoteCalls> = new WeakMap();

function callsOf(where: string, name: unknown): RemoteCalls {
  if (typeof name !== "string")
    throw new TypeError(`${where}: got ${describeValue(name)}, needs the name of a callback`);
  const call = currentWorkerCall();
  if (call?.extra !== WITH_CALLBACKS) {
    throw new InvalidStateError(
      call === undefined
        ? `${where}: this code was not called by runInThread or runInProcess; call the function itself`
        : `${where}: the caller gave no callbacks; it gives them by runInThread(…, { callbacks: { ${name}() { … } } })`,
    );
  }
  let calls = known.get(call);
  if (calls === undefined) {
    calls = new RemoteCalls(lineOf(call));
    known.set(call, calls);
    listen(call, calls);
  }
  return calls;
}

function listen(call: WorkerCall, calls: RemoteCalls): void {
  call.onTold = (payload) => calls.told(payload as FromFunctions);
}

function lineOf(call: WorkerCall): Line {
  return {
    where: "fromThread.run",
    post: (message, transfer) => call.tell(message, transfer),
    receiveNowait: () => receiveNowait(call),
    noticeCancellation: () => call.noticeCancellation(),
    // A worker lives as long as its pool wants.
    setNeeded() {},
    endedError: (where) =>
      new BrokenResourceError(`${where}: the caller does not wait for this call any more`),
  };
}

/** A worker has one call at a time, so what comes is for this one. */
function receiveNowait(call: WorkerCall): boolean {
  const received = call.parent.receiveNowait?.();
  if (received === undefined) return false;
  const [kind, , payload] = received.message as ToWorker;
  if (kind === "cancel") call.cancel();
  else if (kind === "tell") call.onTold(payload);
  return true;
}
