import { isInsideRun } from "../core/ambient.ts";
import { describeValue, requireFunction, requireTime } from "../core/arguments.ts";
import { isCancelled } from "../core/cancelled.ts";
import type { ClockTimer } from "../core/clock.ts";
import {
  DeadlockError,
  InterruptedError,
  InvalidStateError,
  TaskCancelled,
} from "../core/errors.ts";
import { FINISHED } from "../core/flags.ts";
import type { RunState } from "../core/run-state.ts";
import { openTaskGroup, type TaskGroup } from "../core/task-group.ts";
import type { Backend, Scheduler } from "./backend.ts";
import { ambient, hostBackend } from "./host.ts";
import { filterRejections } from "./rejection-filter.ts";
import { createRootState } from "./root-state.ts";
import { isClaimed, listenForSignals } from "./signal-claims.ts";
import { testAmbientStore } from "./self-test.ts";

/** Options of `run`. */
export interface RunOptions {
  /** Where to run. Default: the host's own backend. For tests: `simulator({ seed })`. */
  readonly backend?: Backend | BackendFactory;
  /** Name of the root task. Default: the name of `main`, or `"main"`. */
  readonly name?: string;
  /**
   * Signals that end the run: the first asks (`shutdown`), the second cancels. Default `["SIGINT", "SIGTERM"]`; `[]`: none. One for
   * which a receiver is open in the run goes to that alone (`openSignalReceiver`).
   */
  readonly signals?: readonly string[];
  /** Milliseconds between the first signal and the cancellation of everything. Default 0: at once. Servers set it. */
  readonly graceMs?: number;
  /** Records where things began and reports what nobody awaits. Slower. Default `false`. */
  readonly dev?: boolean;
  /** Gets errors that nobody awaits. Default: the runtime's handling of unhandled rejections. */
  readonly onUnhandled?: (error: unknown) => void;
}

/** Makes a backend for one run: a simulator's world begins anew each time. */
export interface BackendFactory {
  /** Called once by each run. */
  createBackend(): Backend;
}

/**
 * Runs `main` with the root task group, keeps the process alive, and returns main's value when main and all tasks have ended.
 * It leaves nothing behind: no timer, handle, listener or task. Runs side by side are independent.
 *
 * @returns what `main` returns.
 * @throws whatever `main` throws, bare; an `ExceptionGroup` if tasks of the root group, or system tasks, failed.
 * @throws InterruptedError if a signal cut the run short; unhandled, the process ends quietly with 128 + the signal's number.
 * @throws InvalidStateError inside another run.
 * @throws TaskCancelled if `main` cancelled its own group and was cut short by that.
 *
 * Counterpart: `anyio.run`, `trio.run`.
 *
 * @example A first program
 * ```ts
 * import { run, sleep } from "arborio";
 *
 * await run(async (group) => {
 *   group.startSoon(() => sleep(5));
 *   await sleep(1);
 * });
 * ```
 */
export async function run<T>(
  main: (group: TaskGroup) => T | PromiseLike<T>,
  options: RunOptions = {},
): Promise<T> {
  requireFunction("run", main);
  const { graceMs = 0, signals = ["SIGINT", "SIGTERM"] } = options;
  requireTime("run({ graceMs })", graceMs);
  requireSignals(signals);
  if (options.onUnhandled !== undefined)
    requireFunction("run({ onUnhandled })", options.onUnhandled);
  if (isInsideRun()) {
    throw new InvalidStateError(
      "run: already inside a run; open a task group instead: taskGroup(async (group) => …)",
    );
  }
  const backend = backendOf(options);
  const state = createRootState({
    backend,
    name: options.name ?? (main.name === "" ? "main" : main.name),
    dev: options.dev ?? false,
    // A simulator has no process of its own: its developer sits before the host's.
    warn: (message) => (backend.process ?? hostBackend.process)?.warn(message),
    ...(options.onUnhandled === undefined ? {} : { onUnhandled: options.onUnhandled }),
  });
  const running = new Running(state, graceMs);
  const hostProcess = hostBackend.process;
  const ends: (() => void)[] = [];
  // First, since it is the one that throws: no host lets a program catch SIGKILL.
  if (backend.signals !== undefined) {
    const received = (name: string): void => {
      if (!isClaimed(state, name)) running.interrupt(name);
    };
    ends.push(listenForSignals("run({ signals })", backend.signals, signals, received));
  }
  if (hostProcess !== undefined) {
    if (backend.scheduler === undefined) ends.push(hostProcess.keepAlive());
    ends.push(filterRejections(hostProcess, state));
  }
  const { scheduler } = backend;
  if (scheduler !== undefined) {
    ends.push(scheduler.onStuck(() => running.reportStuck(scheduler)));
    ends.push(() => running.stopLooking());
  }
  ensureAmbientStoreWorks().catch((error: unknown) => running.fail(error));
  state.kernel.countRun(1);
  const outcome = await settled(running.run(main as (group: TaskGroup) => unknown));
  state.kernel.countRun(-1);
  // Hosts look for unhandled rejections when the microtasks have run: what floated must still meet the filter.
  await new Promise<void>((resolve) => hostBackend.clock.nextTurn(resolve));
  for (const end of ends.reverse()) end();
  if (outcome.ok) return outcome.value as T;
  const { error } = outcome;
  if (error instanceof InterruptedError) {
    const number = backend.signals?.numberOf(error.signal) ?? 0;
    hostProcess?.exitQuietlyIfUnhandled(error, 128 + number);
  }
  throw error;
}

