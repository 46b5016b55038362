/**
 * Keeps workers: starts as many as were asked for, starts another one for each that crashes, replaces them one after the other on a
 * reload, and lets all finish when it is asked to. What a worker is, `RunWorker` knows; that it is a process is of no concern here.
 */
import {
  CancelScope,
  currentScope,
  Event,
  exponentialBackoff,
  failAfter,
  now,
  sleep,
  soft,
  taskGroup,
  type TaskGroup,
  TimeoutError,
} from "arborio";
import { CommandError, UsageError } from "../command-error.ts";
import type { Listening } from "./listening.ts";

/**
 * Runs one worker to its end. A shutdown of the scope around it lets it finish its requests; a cancellation ends it.
 *
 * @param port to listen on; `undefined`: what the command line says.
 * @param onListening to be called when it listens.
 */
export type RunWorker = (
  port: number | undefined,
  onListening: (listening: Listening) => void,
) => Promise<WorkerEnd>;

/** How a worker ended. */
export interface WorkerEnd {
  /** In words. */
  readonly how: string;
  /** Its command line was wrong, and so is that of all others: they share it. */
  readonly isUsage: boolean;
}

/** What a supervisor needs to know. */
export interface SupervisorOptions {
  readonly workers: number;
  readonly runWorker: RunWorker;
  /** Milliseconds that a worker that was replaced has to finish its requests. */
  readonly graceMs: number;
  /** Says what happens. */
  readonly say: (line: string) => void;
}

/** The pause before a worker that crashed has a successor: longer each time that it crashes soon again. Milliseconds. */
const PAUSE_MS = { initialMs: 500, maxMs: 30_000 };

/** A worker that has lived so long has not failed by itself, in milliseconds. */
const STABLE_MS = 10_000;

/** A replacement that does not listen after so long never will, in milliseconds: a module that loads so long would be a poor server. */
const READY_MS_MAX = 60_000;

class Worker {
  readonly scope: CancelScope = new CancelScope();
  /** It listens, or has ended. */
  readonly settled: Event = new Event();
  readonly ended: Event = new Event();
  readonly startedAt: number = now();
  listening: Listening | null = null;
  end: WorkerEnd = { how: "was ended", isUsage: false };

  async run(runWorker: RunWorker, port: number | undefined): Promise<void> {
    try {
      const end = await this.scope.run(() =>
        runWorker(port, (listening) => {
          this.listening = listening;
          this.settled.set();
        }),
      );
      if (end !== undefined) this.end = end;
    } finally {
      this.settled.set();
      this.ended.set();
    }
  }
}

interface Slot {
  readonly number: number;
  current: Worker;
}

/** See the module. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[] = [];
  #group: TaskGroup | null = null;
  /** Of the first worker, for all others; `undefined` until then. */
  #port: number | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Runs until a shutdown has ended all workers.
   *
   * @param onListening called once, when the first worker listens.
   * @throws CommandError if the first worker ends before it listens: then they all would.
   */
  async run(onListening: (listening: Listening) => void): Promise<void> {
    const firstEnd = await taskGroup(async (group) => {
      this.#group = group;
      const first = this.#start();
      await first.settled.wait();
      if (first.listening === null) return first.end;
      const [address] = first.listening.addresses;
      if (address !== undefined && "port" in address) this.#port = address.port;
      onListening(first.listening);
      this.#slots.push({ number: 1, current: first });
      for (let number = 2; number <= this.#options.workers; number++)
        this.#slots.push({ number, current: this.#start() });
      for (const slot of this.#slots)
        group.startSoon(() => this.#keep(slot), { name: `keeper of worker ${slot.number}` });
      return null;
    });
    // Thrown out here: the error of a group would be in an ExceptionGroup. One that was asked to end meanwhile has done as it was told.
    if (firstEnd === null || currentScope().shuttingDown) return;
    const message = `the first worker ${firstEnd.how} before it listened`;
    throw firstEnd.isUsage ? new UsageError(message) : new CommandError(message);
  }

  /**
   * Replaces all workers, one after the other: the new one listens before the old one is asked to finish. If a new one does not come up,
   * those that are left stay.
   */
  async reload(): Promise<void> {
    const { say, graceMs } = this.#options;
    for (const slot of this.#slots) {
      const next = this.#start();
      const isReady = await this.#isReady(next);
      if (!isReady) {
        say(`the new worker ${slot.number} ${next.end.how} before it listened; the old ones stay`);
        return;
      }
      const old = slot.current;
      slot.current = next;
      old.scope.shutdown({ graceMs });
      await old.ended.wait();
    }
    say(`${this.#slots.length} workers were replaced`);
  }

  async #isReady(worker: Worker): Promise<boolean> {
    try {
      await failAfter(READY_MS_MAX, () => worker.settled.wait());
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      worker.scope.cancel("it does not come up");
      await worker.ended.wait();
    }
    return worker.listening !== null && !worker.ended.isSet;
  }

  #start(): Worker {
    const worker = new Worker();
    this.#group?.startSoon(() => worker.run(this.#options.runWorker, this.#port), {
      name: "worker",
    });
    return worker;
  }

  async #keep(slot: Slot): Promise<void> {
    const backoff = exponentialBackoff(PAUSE_MS);
    for (let crashes = 0; ;) {
      const worker = slot.current;
      await soft(() => worker.ended.wait());
      // Asked to end: the workers are asked too, and the group waits for them.
      if (!worker.ended.isSet) return;
      if (slot.current !== worker) continue;
      crashes = now() - worker.startedAt >= STABLE_MS ? 1 : crashes + 1;
      const pauseMs = backoff(crashes);
      this.#options.say(
        `worker ${slot.number} ${worker.end.how}; another one is started in ${pauseMs / 1000} s`,
      );
      const hasSlept = await soft(async () => {
        await sleep(pauseMs);
        return true;
      });
      if (hasSlept !== true) return;
      if (slot.current === worker) slot.current = this.#start();
    }
  }
}
