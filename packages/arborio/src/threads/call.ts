import { type Cancelled, isCancelled } from "../core/cancelled.ts";
import type { ClockTimer } from "../core/clock.ts";
import { TaskCancelled } from "../core/errors.ts";
import { textOf } from "../core/exception-text.ts";
import type { RunState } from "../core/run-state.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { WorkerExit } from "../platform/threads.ts";
import type { Lease } from "../sync/lease.ts";
import type { CapacityLimiter, TokenTaker } from "../sync/limiter.ts";
import { BrokenWorkerError } from "./errors.ts";
import { tellPortsLost } from "./lost-ports.ts";
import type { PoolWorker } from "./pool-worker.ts";
import { sendEnds, type SentArguments } from "./thread-channel-arguments.ts";
import { type RemoteErrorClass, revive, type ThrownForm } from "./thrown-form.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What is to be called, and how; everything is checked. */
export interface CallOrder {
  /** `"runInThread"`. */
  readonly where: string;
  readonly module: string;
  readonly exportName: string;
  readonly args: readonly unknown[];
  readonly transfer: readonly object[];
  readonly abandonOnCancel: boolean;
  readonly graceMs: number;
  readonly errorClasses: readonly RemoteErrorClass[];
  /** Sent with the call, for what else belongs to it. */
  readonly extra: unknown;
  /** Gets what the worker tells this call. */
  readonly extension: CallExtension | undefined;
}

/** What else belongs to a call: functions that the worker can call, for example. */
export interface CallExtension {
  /** The call was given to a worker. */
  began(call: Call, scope: CancelScope): void;
  /** The worker's side of this call told something (`WorkerCall.tell`). */
  told(payload: unknown): void;
  /** The call has ended, or its worker has. */
  ended(): void;
}

/** One call of an export in a worker, from the side of the caller. */
export class Call implements TokenTaker {
  readonly order: CallOrder;
  readonly #runState: RunState;
  readonly #scope: CancelScope;
  readonly #pool: WorkerPool;
  readonly #limiter: CapacityLimiter;
  /** `null` until it has a token. */
  #lease: Lease | null = null;
  /** `null` when nobody waits any more. */
  #waiter: Waiter<unknown> | null = null;
  /** The one that works on it. */
  #worker: PoolWorker | null = null;
  /** What it was given. */
  #sent: SentArguments | null = null;
  /** Why the caller wants no result any more. */
  #cancelled: Cancelled | null = null;
  #grace: ClockTimer | null = null;
  #unreadable: Error | null = null;

  constructor(order: CallOrder, scope: CancelScope, pool: WorkerPool, limiter: CapacityLimiter) {
    this.order = order;
    this.#runState = scope.runState;
    this.#scope = scope;
    this.#pool = pool;
    this.#limiter = limiter;
  }

  /** What the task tree shows. */
  describe(): string {
    return `${this.order.exportName} of ${this.order.module}`;
  }

  /** Whether nothing else keeps the process alive until it has ended: a run does, outside of runs nothing would. */
  get keepsAlive(): boolean {
    return this.#runState.outside;
  }

  /** Waits for a token, then for the answer. One wait, so that the worker which becomes free gets its next call at once. */
  start(kind: WaitKind): Promise<unknown> {
    const waiter = new Waiter<unknown>(this.#scope, kind, this, this);
    this.#waiter = waiter;
    this.#limiter.lendTo(this, waiter);
    return waiter.promise;
  }

  lent(lease: Lease): void {
    this.#lease = lease;
    this.#give();
  }

  /** Gives it to a worker. */
  #give(): void {
    let worker: PoolWorker;
    try {
      worker = this.#pool.take();
    } catch (error) {
      this.#fail(error);
      return;
    }
    let sent: SentArguments | undefined;
    try {
      sent = sendEnds(`${this.order.where}({ args })`, this.#pool.kind, this.order.args);
      worker.begin(this, sent);
      sent.sent();
      this.#sent = sent;
      this.#worker = worker;
      this.order.extension?.began(this, this.#scope);
    } catch (error) {
      sent?.failed();
      this.#pool.freed(worker);
      this.#fail(sent === undefined ? error : unsendable(this.order, sent.args, error));
    }
  }

  /** The caller was cancelled. `false` if it has to wait nevertheless. */
  cancel(waiter: Waiter<unknown>): void | false {
    if (this.#lease === null) {
      this.#limiter.withdraw(waiter);
      return undefined;
    }
    if (this.#cancelled === null) {
      this.#cancelled = waiter.scope?.applied ?? null;
      this.#worker?.cancelCall();
    }
    const { abandonOnCancel, graceMs } = this.order;
    if (abandonOnCancel) {
      this.#waiter = null;
      this.#worker?.setNeeded(false);
      return undefined;
    }
    if (this.#grace === null && graceMs !== Infinity) {
      this.#grace = this.#pool.clock.setTimer(Math.max(0, graceMs), () =>
        this.#worker?.terminate(),
      );
      this.#grace.setReferenced(this.keepsAlive);
    }
    return false;
  }

  /** Tells the worker's side of this call something (`WorkerCall.onTold`). Without effect when the call has ended. */
  tell(payload: unknown, transfer?: readonly object[]): void {
    this.#worker?.tell(payload, transfer);
  }

  // What the worker says --------------------------------------------------------------------------------------------------

  told(payload: unknown): void {
    this.order.extension?.told(payload);
  }

  succeed(value: unknown): void {
    this.#end();
    this.#waiter?.wake(value);
  }

  failRemotely(form: ThrownForm): void {
    const { errorClasses, exportName, module, where } = this.order;
    const boundary = `    at ${where} (${exportName} of ${module}, in a worker)`;
    this.#fail(revive(form, { errorClasses, boundary }));
  }

  /** It was cut short: by the caller's cancellation, or because the function cancelled its own scope. */
  endCancelled(): void {
    const { exportName, where } = this.order;
    this.#end();
    this.#waiter?.fail(
      this.#cancelled ??
        new TaskCancelled(`${where}: ${exportName} has cancelled itself, so it has no result`),
    );
  }

