import { ambientScope } from "../core/ambient.ts";
import { describeValue } from "../core/arguments.ts";
import { BusyResourceError, ClosedResourceError } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { backendOf, requireCapability } from "../platform/capabilities.ts";
import { claimSignals, listenForSignals } from "../platform/signal-claims.ts";
import type { Signals } from "../platform/signals.ts";

/**
 * Receives signals instead of what the system, or the run, would do at them, until it is closed. Equal signals that nobody has
 * received yet count once, as the system itself counts them; different ones come in the order in which they arrived.
 *
 * A receiver that was opened in a run takes its signals away from the run's own handling (`run({ signals })`): while one for
 * `"SIGTERM"` is open, a SIGTERM neither asks nor cancels. Other runs in the process are not concerned. Two receivers for the same
 * signal both get it. It does not keep the process alive.
 *
 * @param names such as `["SIGHUP", "SIGTERM"]`; at least one.
 * @returns the receiver; close it, best by `using`.
 * @throws TypeError if `names` is no array of strings.
 * @throws RangeError if it is empty, or names what is no signal here, or one that no program can handle: SIGKILL, SIGSTOP, and those
 *   that tell of a fault in the program itself, such as SIGSEGV.
 * @throws NotSupportedError if the backend has no signals.
 *
 * Counterpart: `trio.open_signal_receiver`, `anyio.open_signal_receiver`.
 *
 * @example Reload at SIGHUP
 * ```ts
 * import { run } from "arborio";
 * import { openSignalReceiver } from "arborio/process";
 *
 * const reload = async () => console.log("reading the configuration");
 *
 * await run((group) => {
 *   group.startSoon(async () => {
 *     using signals = openSignalReceiver(["SIGHUP"]);
 *     for await (const _name of signals) await reload();
 *   }, { daemon: true });
 * });
 * ```
 */
export function openSignalReceiver(names: readonly string[]): SignalReceiver {
  if (!(Array.isArray(names) && names.every((name) => typeof name === "string"))) {
    throw new TypeError(
      `openSignalReceiver: got ${describeValue(names)}, needs an array of names such as ["SIGTERM"]`,
    );
  }
  if (names.length === 0)
    throw new RangeError("openSignalReceiver: got no names, needs at least one");
  const scope = ambientScope();
  const signals = requireCapability(backendOf(scope), "signals", "openSignalReceiver");
  const receiver = new SignalReceiver(signals, new Set(names as string[]));
  const isOfTheRun = (scope.runState.backend as { signals?: Signals }).signals === signals;
  if (isOfTheRun) receiver.claim(claimSignals(scope.runState, receiver.names));
  return receiver;
}

const RECEIVE: WaitKind = { name: "signals.receive", abort: forgetReceiver };
const ITERATE: WaitKind = { name: "signals.next", abort: forgetReceiver };

function forgetReceiver(waiter: Waiter<unknown>): void {
  (waiter.resource as SignalReceiver).forgetReceiver();
}

/** What `openSignalReceiver` gives. Iterating over it never ends, and leaving the loop closes nothing. */
export class SignalReceiver implements AsyncIterable<string>, Disposable, AsyncDisposable {
  /** The signals that it receives. */
  readonly names: ReadonlySet<string>;
  readonly #signals: Signals;
  readonly #stop: () => void;
  #unclaim: () => void = () => {};
  /** Arrived, and received by nobody, oldest first. Never more than there are names. */
  readonly #pending: Set<string> = new Set();
  #receiver: Waiter<unknown> | null = null;
  #closed = false;

  /** @internal */
  constructor(signals: Signals, names: ReadonlySet<string>) {
    this.names = names;
    this.#signals = signals;
    this.#stop = listenForSignals("openSignalReceiver", signals, [...names], (name) =>
      this.#arrived(name),
    );
  }

  /** @internal What gives the signals back to the run. */
  claim(unclaim: () => void): void {
    this.#unclaim = unclaim;
  }

  /**
   * Waits for the next signal. Cancelled, it lost none.
   *
   * @returns the name of the signal.
   * @throws ClosedResourceError if the receiver is closed, also while waiting.
   * @throws BusyResourceError if another task receives at the moment.
   */
  receive(): Promise<string> {
    return this.#receive(RECEIVE, (name) => name);
  }

  /** `receive`, again and again. */
  [Symbol.asyncIterator](): AsyncIterator<string, never, undefined> {
    return { next: () => this.#receive(ITERATE, toResult) };
  }

  #receive<T>(kind: WaitKind, convert: (name: string) => T): Promise<T> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    for (const name of this.#pending) {
      this.#pending.delete(name);
      return scope.kernel.ready(convert(name));
    }
    const waiter = new Waiter<T>(scope, kind, this, convert);
    this.#receiver = waiter as Waiter<unknown>;
    return waiter.promise;
  }

  #refusal(): Error | null {
    if (this.#closed)
      return new ClosedResourceError("SignalReceiver.receive: this receiver is closed");
    if (this.#receiver === null) return null;
    return new BusyResourceError(
      "SignalReceiver.receive: another task receives from it at the moment; open a receiver for each task",
    );
  }

  #arrived(name: string): void {
    const receiver = this.#receiver;
    if (receiver === null) {
      this.#pending.add(name);
      return;
    }
    this.#receiver = null;
    receiver.wake((receiver.payload as (name: string) => unknown)(name));
  }

  /**
   * Closes the receiver: its signals do again what they did before. Those that arrived and were not received are sent to this
   * process anew, so that none is lost: a SIGTERM that comes as the receiver closes ends the program after all. A task that waits
   * gets `ClosedResourceError`. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    this.#unclaim();
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.fail(new ClosedResourceError("SignalReceiver.receive: this receiver was closed"));
    for (const name of this.#pending) this.#signals.raise(name);
    this.#pending.clear();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** @internal */
  forgetReceiver(): void {
    this.#receiver = null;
  }
}

function toResult(value: string): IteratorYieldResult<string> {
  return { done: false, value };
}
