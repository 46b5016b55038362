import { runInScope } from "../../core/ambient.ts";
import { GroupClosedError } from "../../core/errors.ts";
import { CancelScope } from "../../core/scope.ts";
import type { TaskGroup } from "../../core/task-group.ts";
import { runningTasksOf } from "../../core/task-tree.ts";
import type { Task } from "../../core/task.ts";
import type { Backend } from "../../platform/backend.ts";
import type {
  Threads,
  WorkerExit,
  WorkerHandle,
  WorkerListener,
  WorkerParent,
  WorkerTarget,
} from "../../platform/threads.ts";
import { ParkingLot } from "../../sync/parking-lot.ts";
import { WorkerClock } from "./worker-clock.ts";
import { createWorkerRoot } from "./worker-root.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";
import { cloneMessage } from "./simulated-port.ts";

/** A worker that runs on a simulated host. */
export interface WorkerInfo {
  /** Of `runInThread`, or of `runInProcess`. */
  readonly kind: "thread" | "process";
  /** `"arborio thread 1"`. */
  readonly name: string;
}

/** The contract for the code of one thread. What it has opened and started ends with it. */
export interface OwnThreads extends Threads {
  /** The thread has ended. */
  end(): void;
}

/** @internal What a worker needs of its host. */
export interface WorkerHost {
  readonly clock: VirtualClock;
  readonly chooser: Chooser;
  /** Greatest time until a call begins, in microseconds. */
  readonly serviceMaxUs: number;
  /** A call comes to a worker. Returns whether that crashes. */
  countCall(): boolean;
  importModule(url: string): Promise<Readonly<Record<string, unknown>>>;
  threadsFor(parent: WorkerParent): OwnThreads;
  /** The backend for a worker, which has threads of its own. */
  backendFor(own: Partial<Backend>): Backend;
  started(worker: SimulatedWorker): void;
  ended(worker: SimulatedWorker): void;
}

/** Least and greatest microseconds that a worker takes to start: those of today's machines. */
const START_US: Readonly<Record<WorkerInfo["kind"], readonly [number, number]>> = {
  thread: [5000, 50_000],
  process: [30_000, 300_000],
};
/** Least time until a call begins, in microseconds. */
const SERVICE_MIN_US = 20;
/** Least and greatest microseconds that any other message takes. */
const MESSAGE_US: readonly [number, number] = [10, 200];
/** How many such times there are to choose from; always the same, so that a choice means the same in every run. */
const TIMES = 1024;
/** So many microseconds the code of a call has when the world ends: as many as it has by default when its caller is cancelled. */
const CLEANUP_US = 1_000_000;
/** Microseconds from the end of a worker until that is known. */
const END_US = 100;

const EXITS = {
  thread: {
    crashed: { code: 1, signal: undefined, error: undefined },
    terminated: { code: 1, signal: undefined, error: undefined },
  },
  process: {
    crashed: { code: undefined, signal: "SIGSEGV", error: undefined },
    terminated: { code: undefined, signal: "SIGKILL", error: undefined },
  },
} as const satisfies Readonly<
  Record<WorkerInfo["kind"], Readonly<Record<"crashed" | "terminated", WorkerExit>>>
>;

/**
 * A worker whose code runs in this thread, in a task of its own below the run. Messages are cloned, and take their time; code that never
 * gives way cannot be ended, and stops the whole world.
 */
export class SimulatedWorker implements WorkerHandle {
  readonly info: WorkerInfo;
  readonly #host: WorkerHost;
  readonly #target: WorkerTarget;
  readonly #listener: WorkerListener;
  readonly #scope: CancelScope = new CancelScope();
  readonly #clock: WorkerClock;
  readonly #threads: OwnThreads;
  readonly #parent: WorkerParent;
  readonly #inbox: unknown[] = [];
  readonly #arrival: ParkingLot;
  /** Where its task waits. */
  readonly #end: ParkingLot = new ParkingLot("worker.end", this);
  #root: Task | null = null;
  /** Messages about which its code does something that has not ended. */
  #working = 0;
  #told: (message: unknown) => Promise<void> | undefined = () => undefined;
  #mark = 0;
  #ended = false;
  /** Nobody will get its next message. */
  #crashesBeforeAnswer = false;
  /** When the last message came, or comes, there and back: none overtakes another. In microseconds. */
  #lastInUs = 0;
  #lastOutUs = 0;

