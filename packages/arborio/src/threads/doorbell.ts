/**
 * How blocked code is woken. A thread that waits by `Atomics.wait` can wait for one word of shared memory only, so each thread has one, its
 * bell; whoever posts something to the thread rings it. To be woken for nothing is harmless: the sleeper looks, and sleeps on.
 */
import { ambientScope } from "../core/ambient.ts";
import { requireTime } from "../core/arguments.ts";
import { NotSupportedError, TimeoutError } from "../core/errors.ts";
import { backendOf } from "../platform/capabilities.ts";
import { hostBackend } from "../platform/host.ts";
import { POSTED, type WorkerStart } from "./protocol.ts";
import { currentWorkerCall } from "./worker-call.ts";

/** Options of what blocks the thread it is called in. */
export interface BlockingOptions {
  /** Longest wait in milliseconds. Default `Infinity`. A deadline of a scope does not cut it short: the thread is blocked. */
  readonly timeoutMs?: number;
}

/** Of this thread, once somebody needs it. */
let ownBell: Int32Array | undefined;

/** The bell of this thread. A worker of a pool already has one, on which it is told of new calls and of their cancellation. */
export function threadBell(): Int32Array {
  const start = hostBackend.threads?.parent?.data as WorkerStart | undefined;
  ownBell ??= start?.flags ?? new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return ownBell;
}

let ownName: string | undefined;

/** A name of this thread that no other has: where a thing lives that must not be waited for by blocking this very thread. */
export function threadName(): string {
  // Never the seed's chance: it is drawn once for a thread, not once for a run.
  const { entropy } = hostBackend;
  ownName ??= `${entropy.random()} ${entropy.random()}`;
  return ownName;
}

/** Wakes the thread whose bell it is, if it is blocked. To be called after what it is to find was posted. */
export function ring(bell: Int32Array): void {
  Atomics.add(bell, POSTED, 1);
  Atomics.notify(bell, POSTED);
}

/** What `blockUntil` asks of the operation that blocks. */
export interface Blocking<T> {
  /** For messages: `"ThreadSendChannel.sendSync"`. */
  readonly where: string;
  /** Takes what has come; `undefined` while that is not enough. */
  readonly look: () => { readonly value: T } | undefined;
  /** Withdraws the operation; `false` if it cannot be withdrawn now: then what comes of it is waited for. `isLate`: since its time is over. */
  readonly withdraw: (isLate: boolean) => boolean;
}

/**
 * Blocks this thread until `look` has found something. Ends early when the caller of this thread's work is cancelled, or the time is over.
 *
 * @throws Cancelled, TimeoutError.
 */
export function blockUntil<T>(blocking: Blocking<T>, timeoutMs: number): T {
  const bell = threadBell();
  const call = currentWorkerCall();
  const scope = ambientScope();
  const { clock } = scope.kernel;
  const end = timeoutMs === Infinity ? Infinity : clock.now() + timeoutMs;
  for (;;) {
    const seen = Atomics.load(bell, POSTED);
    const found = blocking.look();
    if (found !== undefined) return found.value;
    call?.noticeCancellation();
    let remainingMs = end === Infinity ? Infinity : end - clock.now();
    if (scope.applied !== null || remainingMs <= 0) {
      if (blocking.withdraw(remainingMs <= 0))
        throw scope.applied ?? timeoutError(blocking.where, timeoutMs);
      remainingMs = Infinity;
    }
    Atomics.wait(bell, POSTED, seen, remainingMs);
  }
}

function timeoutError(where: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`${where}: the time of ${timeoutMs} ms is over`);
}

/** Throws unless this thread can be blocked; a simulator's cannot, since everything that could wake it runs in it. */
export function requireBlockable(where: string, instead: string): void {
  const backend = backendOf(ambientScope());
  if (backend.scheduler === undefined) return;
  throw new NotSupportedError(
    `${where}: the backend "${backend.name}" runs everything in one thread, which must not be blocked; ${instead}`,
  );
}

/** The limit of a blocking wait. */
export function requireTimeout(where: string, { timeoutMs = Infinity }: BlockingOptions): number {
  requireTime(`${where}({ timeoutMs })`, timeoutMs);
  return timeoutMs;
}