function requireSignals(signals: unknown): void {
  if (Array.isArray(signals) && signals.every((name) => typeof name === "string")) return;
  throw new TypeError(
    `run({ signals }): got ${describeValue(signals)}, needs an array of names such as ["SIGTERM"]`,
  );
}

function backendOf({ backend = hostBackend }: RunOptions): Backend {
  if (typeof backend === "object" && backend !== null) {
    if ("createBackend" in backend) return backend.createBackend();
    if ("clock" in backend) return backend;
  }
  throw new TypeError(
    `run({ backend }): got ${describeValue(backend)}, needs a backend object such as simulator({ seed: 1 })`,
  );
}

/**
 * The same signal again, sooner than this after the first, is the first once more: on a Ctrl-C in a terminal the program and
 * `npm run` both get it, and npm passes on its own (seen with bash as npm's shell). No person presses twice so quickly.
 */
const SAME_SIGNAL_MS = 50;

/** How often a simulated run that waits for the world outside looks whether it is stuck now, in milliseconds of the host. */
const LOOK_AGAIN_MS = 10;

/** One run from start to end. */
class Running {
  readonly #state: RunState;
  readonly #graceMs: number;
  #main: TaskGroup | null = null;
  #signal: string | null = null;
  /** When the first signal came, in milliseconds of the run's clock. */
  #signalAt = 0;
  #failure: { readonly error: unknown } | null = null;
  #abandoned = false;
  #look: ClockTimer | null = null;
  #abandon: (error: unknown) => void = () => {};

  constructor(state: RunState, graceMs: number) {
    this.#state = state;
    this.#graceMs = graceMs;
  }

  /** Main's group lies in the group of system tasks, which are cancelled when main has ended. */
  async run(main: (group: TaskGroup) => unknown): Promise<unknown> {
    const { root } = this.#state;
    const system = openTaskGroup(root, async (group: TaskGroup) => {
      this.#state.system = group;
      try {
        return await this.#runMain(group, main);
      } finally {
        group.cancel("main has ended");
      }
    });
    const outcome = await settled(
      new Promise((resolve, reject) => {
        this.#abandon = reject;
        system.outcome.then(resolve, reject);
      }),
    );
    if (!this.#abandoned) await new Promise<void>((closed) => root.closeThen(closed));
    root.finish(FINISHED, undefined);
    if (this.#failure !== null) throw this.#failure.error;
    return valueOf(system, outcome);
  }

  async #runMain(system: TaskGroup, main: (group: TaskGroup) => unknown): Promise<unknown> {
    const group = openTaskGroup(system.scope, (own: TaskGroup) => {
      this.#main = own;
      return main(own);
    });
    const outcome = await settled(group.outcome);
    if (this.#signal !== null && isCutShort(group, outcome))
      throw new InterruptedError(this.#signal);
    return valueOf(group, outcome);
  }

  interrupt(signal: string): void {
    const scope = this.#main?.scope;
    const first = this.#signal === null;
    const at = this.#state.kernel.now();
    if (first) this.#signalAt = at;
    else if (signal === this.#signal && at - this.#signalAt < SAME_SIGNAL_MS) return;
    this.#signal = signal;
    if (first) scope?.shutdown({ graceMs: this.#graceMs, reason: signal });
    else scope?.cancel(signal);
  }

  /** Ends the run with `error`, whatever it would have ended with. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#state.root.cancel(error);
  }

  /** Nothing can ever run again. Cancelling lets `finally` blocks run; if all is still stuck after that, the tasks are abandoned. */
  reportStuck(scheduler: Scheduler): void {
    const report = scheduler.describeDeadlock(this.#state.root);
    if (report === undefined) {
      this.#lookAgain();
      return;
    }
    if (this.#failure !== null) {
      this.#abandoned = true;
      this.#abandon(this.#failure.error);
      return;
    }
    this.fail(new DeadlockError(report));
    // Look again when the cancelled tasks have come to rest, also if none of them could be reached.
    this.#state.kernel.clock.nextTurn(() => {});
  }

  stopLooking(): void {
    this.#look?.clear();
  }

  /** What a task awaits that is not ours may come without a word to the scheduler, and everything be stuck after that. */
  #lookAgain(): void {
    this.stopLooking();
    const { clock } = this.#state.kernel;
    this.#look = hostBackend.clock.setTimer(LOOK_AGAIN_MS, () => clock.nextTurn(() => {}));
    // It keeps the process alive, as any run does: else the process could end between the answer and the look.
    this.#look.setReferenced(true);
  }
}

type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

function settled(promise: Promise<unknown>): Promise<Outcome> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  );
}

/** What a group's body returned; throws what it threw bare, if nothing else in the group failed. */
function valueOf(group: TaskGroup, outcome: Outcome): unknown {
  if (outcome.ok) return outcome.value;
  throw group.failedInBodyOnly ? group.bodyError : outcome.error;
}

/** Whether cancellation, and nothing else, cut the body of a group or a task in it short. */
function isCutShort(group: TaskGroup, outcome: Outcome): boolean {
  if (outcome.ok) return group.scope.cancelledCaught;
  return isCancelled(outcome.error) || outcome.error instanceof TaskCancelled;
}

let ambientTest: Promise<void> | undefined;

function ensureAmbientStoreWorks(): Promise<void> {
  ambientTest ??= testAmbientStore(ambient);
  return ambientTest;
}