  constructor(host: WorkerHost, target: WorkerTarget, listener: WorkerListener) {
    const { kind, name } = target;
    this.info = Object.freeze({ kind, name });
    this.#host = host;
    this.#target = target;
    this.#listener = listener;
    this.#clock = new WorkerClock(host.clock);
    this.#arrival = new ParkingLot("worker.idle", this.info);
    this.#parent = {
      data: cloneMessage(target.data),
      post: (message, transfer) => this.#answer(message, transfer),
      onMessage: (told) => {
        this.#told = told;
      },
      readMark: () => this.#mark,
      importModule: (url) => host.importModule(url),
    };
    this.#threads = host.threadsFor(this.#parent);
  }

  /** For the simulator's report of deadlocks: what its code waits for, and what is not the library's, comes from outside. */
  get isForeign(): boolean {
    if (this.#working === 0 || this.#root === null) return false;
    const waits = runningTasksOf(this.#root).flatMap((task) => task.waits);
    return waits.every(({ resource }) => resource === this.info);
  }

  /** Starts its task below `system`. */
  start(system: TaskGroup): void {
    const { clock } = this.#host;
    this.#host.started(this);
    this.#lastInUs = clock.nowUs + this.#draw(START_US[this.info.kind]);
    clock.after(this.#lastInUs - clock.nowUs, () => {
      if (this.#ended) return;
      try {
        system.startSoon(() => this.#run(system), { name: this.info.name });
      } catch (error) {
        // The run has ended while this was starting, and nobody waits for it.
        if (!(error instanceof GroupClosedError)) throw error;
      }
    });
  }

  post(message: unknown, transfer?: readonly object[]): void {
    const copy = cloneMessage(message, transfer);
    if (this.#ended) return;
    const { clock, serviceMaxUs } = this.#host;
    const isCall = this.#target.isCall(message);
    const time = this.#draw(isCall ? [SERVICE_MIN_US, serviceMaxUs] : MESSAGE_US);
    this.#lastInUs = Math.max(this.#lastInUs, clock.nowUs + time);
    clock.after(this.#lastInUs - clock.nowUs, () => this.#arrived(copy, isCall));
  }

  showMark(mark: number): void {
    this.#mark = mark;
  }

  terminate(): void {
    this.#endBy(EXITS[this.info.kind].terminated);
  }

  setNeeded(): void {}

  #arrived(message: unknown, isCall: boolean): void {
    if (this.#ended) return;
    if (isCall && this.#host.countCall()) {
      if (this.#host.chooser.pick("fault", 2) === 0) {
        this.#crash();
        return;
      }
      this.#crashesBeforeAnswer = true;
    }
    this.#inbox.push(message);
    this.#arrival.unpark();
  }

  /** In a task below the run, which waits for the end of the worker, and for that of the world. */
  async #run(system: TaskGroup): Promise<void> {
    const backend = this.#host.backendFor({
      clock: this.#clock,
      threads: this.#threads,
    });
    const root = createWorkerRoot(this.info.name, system, backend);
    this.#root = root;
    const left = runInScope(root, (scope) => scope.run(() => this.#work()), this.#scope);
    try {
      await this.#end.park();
    } finally {
      if (!this.#ended) {
        this.#scope.cancel("the run has ended");
        await this.#within(CLEANUP_US, left);
      }
      this.#leave();
    }
  }

  #within(maxUs: number, promise: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#host.clock.after(maxUs, resolve);
      void promise.then(() => {
        timer.clear();
        resolve();
      });
    });
  }

  async #work(): Promise<void> {
    this.#target.serve(this.#parent);
    for (;;) {
      while (this.#inbox.length > 0) this.#tell(this.#inbox.shift());
      await this.#arrival.park();
    }
  }

  #tell(message: unknown): void {
    const work = this.#told(message);
    if (work === undefined) return;
    this.#working += 1;
    void work.then(() => {
      this.#working -= 1;
    });
  }

  #answer(message: unknown, transfer?: readonly object[]): void {
    const copy = cloneMessage(message, transfer);
    if (this.#ended) return;
    if (this.#crashesBeforeAnswer) {
      this.#crash();
      return;
    }
    const { clock } = this.#host;
    this.#lastOutUs = Math.max(this.#lastOutUs, clock.nowUs + this.#draw(MESSAGE_US));
    clock.after(this.#lastOutUs - clock.nowUs, () => this.#listener.message(copy));
  }

  #crash(): void {
    this.#endBy(EXITS[this.info.kind].crashed);
  }

  #endBy(exit: WorkerExit): void {
    if (this.#ended) return;
    this.#ended = true;
    // So that what it has open is closed, as a runtime does it; but it has no time to wait for anything.
    this.#scope.cancel(`${this.info.name} has ended`);
    this.#release();
    this.#end.unpark();
    const { clock } = this.#host;
    const atUs = Math.max(this.#lastOutUs, clock.nowUs + END_US);
    clock.after(atUs - clock.nowUs, () => this.#listener.ended(exit));
  }

  #leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
  }

  #release(): void {
    this.#root?.close();
    this.#host.ended(this);
    this.#threads.end();
    this.#clock.stop();
  }

  #draw([minUs, maxUs]: readonly [number, number]): number {
    const choice = this.#host.chooser.pick("latency", TIMES);
    return minUs + Math.round((Math.max(0, maxUs - minUs) * choice) / (TIMES - 1));
  }
}
