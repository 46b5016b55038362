/** The side of the threads that use a portal. */
import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireKnown, requireOptions } from "../core/arguments.ts";
import { isCancelled } from "../core/cancelled.ts";
import {
  BrokenResourceError,
  ClosedResourceError,
  InvalidStateError,
  TaskCancelled,
  TaskFailed,
  WouldBlock,
} from "../core/errors.ts";
import { ignore } from "../core/promise.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { MessagePortLike, Threads } from "../platform/threads.ts";
import { Event } from "../sync/event.ts";
import { requireBlockable, requireTimeout, threadBell, threadName } from "./doorbell.ts";
import { requireClasses } from "./module-at.ts";
import { adoptWithPassport } from "./passport.ts";
import { portalPassport } from "./portal.ts";
import { newCall, RemoteCalls, type CallOutcome, type RemoteCall } from "./portal-calls.ts";
import {
  type CallableArguments,
  type CallableFunctions,
  type CallableName,
  type CallableResult,
  type FromPortal,
  PORTAL_PORT,
  type PortalPassport,
  type ToPortal,
  type UntypedFunctions,
} from "./portal-protocol.ts";
import type { RemoteErrorClass } from "./thrown-form.ts";

/** Tasks that one connection can have started, and that have not ended. A bound for the memory of whoever serves them, far above what programs need. */
export const STARTED_MAX = 10_000;

/** Options of `connectPortal`. */
export interface ConnectPortalOptions {
  /** Error classes of your own that the functions may throw, known by their names; see `runInThread`. Default: none. */
  readonly errorClasses?: readonly RemoteErrorClass[];
  /** Longest wait of `callSync` and `resultSync` in milliseconds. For `call` and `result` there are scopes. Default `Infinity`. */
  readonly timeoutMs?: number;
}

/**
 * Connects this thread to a portal of another one. Any thread can: a worker of `node:worker_threads`, a web `Worker`, one of `runInThread`. It
 * needs no `run` for it; in one, calls are checkpoints of its own tasks.
 *
 * @param handle from `portal.handle()`, as it came to this thread.
 * @returns the connection; close it when done, best by `using`. A thread that ends has closed it.
 * @throws TypeError if it is no handle of a portal, or was used before.
 * @throws TypeError, RangeError for wrong options.
 * @throws NotSupportedError if the backend has no threads.
 *
 * Counterpart: the methods of `anyio.from_thread.BlockingPortal` that threads call.
 */
export function connectPortal<Functions extends CallableFunctions = UntypedFunctions>(
  handle: MessagePort,
  options: ConnectPortalOptions = {},
): PortalConnection<Functions> {
  requireOptions("connectPortal", options, "{ errorClasses: [MyError] }");
  requireKnown("connectPortal", options, { errorClasses: true, timeoutMs: true });
  const { errorClasses = [] } = options;
  requireClasses("connectPortal", errorClasses);
  const timeoutMs = requireTimeout("connectPortal", options);
  const threads = requireCapability(currentBackend(), "threads", "connectPortal");
  const adopted = adoptWithPassport<PortalPassport>(threads, handle, PORTAL_PORT);
  if (adopted === undefined) {
    throw new TypeError(
      `connectPortal: got ${describeValue(handle)}, needs what portal.handle() gave, which nobody has used yet`,
    );
  }
  const { home } = adopted.passport;
  return new PortalConnection(threads, adopted.port, home, { errorClasses, timeoutMs });
}

/** A port that is not needed keeps nothing alive, so its listeners need somebody who knows them. */
const open: Set<object> = new Set();

/** A connection of this thread to a portal. See `connectPortal`. */
export class PortalConnection<Functions> implements Disposable {
  readonly #threads: Threads;
  readonly #port: MessagePortLike;
  readonly #home: string;
  readonly #timeoutMs: number;
  readonly #calls: RemoteCalls;

