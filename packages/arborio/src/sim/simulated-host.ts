import { ambientScope } from "../core/ambient.ts";
import { requireFunction } from "../core/arguments.ts";
import { isCancelled } from "../core/cancelled.ts";
import { InvalidStateError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import type { TaskHandle } from "../core/task.ts";
import type { Backend } from "../platform/backend.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import type { Chooser } from "./chooser.ts";
import type { VirtualClock } from "./clock.ts";
import { FileTree } from "./files/file-tree.ts";
import { HostFiles } from "./files/host-files.ts";
import { HostProcesses } from "./processes/host-processes.ts";
import type { SimulatedProcess, SimulatedProgram } from "./processes/program.ts";
import type { HostBridge } from "./host-bridge.ts";
import { HostWorkers } from "./threads/host-workers.ts";
import type { ResolvedWorkersOptions } from "./threads/worker-options.ts";
import type { HostNetwork } from "./net/host-network.ts";
import { systemError } from "./system-errors.ts";
import { HostSignals } from "./signals.ts";

/** A program that runs on a simulated host. */
export type HostMain = (group: TaskGroup) => unknown;

/** @internal What a host is made with. */
export interface HostParts {
  readonly clock: VirtualClock;
  readonly chooser: Chooser;
  readonly network: HostNetwork;
  readonly bridge: HostBridge;
  readonly workers: ResolvedWorkersOptions;
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
  /** Threads and processes in which its programs call functions of modules. */
  readonly workers: HostWorkers;
  /** @internal */ readonly network: HostNetwork;
  readonly #parts: HostParts;
  readonly #signals: HostSignals;
  readonly #processes: HostProcesses;
  /** What is open: the files of the host's own programs, and those of each process. */
  readonly #openFiles: Set<HostFiles> = new Set();
  /** What `start` and `run` have begun. */
  readonly #programs: Set<RunningProgram> = new Set();
  #backend: Backend;

  /** @internal */
  constructor(name: string, parts: HostParts) {
    const { clock, chooser, network } = parts;
    this.name = name;
    this.addresses = network.addresses.map(({ text }) => text);
    this.network = network;
    this.#parts = parts;
    this.files = new FileTree(clock, chooser, network.unix);
    this.#signals = new HostSignals(clock, (signal) => this.#unheard(signal));
    this.#processes = new HostProcesses({
      clock,
      chooser: chooser.fork("processes"),
      files: this.files,
      openFiles: (cwd) => this.#createFiles(cwd),
      backendFor: (own) => this.#createBackend(own),
    });
    this.workers = new HostWorkers({
      clock,
      chooser: chooser.fork("workers"),
      bridge: parts.bridge,
      options: parts.workers,
      backendFor: (own) => this.#createBackend({ ...this.#backend, ...own }),
    });
    this.#backend = this.#boot();
  }

  /** @internal What its own programs run on, until it crashes. */
  get backend(): Backend {
    return this.#backend;
  }

  /** How many files and directories its programs have open, to find leaks. */
  get openFiles(): number {
    let count = 0;
    for (const files of this.#openFiles) count += files.openCount;
    return count;
  }

  /** How many directories its programs watch, to find leaks. */
  get openWatches(): number {
    let count = 0;
    for (const files of this.#openFiles) count += files.watchCount;
    return count;
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
    return system.startSoon(() => this.#runProgram(ambientScope(), true, () => taskGroup(main)), {
      name: this.name,
    });
  }

  /**
   * Runs `fn` on this host, as a part of the calling task: what `fn` opens, it opens here.
   *
   * @returns what `fn` returns.
   * @throws what `fn` throws.
   * @throws SystemError with code `"EHOSTDOWN"` if the host crashes meanwhile: then `fn` is cancelled.
   */
  async run<T>(fn: () => T | PromiseLike<T>): Promise<T> {
    requireFunction("SimulatedHost.run", fn);
    let result: { readonly value: T } | undefined;
    await new CancelScope().run((scope) =>
      this.#runProgram(scope, false, async () => {
        result = { value: await fn() };
      }),
    );
    // Nobody but a crash can cancel that scope.
    if (result === undefined) throw systemError(`run on ${this.name}`, "EHOSTDOWN");
    return result.value;
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

  /**
   * The power fails, and is back at once. What `start`, `run` and `openProcess` have begun on this host is cancelled; its cleanup runs,
   * but reaches no disk any more. Its sockets are gone, and their other ends are reset. Of its files that is left which was on the disk:
   *
   * - what `sync` and `sync-directory` (`File.sync`, `replaceFile`) had put there is there;
   * - of what was written since, each page of 4 KiB may be old or new, and the size too;
   * - each name that was made, renamed or removed since may be as it was or as it is; a rename is one step.
   *
   * Which it is, the seed decides. Start the programs again to see what they make of it.
   *
   * @throws InvalidStateError if called by a program on this host, which could not go on.
   *
   * @example A file that is never half written
   * ```ts
   * import { sleep } from "arborio";
   * import { replaceFile } from "arborio/fs";
   * import { simulate } from "arborio/sim";
   *
   * for (let seed = 0; seed < 20; seed++) {
   *   await simulate({ seed }, async (world) => {
   *     const server = world.host("server");
   *     server.files.write("/state", "old");
   *     server.start(() => replaceFile("/state", "new"));
   *     await sleep(seed / 4);
   *     server.crash();
   *     console.assert(["old", "new"].includes(server.files.readText("/state")));
   *   });
   * }
   * ```
   */
  crash(): void {
    if (currentBackend() === this.#backend) {
      throw new InvalidStateError(
        `crash of ${this.name}: called by a program on it, which could not go on; let it run on a host of its own: world.host("server", main)`,
      );
    }
    for (const files of this.#openFiles) files.crash();
    this.#openFiles.clear();
    for (const program of this.#programs) {
      program.hasCrashed = true;
      program.scope.cancel(`${this.name} has crashed`);
    }
    this.#processes.crash();
    this.workers.endAll();
    this.network.crash();
    this.files.crash();
    this.#backend = this.#boot();
  }

  async #runProgram<T>(
    scope: CancelScope,
    hearsSignals: boolean,
    main: () => Promise<T>,
  ): Promise<T | undefined> {
    const program: RunningProgram = { scope, hearsSignals, hasCrashed: false };
    setBackend(scope, this.#backend);
    this.#programs.add(program);
    try {
      return await main();
    } catch (error) {
      // What a program says whose machine is gone, nobody hears.
      if (program.hasCrashed && !isCancelled(error)) return undefined;
      throw error;
    } finally {
      this.#programs.delete(program);
    }
  }

  /** The backend of the host's own programs, from now on. */
  #boot(): Backend {
    return this.#createBackend({
      files: this.#createFiles("/"),
      signals: this.#signals,
      processes: this.#processes.ownProcesses,
      threads: this.workers.ownThreads,
    });
  }

  #createBackend(own: Partial<Backend>): Backend {
    const backend = { ...this.#parts.backend, network: this.network, ...own };
    this.#parts.adopt(backend);
    return backend;
  }

  #createFiles(cwd: string): HostFiles {
    const files = new HostFiles(this.files, cwd, () => this.#openFiles.delete(files));
    this.#openFiles.add(files);
    return files;
  }

  #unheard(name: string): void {
    if (name !== "SIGINT" && name !== "SIGTERM") return;
    for (const { scope, hearsSignals } of this.#programs)
      if (hearsSignals) scope.shutdown({ graceMs: 0, reason: name });
  }
}

interface RunningProgram {
  readonly scope: CancelScope;
  /** Whether it is a program of its own, not a part of another. */
  readonly hearsSignals: boolean;
  hasCrashed: boolean;
}
