import type { CancelScope } from "./scope.ts";
import type { Waiter } from "./suspend.ts";
import type { Task, TaskHandle } from "./task.ts";

/**
 * Callbacks that see what tasks do. All optional, all synchronous. They are called in the middle of operations, so they must not
 * wake, cancel or close anything at once (`runSyncSoon` is the way). Counterpart: `trio.abc.Instrument`.
 */
export interface Instrument {
  /** A task was created; it has not run yet. */
  taskSpawned?(task: TaskHandle): void;
  /** A task has ended; `task.status` tells how. */
  taskExited?(task: TaskHandle): void;
  /** A flow of `task` parked itself. */
  waitStarted?(task: TaskHandle, wait: WaitDescription): void;
  /** The wait of a flow of `task` was settled: woken, failed or aborted. */
  waitEnded?(task: TaskHandle, wait: WaitDescription): void;
  /** A scope of `task` was cancelled (not counting those below it). */
  scopeCancelled?(task: TaskHandle, reason: unknown): void;
}

/** One wait of a task. */
export interface WaitDescription {
  /** What is being done: `"lock.acquire"`. */
  readonly kind: string;
  /** What is waited on: the lock, the channel; `undefined` if there is no such thing. */
  readonly resource: unknown;
  /** Milliseconds of `now()`, whole, and up to 5 too early. */
  readonly since: number;
}

/** All instruments of a kernel. One that throws is taken out, and its error reported: it must not break what it watches. */
export class InstrumentSet {
  readonly #instruments: Set<Instrument> = new Set<Instrument>();

  get size(): number {
    return this.#instruments.size;
  }

  add(instrument: Instrument): void {
    this.#instruments.add(instrument);
  }

  delete(instrument: Instrument): void {
    this.#instruments.delete(instrument);
  }

  taskSpawned(task: Task): void {
    this.#each(task, (instrument) => instrument.taskSpawned?.(task));
  }

  taskExited(task: Task): void {
    this.#each(task, (instrument) => instrument.taskExited?.(task));
  }

  waitStarted(waiter: Waiter<unknown>): void {
    const task = (waiter.scope as CancelScope).task;
    this.#each(task, (instrument) => instrument.waitStarted?.(task, describeWait(waiter)));
  }

  waitEnded(waiter: Waiter<unknown>, scope: CancelScope): void {
    this.#each(scope.task, (instrument) =>
      instrument.waitEnded?.(scope.task, describeWait(waiter)),
    );
  }

  scopeCancelled(scope: CancelScope, reason: unknown): void {
    this.#each(scope.task, (instrument) => instrument.scopeCancelled?.(scope.task, reason));
  }

  #each(task: Task, call: (instrument: Instrument) => void): void {
    for (const instrument of this.#instruments) {
      try {
        call(instrument);
      } catch (error) {
        this.#instruments.delete(instrument);
        task.runState.onUnhandled(error);
      }
    }
  }
}

export function describeWait(waiter: Waiter<unknown>): WaitDescription {
  return { kind: waiter.kind.name, resource: waiter.resource, since: waiter.since };
}