  /** @internal */
  constructor(
    threads: Threads,
    port: MessagePortLike,
    home: string,
    { errorClasses, timeoutMs }: Required<ConnectPortalOptions>,
  ) {
    this.#threads = threads;
    this.#port = port;
    this.#home = home;
    this.#timeoutMs = timeoutMs;
    this.#calls = new RemoteCalls(
      {
        where: "portal.call",
        post: (message, transfer) => port.post(message, transfer),
        receiveNowait: () => this.#receiveNowait(),
        noticeCancellation() {},
        setNeeded: (needed) => port.setNeeded(needed),
        endedError,
      },
      errorClasses,
    );
    open.add(this);
    port.listen(
      (message) => this.#told(message as FromPortal),
      () => this.#end(endedError),
    );
    port.setNeeded(false);
    port.post(["here", threadBell()] satisfies ToPortal);
  }

  /**
   * Calls a function in the portal's loop and waits for what it returns. Cancelled, the function is cancelled, and its end is waited for.
   *
   * @throws whatever the function throws, with its class, its fields and its stack.
   * @throws BrokenResourceError if the portal has ended.
   * @throws ClosedResourceError if this connection is closed, also while waiting.
   * @throws TaskCancelled if the function was cancelled with its portal.
   * @throws TypeError if there is no such function, or an argument or the result cannot be sent.
   */
  call<Name extends CallableName<Functions>>(
    name: Name,
    ...args: CallableArguments<Functions, Name>
  ): Promise<CallableResult<Functions, Name>> {
    return this.#calls.call(name, args) as Promise<CallableResult<Functions, Name>>;
  }

  /**
   * `call` for synchronous code: blocks this thread until the function has ended.
   *
   * @throws as `call`.
   * @throws TimeoutError if the time is over (`connectPortal({ timeoutMs })`); the function is cancelled, and its end is not waited for.
   * @throws InvalidStateError in the portal's own thread, which could then not run the function.
   * @throws NotSupportedError in a simulator.
   */
  callSync<Name extends CallableName<Functions>>(
    name: Name,
    ...args: CallableArguments<Functions, Name>
  ): CallableResult<Functions, Name> {
    const where = "portal.callSync";
    this.#requireOther(where, "await portal.call(…) instead");
    return this.#calls.callSync(where, name, args, this.#timeoutMs) as CallableResult<
      Functions,
      Name
    >;
  }

  /**
   * Starts a function as a task of the portal, which goes on when this connection is closed and when this thread ends. Does not wait. What it
   * throws goes to whoever asks for the result; if the connection is closed by then, to the `onUnhandled` of the portal's run.
   *
   * @throws WouldBlock if 10,000 tasks of this connection have not ended.
   * @throws BrokenResourceError if the portal is known to have ended.
   * @throws ClosedResourceError if this connection is closed.
   * @throws TypeError if an argument cannot be sent.
   */
  start<Name extends CallableName<Functions>>(
    name: Name,
    ...args: CallableArguments<Functions, Name>
  ): PortalTask<CallableResult<Functions, Name>> {
    const { failure, started } = this.#calls;
    if (failure !== null) throw failure("portal.start");
    if (started >= STARTED_MAX) {
      throw new WouldBlock(
        `portal.start: ${STARTED_MAX} tasks of this connection have not ended; wait for one of them, or use call`,
      );
    }
    const task = new PortalTask<CallableResult<Functions, Name>>(this.#calls, name, args, {
      timeoutMs: this.#timeoutMs,
      requireOther: (where) => this.#requireOther(where, "await task.result() instead"),
    });
    task.begin();
    return task;
  }

  /**
   * Another handle of the portal, for another thread.
   *
   * @throws BrokenResourceError if the portal is known to have ended.
   * @throws ClosedResourceError if this connection is closed.
   */
  handle(): MessagePort {
    const { failure } = this.#calls;
    if (failure !== null) throw failure("portal.handle");
    const [home, away] = this.#threads.createPortPair();
    home.post(portalPassport(this.#home));
    const { native } = home;
    this.#port.post(["connect", native] satisfies ToPortal, [native]);
    return away.native as MessagePort;
  }

  /**
   * Closes the connection. Calls that wait fail with `ClosedResourceError`, and their functions are cancelled; tasks that were started go on.
   * Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    const isOpen = this.#calls.failure === null;
    this.#end(closedError);
    if (isOpen) this.#port.post(["close"] satisfies ToPortal);
    this.#port.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #end(failure: (where: string) => Error): void {
    open.delete(this);
    this.#calls.fail(failure);
  }

  #told(message: FromPortal): void {
    if (message[0] === "over") this.#end(endedError);
    else this.#calls.told(message);
  }

  #receiveNowait(): boolean {
    const received = this.#threads.receiveNowait(this.#port);
    if (received === undefined) return false;
    this.#told(received.message as FromPortal);
    return true;
  }

  #requireOther(where: string, instead: string): void {
    requireBlockable(where, instead);
    if (this.#home !== threadName()) return;
    throw new InvalidStateError(
      `${where}: this is the portal's own thread; blocked, it could not run the function: ${instead}`,
    );
  }
}

/** How a task's thread may be blocked. */
interface TaskBlocking {
  readonly timeoutMs: number;
  /** Throws in the portal's own thread. */
  readonly requireOther: (where: string) => void;
}

/** A task that a thread has started in the loop of a portal. Counterpart: the future of `BlockingPortal.start_task_soon`. */
export class PortalTask<T> {
  /** The name of the function. */
  readonly name: string;
  readonly #calls: RemoteCalls;
  readonly #call: RemoteCall;
  readonly #ended: Event = new Event();
  readonly #blocking: TaskBlocking;

  /** @internal */
  constructor(calls: RemoteCalls, name: string, args: readonly unknown[], blocking: TaskBlocking) {
    this.name = name;
    this.#calls = calls;
    this.#blocking = blocking;
    this.#call = newCall("start", name, args, () => this.#ended.set());
  }

  /** @internal */
  begin(): void {
    this.#calls.begin(this.#call);
    const outcome = this.#call.outcome?.value;
    if (outcome?.kind === "failed") throw outcome.error;
  }

  /**
   * Waits for the task's value. Cancelling this wait does not touch the task.
   *
   * @throws TaskFailed if the task failed; its error is the `cause`.
   * @throws TaskCancelled if the task was cancelled.
   * @throws BrokenResourceError if the portal ended before the task had begun.
   * @throws ClosedResourceError if the connection was closed before the task had ended.
   */
  result(): Promise<T> {
    const ended = this.#ended.wait();
    const result = ended.then(() => this.#valueOrError());
    // A rejection of ours with Cancelled may float.
    ended.catch((error: unknown) => {
      if (isCancelled(error)) result.catch(ignore);
    });
    return result;
  }

  /**
   * `result` for synchronous code: blocks this thread until the task has ended.
   *
   * @throws as `result`.
   * @throws TimeoutError if the time is over (`connectPortal({ timeoutMs })`); the task goes on.
   * @throws InvalidStateError in the portal's own thread.
   * @throws NotSupportedError in a simulator.
   */
  resultSync(): T {
    const where = "task.resultSync";
    this.#blocking.requireOther(where);
    const refusal = ambientScope().refuseExactly();
    if (refusal !== null) throw refusal;
    this.#calls.blockUntilEnded(where, this.#call, () => true, this.#blocking.timeoutMs);
    return this.#valueOrError();
  }

  /** Cancels the task; `result` tells when it has ended. Without effect once it has. Synchronous; works from any context. */
  cancel(): void {
    if (this.#call.outcome === undefined) this.#calls.withdraw(this.#call);
  }

  #valueOrError(): T {
    const outcome = this.#call.outcome?.value as CallOutcome;
    if (outcome.kind === "value") return outcome.value as T;
    if (outcome.kind === "cancelled")
      throw new TaskCancelled(`the portal's task ${this.name} was cancelled, so it has no result`);
    const cause = this.#calls.errorOf(this.#call, outcome);
    if (outcome.kind === "failed") throw cause;
    throw new TaskFailed(`the portal's task ${this.name} failed`, { cause });
  }
}

function endedError(where: string): BrokenResourceError {
  return new BrokenResourceError(`${where}: the portal has ended`);
}

function closedError(where: string): ClosedResourceError {
  return new ClosedResourceError(
    `${where}: this connection to the portal was closed here; close it after its last use`,
  );
}