  noteUnreadable(error: Error): void {
    this.#unreadable = error;
  }

  /** The worker had ended, by itself, before this call came to it: another one gets it, unless what it brings along is lost. */
  workerWasGone(exit: WorkerExit): void {
    if (this.#cancelled !== null) this.endCancelled();
    else if (this.order.transfer.length > 0 || this.#sent?.ends !== undefined)
      this.workerEnded(exit, false, false);
    else this.#give();
  }

  workerEnded(exit: WorkerExit, wasTold: boolean, hasBegun: boolean): void {
    const { exportName, where } = this.order;
    tellPortsLost([...this.order.transfer, ...(this.#sent?.ports ?? [])]);
    if (this.#unreadable !== null) {
      const cause = this.#unreadable;
      const message = `${where}: the answer of ${exportName} cannot be read: ${cause.message}`;
      this.#fail(new BrokenWorkerError(message, undefined, undefined, { cause }));
    } else if (wasTold && this.#cancelled !== null) this.endCancelled();
    else this.#fail(brokenWorker(this.order, exit, hasBegun));
  }

  #fail(error: unknown): void {
    this.#end();
    if (this.#waiter !== null) this.#waiter.fail(error);
    // Of a cancellation nobody needs to know: a simulated worker meets that of its world.
    else if (!isCancelled(error)) this.#runState.onUnhandled(error);
  }

  #end(): void {
    this.#worker = null;
    this.#sent = null;
    this.#grace?.clear();
    this.#grace = null;
    this.order.extension?.ended();
    this.#lease?.release();
  }
}

function brokenWorker(
  { where, exportName }: CallOrder,
  exit: WorkerExit,
  hasBegun: boolean,
): BrokenWorkerError {
  const { code, signal, error } = exit;
  const how =
    error !== undefined
      ? `an error that nobody caught: ${textOf(error)}`
      : signal === undefined
        ? `exit code ${code}`
        : `the signal ${signal}`;
  const message = `${where}: the worker ended ${hasBegun ? "during" : "before"} ${exportName}, by ${how}`;
  const options = error === undefined ? undefined : { cause: error };
  return new BrokenWorkerError(message, code, signal, options);
}

/** Says which argument it was. */
function unsendable(
  { where, transfer, extra }: CallOrder,
  args: readonly unknown[],
  cause: unknown,
): unknown {
  const why = cause instanceof Error ? cause.message : textOf(cause);
  for (const [index, arg] of args.entries()) {
    if (transfer.includes(arg as object) || isCloneable(arg)) continue;
    return new TypeError(
      `${where}({ args }): the argument at index ${index} cannot be sent: ${why}; needs what structuredClone can copy`,
      { cause },
    );
  }
  if (!isCloneable(extra)) return cause;
  if (transfer.length === 0) {
    return new TypeError(
      `${where}({ args }): an argument cannot be sent: ${why}; needs what structuredClone can copy, without shared memory`,
      { cause },
    );
  }
  return new TypeError(
    `${where}({ transfer }): cannot be transferred: ${why}; needs array buffers, ports or streams that nobody else has`,
    { cause },
  );
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
