import { ambientScope } from "../../core/ambient.ts";
import { requireCount } from "../../core/arguments.ts";
import { InvalidStateError } from "../../core/errors.ts";
import type { TaskGroup } from "../../core/task-group.ts";
import type { Backend } from "../../platform/backend.ts";
import type {
  MessagePortLike,
  Threads,
  WorkerHandle,
  WorkerListener,
  WorkerParent,
  WorkerTarget,
} from "../../platform/threads.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";
import type { HostBridge } from "../host-bridge.ts";
import { importBridged } from "../module-bridge.ts";
import { createPorts, portBehind, type SimulatedPort } from "./simulated-port.ts";
import {
  type OwnThreads,
  SimulatedWorker,
  type WorkerHost,
  type WorkerInfo,
} from "./simulated-worker.ts";
import type { ResolvedWorkersOptions } from "./worker-options.ts";

/** Outcomes among which a crash is drawn: always as many, so that a choice means the same in every run. */
const CRASH_CHOICES = 1024;

/** @internal What the workers of a host are made with. */
export interface HostWorkersParts {
  readonly clock: VirtualClock;
  readonly chooser: Chooser;
  readonly bridge: HostBridge;
  readonly options: ResolvedWorkersOptions;
  /** The backend for a worker, which has threads of its own. */
  readonly backendFor: (own: Partial<Backend>) => Backend;
}

/** The threads and processes of a simulated host that run modules: what `runInThread` and `runInProcess` use. */
export class HostWorkers implements WorkerHost {
  /** @internal */ readonly clock: VirtualClock;
  /** @internal */ readonly chooser: Chooser;
  readonly #bridge: HostBridge;
  readonly #options: ResolvedWorkersOptions;
  readonly #backendFor: (own: Partial<Backend>) => Backend;
  readonly #running: Set<SimulatedWorker> = new Set();
  readonly #crashes: Set<number> = new Set();
  #calls = 0;
  #system: TaskGroup | null = null;

  /** @internal */
  constructor({ clock, chooser, bridge, options, backendFor }: HostWorkersParts) {
    this.clock = clock;
    this.chooser = chooser;
    this.#bridge = bridge;
    this.#options = options;
    this.#backendFor = backendFor;
  }

  /** How many calls have come to a worker so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Those that run, idle ones too, oldest first. */
  get running(): readonly WorkerInfo[] {
    return [...this.#running].map(({ info }) => info);
  }

  /**
   * Lets the worker crash that gets a call: before the function has begun, or after it has done its work and before its answer has
   * come, as the seed has it.
   *
   * @param call which one, counted from 1, as `calls` counts. Default: the next.
   * @throws RangeError if it is none that can still come.
   *
   * @example What happens if a worker crashes
   * ```ts
   * import { simulate } from "arborio/sim";
   * import { BrokenWorkerError, runInThread } from "arborio/threads";
   *
   * const work = "data:text/javascript,export const add = (a, b) => a + b;";
   *
   * await simulate({ seed: 1 }, async ({ localhost }) => {
   *   localhost.workers.crash();
   *   const outcome = await runInThread(work, "add", { args: [1, 2] }).catch((error) => error);
   *   console.assert(outcome instanceof BrokenWorkerError);
   *   console.assert((await runInThread(work, "add", { args: [1, 2] })) === 3);
   * });
   * ```
   */
  crash(call: number = this.#calls + 1): void {
    requireCount("workers.crash", call, this.#calls + 1, false);
    this.#crashes.add(call);
  }

  /** @internal Where its tasks run. A call may have waited for its worker, and be given to it by whoever makes one free. */
  system(): TaskGroup {
    this.#system ??= ambientScope().runState.system;
    if (this.#system !== null) return this.#system;
    throw new InvalidStateError("a simulated thread needs the run that it is in");
  }

  /** @internal For the host's own programs. */
  get ownThreads(): Threads {
    return new ThreadsOf(this);
  }

  /** @internal A call comes to a worker. Returns whether that crashes. */
  countCall(): boolean {
    this.#calls += 1;
    const { crashRate } = this.#options;
    const isUnlucky =
      crashRate > 0 && this.chooser.pick("fault", CRASH_CHOICES) < crashRate * CRASH_CHOICES;
    return this.#crashes.delete(this.#calls) || isUnlucky;
  }

  /** @internal */
  get processors(): number {
    return this.#options.processors;
  }

  /** @internal */
  get serviceMaxUs(): number {
    return Math.round(this.#options.serviceMsMax * 1000);
  }

  /** @internal */
  importModule(url: string): Promise<Readonly<Record<string, unknown>>> {
    return importBridged(this.#bridge, url);
  }

  /** @internal */
  threadsFor(parent: WorkerParent): OwnThreads {
    return new ThreadsOf(this, parent);
  }

  /** @internal */
  backendFor(own: Partial<Backend>): Backend {
    return this.#backendFor(own);
  }

  /** @internal The host crashes. */
  endAll(): void {
    for (const worker of this.#running) worker.terminate();
  }

  /** @internal */
  started(worker: SimulatedWorker): void {
    this.#running.add(worker);
  }

  /** @internal */
  ended(worker: SimulatedWorker): void {
    this.#running.delete(worker);
  }
}

/** The contract, for one thread, or for the host's own programs. What they have opened and started ends with them. */
class ThreadsOf implements OwnThreads {
  readonly parent: WorkerParent | undefined;
  readonly #host: HostWorkers;
  readonly #workers: Set<SimulatedWorker> = new Set();
  readonly #ports: Set<SimulatedPort> = new Set();

  constructor(host: HostWorkers, parent?: WorkerParent) {
    this.#host = host;
    this.parent = parent;
  }

  get parallelism(): number {
    return this.#host.processors;
  }

  start(target: WorkerTarget, listener: WorkerListener): WorkerHandle {
    const system = this.#host.system();
    const worker: SimulatedWorker = new SimulatedWorker(this.#host, target, {
      message: (message) => listener.message(message),
      unreadable: (error) => listener.unreadable(error),
      ended: (exit) => {
        this.#workers.delete(worker);
        listener.ended(exit);
      },
    });
    this.#workers.add(worker);
    worker.start(system);
    return worker;
  }

  createPortPair(): readonly [MessagePortLike, MessagePortLike] {
    const pair = createPorts(this.#host.clock);
    for (const port of pair) this.#ports.add(port);
    return pair;
  }

  receiveNowait(port: MessagePortLike): { readonly message: unknown } | undefined {
    return (port as SimulatedPort).takeNowait();
  }

  adoptPort(token: unknown): MessagePortLike {
    const port = portBehind(token);
    this.#ports.add(port);
    return port;
  }

  end(): void {
    for (const worker of this.#workers) worker.terminate();
    for (const port of this.#ports) port.close();
  }
}
