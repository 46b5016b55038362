import { ambientScope } from "../core/ambient.ts";
import { requireFunction } from "../core/arguments.ts";
import { InvalidStateError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import type { TaskHandle } from "../core/task.ts";
import type { Backend } from "../platform/backend.ts";
import { setBackend } from "../platform/capabilities.ts";
import type { Chooser } from "./chooser.ts";
import type { VirtualClock } from "./clock.ts";
import { FileTree } from "./files/file-tree.ts";
import { DiskTimes } from "./files/disk-times.ts";
import { HostFiles } from "./files/host-files.ts";
import { HostProcesses } from "./processes/host-processes.ts";
import type { SimulatedProcess, SimulatedProgram } from "./processes/program.ts";
import type { HostNetwork } from "./net/host-network.ts";
import { HostSignals } from "./signals.ts";

/** A program that runs on a simulated host. */
export type HostMain = (group: TaskGroup) => unknown;

/** @internal What a host is made with. */
export interface HostParts {
  readonly clock: VirtualClock;
  readonly chooser: Chooser;
  readonly network: HostNetwork;
  /** What it shares with the other hosts, and its chance. */
  readonly backend: Backend;
  /** Makes a backend known as one of this world. */
  readonly adopt: (backend: Backend) => void;
}

/** One host of a simulated world. Made by `world.host`. */
export class SimulatedHost {
  /** Unique in its world. */
  readonly name: string;
  /** Its numeric addresses beside loopback. */
  readonly addresses: readonly string[];
  /** Its files: what programs on it find. */
  readonly files: FileTree;
  /** @internal */ readonly backend: Backend;
  /** @internal */ readonly network: HostNetwork;
  readonly #times: DiskTimes;
  readonly #openFiles: HostFiles;
  readonly #signals: HostSignals;
  readonly #processes: HostProcesses;
  /** Of the programs that run on it. */
  readonly #scopes: Set<CancelScope> = new Set();

  /** @internal */
  constructor(name: string, parts: HostParts) {
    const { clock, network } = parts;
    this.name = name;
    this.addresses = network.addresses.map(({ text }) => text);
    this.network = network;
    this.files = new FileTree(clock, network.unix);
    this.#times = new DiskTimes(clock, parts.chooser.fork("files"));
    this.#openFiles = new HostFiles(this.files.disk, this.#times);
    this.#signals = new HostSignals(clock, (signal) => this.#unheard(signal));
    const shared = { ...parts.backend, network, files: this.#openFiles };
    this.#processes = new HostProcesses({
      clock,
      chooser: parts.chooser.fork("processes"),
      files: this.files,
      backendFor: (own) => {
        const backend = { ...shared, ...own };
        parts.adopt(backend);
        return backend;
      },
    });
    this.backend = {
      ...shared,
      signals: this.#signals,
      processes: this.#processes.ownProcesses,
    };
    parts.adopt(this.backend);
  }

  /** How many files its programs have open, to find leaks. */
  get openFiles(): number {
    return this.#openFiles.openCount;
  }

  /** The processes that run on it, oldest first, to find leaks. */
  get processes(): readonly SimulatedProcess[] {
    return this.#processes.running;
  }

  /**
   * Installs a program, which stands for a real one: `openProcess` and `runProcess` on this host find it by this name. One of the same
   * name is replaced; processes that run it go on.
   *
   * @param name as commands have it: `"git"`, `"/bin/sh"`.
   * @param program what it does. Signals that it does not listen for end it as they end a real one; then, and at its end, its streams
   *   are closed, and what it has started runs on.
   *
   * @example A supervisor sees a crash
   * ```ts
   * import { sleep } from "arborio";
   * import { openProcess } from "arborio/process";
   * import { simulate } from "arborio/sim";
   *
   * await simulate({ seed: 1 }, async (world) => {
   *   world.localhost.program("worker", async ({ command: [, afterMs] }) => {
   *     await sleep(Number(afterMs));
   *     return 3;
   *   });
   *   await using worker = await openProcess(["worker", "60000"]);
   *   console.assert((await worker.wait()).code === 3);
   *   console.assert(world.localhost.processes.length === 0);
   * });
   * ```
   */
  program(name: string, program: SimulatedProgram): void {
    this.#processes.register(name, program);
  }

  /**
   * Starts `main` on this host, in a task and a group of its own. It is cancelled when the run's own main has ended, as servers
   * are meant to be; what must be waited for, `run` or the handle waits for. What it throws fails the run.
   *
   * @returns the task's handle.
   * @throws InvalidStateError outside a run.
   */
  start(main: HostMain): TaskHandle {
    requireFunction("SimulatedHost.start", main);
    const { system } = ambientScope().runState;
    if (system === null) {
      throw new InvalidStateError(
        "SimulatedHost.start: called outside a run; call it inside simulate(options, main)",
      );
    }
    return system.startSoon(
      () => {
        const scope = ambientScope();
        setBackend(scope, this.backend);
        this.#scopes.add(scope);
        return taskGroup(main).finally(() => this.#scopes.delete(scope));
      },
      { name: this.name },
    );
  }

  /**
   * Runs `fn` on this host, as a part of the calling task: what `fn` opens, it opens here.
   *
   * @returns what `fn` returns.
   * @throws what `fn` throws.
   */
  async run<T>(fn: () => T | PromiseLike<T>): Promise<T> {
    requireFunction("SimulatedHost.run", fn);
    const result = await new CancelScope().run((scope) => {
      setBackend(scope, this.backend);
      return fn();
    });
    // Nobody can cancel that scope itself, so it always has the result.
    return result as T;
  }

  /**
   * Sends a signal to this host's programs, as an operator would. Whoever listens for it gets it. SIGINT and SIGTERM that nobody
   * listens for end what `start` has started, as they end a `run`; others that nobody listens for do nothing.
   *
   * @param name such as `"SIGTERM"`.
   * @throws RangeError if there is no such signal, or no program can handle it.
   */
  signal(name: string): void {
    this.#signals.raise(name);
  }

  #unheard(name: string): void {
    if (name !== "SIGINT" && name !== "SIGTERM") return;
    for (const scope of this.#scopes) scope.shutdown({ graceMs: 0, reason: name });
  }
}
