import type { Clock, ClockTimer } from "../core/clock.ts";
import { describeValue } from "../core/arguments.ts";
import { textOf } from "../core/exception-text.ts";
import type { Backend } from "../platform/backend.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { Threads, WorkerExit } from "../platform/threads.ts";
import { type PoolOfWorker, PoolWorker } from "./pool-worker.ts";

/** What `workerStatistics` tells. */
export interface WorkerStatistics {
  /** Workers that wait for a call. */
  readonly idle: number;
  /** Workers that work on a call, also on one that was abandoned. */
  readonly busy: number;
  /** How many were started in all. */
  readonly started: number;
  /** How many ended by themselves. */
  readonly crashed: number;
}

/**
 * Time after which a worker without work is ended, in milliseconds: as long as threads of AnyIO and Trio wait. A process costs more to
 * start, and waits as long as one of AnyIO.
 */
const IDLE_MS: Readonly<Record<PoolOfWorker["kind"], number>> = {
  thread: 10_000,
  process: 300_000,
};

type Pools = { [Kind in PoolOfWorker["kind"]]?: WorkerPool };

/**
 * Pools belong to the host, not to a run: starting a worker costs as much as ten thousand calls. They do not keep the process alive, and no
 * run can see what another left in them but by modules that keep a state.
 */
const pools: WeakMap<Threads, Pools> = new WeakMap();

/** The pool of this kind of workers. */
export function poolOf(backend: Backend, threads: Threads, kind: PoolOfWorker["kind"]): WorkerPool {
  let ofThreads = pools.get(threads);
  if (ofThreads === undefined) pools.set(threads, (ofThreads = {}));
  ofThreads[kind] ??= new WorkerPool(backend, threads, kind);
  return ofThreads[kind];
}

/**
 * How many workers there are. They belong to the host, not to the run. In a simulator, to the simulated run.
 *
 * @param kind `"thread"` for those of `runInThread`, `"process"` for those of `runInProcess`.
 * @returns a frozen snapshot.
 * @throws RangeError if `kind` is neither.
 * @throws NotSupportedError if the backend has no threads.
 *
 * @example No call, no work
 * ```ts
 * import { run } from "arborio";
 * import { workerStatistics } from "arborio/threads";
 *
 * await run(() => console.assert(workerStatistics("thread").busy === 0));
 * ```
 */
export function workerStatistics(kind: "thread" | "process"): WorkerStatistics {
  if (kind !== "thread" && kind !== "process") {
    throw new RangeError(
      `workerStatistics: got ${describeValue(kind)}, needs "thread" or "process"`,
    );
  }
  const backend = currentBackend();
  return poolOf(
    backend,
    requireCapability(backend, "threads", "workerStatistics"),
    kind,
  ).statistics();
}

/** Workers of one kind. How many there are is for the limiters to say: each call has a token of one. */
export class WorkerPool implements PoolOfWorker {
  readonly kind: PoolOfWorker["kind"];
  readonly clock: Clock;
  readonly #backend: Backend;
  readonly #threads: Threads;
  /** The last one that became idle is the next to work: what it needs is in the caches, and the others can end. */
  readonly #idle: PoolWorker[] = [];
  readonly #busy: Set<PoolWorker> = new Set();
  #receiving = false;
  #started = 0;
  #crashed = 0;
  #prune: ClockTimer | null = null;

  constructor(backend: Backend, threads: Threads, kind: PoolOfWorker["kind"]) {
    this.kind = kind;
    this.#backend = backend;
    this.#threads = threads;
    this.clock = backend.clock;
  }

  /** A worker for one call. It comes back by itself. */
  take(): PoolWorker {
    let worker = this.#idle.pop();
    while (worker?.ending === true) worker = this.#idle.pop();
    if (worker === undefined) {
      const name = `arborio ${this.kind} ${this.#started + 1}`;
      worker = new PoolWorker(this, this.#threads, name);
      this.#started += 1;
    }
    this.#busy.add(worker);
    return worker;
  }

  freed(worker: PoolWorker): void {
    this.#busy.delete(worker);
    if (worker.ending) return;
    worker.idleSince = this.clock.now();
    this.#idle.push(worker);
    if (this.#prune === null) this.#pruneAfter(IDLE_MS[this.kind]);
  }

  lost(worker: PoolWorker, exit: WorkerExit, wasIdle: boolean): void {
    this.#busy.delete(worker);
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
    if (worker.ending) return;
    this.#crashed += 1;
    if (!wasIdle || exit.error === undefined) return;
    // Nobody's call fails by this, and nobody else would say it.
    const { stack = textOf(exit.error) } = exit.error as { readonly stack?: string };
    this.#backend.process?.warn(
      `arborio: a ${this.kind} without a call was ended by an error that nobody caught; what a call starts should end with it: ${stack}`,
    );
  }

  answered(): void {
    // One round: what the callers do with their answers comes first after that.
    if (this.#receiving) return;
    this.#receiving = true;
    for (const worker of Array.from(this.#busy)) worker.receiveNowait();
    this.#receiving = false;
  }

  statistics(): WorkerStatistics {
    return Object.freeze({
      idle: this.#idle.length,
      busy: this.#busy.size,
      started: this.#started,
      crashed: this.#crashed,
    });
  }

  #pruneAfter(delayMs: number): void {
    this.#prune = this.clock.setTimer(delayMs, () => this.#endIdle());
    this.#prune.setReferenced(false);
  }

  /** Ends those that have had nothing to do for long. The oldest are first in the list. */
  #endIdle(): void {
    this.#prune = null;
    const idleMs = IDLE_MS[this.kind];
    const now = this.clock.now();
    for (;;) {
      const [oldest] = this.#idle;
      if (oldest === undefined) return;
      const leftMs = oldest.idleSince + idleMs - now;
      if (leftMs > 0) {
        this.#pruneAfter(leftMs);
        return;
      }
      this.#idle.shift();
      oldest.terminate();
    }
  }
}
