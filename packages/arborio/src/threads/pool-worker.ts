import type { Threads, WorkerExit, WorkerHandle, WorkerListener } from "../platform/threads.ts";
import type { Call } from "./call.ts";
import {
  ANSWERED,
  CALL_ID_MAX,
  CANCELLED,
  FLAG_COUNT,
  type FromWorker,
  POSTED,
  type ToWorker,
  type WorkerStart,
} from "./protocol.ts";
import { serve } from "./serve.ts";
import type { SentArguments } from "./thread-channel-arguments.ts";

/** Beside this file, and written in the same language: source or compiled. The pattern is what bundlers look for. */
const MAIN: string = ((): string => {
  const compiled = new URL("./thread-main.js", import.meta.url).href;
  return import.meta.url.endsWith(".ts") ? compiled.replace(/js$/, "ts") : compiled;
})();

function isCall(message: unknown): boolean {
  return (message as ToWorker)[0] === "call";
}

/** What a worker tells its pool. */
export interface PoolOfWorker {
  readonly kind: "thread" | "process";
  /** It has answered, and can be given the next call unless it is ending. */
  freed(worker: PoolWorker): void;
  /** A worker has answered; others may have too. */
  answered(): void;
  /** It has ended. */
  lost(worker: PoolWorker, exit: WorkerExit, wasIdle: boolean): void;
}

/** One worker of a pool: idle, or busy with one call. */
export class PoolWorker implements WorkerListener {
  readonly #pool: PoolOfWorker;
  readonly #handle: WorkerHandle;
  readonly #flags: Int32Array | undefined;
  #call: Call | null = null;
  #callId = 0;
  /** Whether it had worked before it was given its call: it may have ended since then, and nobody knew. */
  #wasIdle = false;
  /** How many answers have come. */
  #answers = 0;
  /** Number of the next message to be taken. */
  #next = 0;
  /** Messages that have overtaken others, by their numbers. No more than are under way. */
  readonly #early: Map<number, FromWorker> = new Map();
  #needed = false;
  /** Whether it was told to end. */
  #ending = false;
  /** Since when it has nothing to do, in milliseconds of the pool's clock. */
  idleSince = 0;

  constructor(pool: PoolOfWorker, threads: Threads, name: string) {
    this.#pool = pool;
    this.#flags =
      pool.kind === "thread"
        ? new Int32Array(new SharedArrayBuffer(FLAG_COUNT * Int32Array.BYTES_PER_ELEMENT))
        : undefined;
    const data: WorkerStart = { flags: this.#flags };
    this.#handle = threads.start(
      { kind: pool.kind, module: MAIN, serve, isCall, name, data },
      this,
    );
  }

  /**
   * Gives it a call.
   *
   * @throws DataCloneError if that cannot be sent; then it is idle as before.
   */
  begin(call: Call, { args, ends, ports }: SentArguments): void {
    const { module, exportName, extra, transfer } = call.order;
    const id = this.#callId === CALL_ID_MAX ? 1 : this.#callId + 1;
    const handedOver = ports.length === 0 ? transfer : [...transfer, ...ports];
    this.#post(
      extra === undefined && ends === undefined
        ? ["call", id, module, exportName, args]
        : ["call", id, module, exportName, args, extra, ends],
      handedOver,
    );
    this.#wasIdle = this.#callId !== 0;
    this.#callId = id;
    this.#call = call;
    this.setNeeded(call.keepsAlive);
  }

  /** Tells it that nobody wants the result of its call any more. */
  cancelCall(): void {
    if (this.#flags !== undefined) Atomics.store(this.#flags, CANCELLED, this.#callId);
    else this.#handle.showMark?.(this.#callId);
    this.#post(["cancel", this.#callId]);
  }

  /** Tells the code of its call something. */
  tell(payload: unknown, transfer?: readonly object[]): void {
    this.#post(["tell", this.#callId, payload], transfer);
  }

  /** Ends it, whatever it does. */
  terminate(): void {
    this.#ending = true;
    this.#handle.terminate();
  }

  get ending(): boolean {
    return this.#ending;
  }

  message(message: unknown): void {
    const [, , , number] = message as FromWorker;
    if (number !== this.#next) {
      this.#early.set(number, message as FromWorker);
      return;
    }
    this.#told(message as FromWorker);
    while (this.#early.size > 0) {
      const early = this.#early.get(this.#next);
      if (early === undefined) return;
      this.#early.delete(this.#next);
      this.#told(early);
    }
  }

  #told([kind, id, payload]: FromWorker): void {
    this.#next = (this.#next + 1) | 0;
    const call = this.#call;
    if (call === null || id !== this.#callId) return;
    if (kind === "tell") {
      call.told(payload);
      return;
    }
    this.#answers = (this.#answers + 1) | 0;
    this.#finish();
    if (kind === "value") call.succeed(payload);
    else if (kind === "thrown") call.failRemotely(payload);
    else call.endCancelled();
    this.#pool.answered();
  }

  /** Takes its answer without a turn of the event loop, if there is one: what a busy program has to do for each turn costs more. */
  receiveNowait(): void {
    if (this.#flags === undefined || Atomics.load(this.#flags, ANSWERED) === this.#answers) return;
    while (this.#call !== null) {
      const received = this.#handle.receiveNowait?.();
      if (received === undefined) return;
      this.message(received.message);
    }
  }

  unreadable(error: Error): void {
    // It may have been the answer, and another one will not come.
    this.#call?.noteUnreadable(error);
    this.terminate();
  }

  ended(exit: WorkerExit): void {
    const call = this.#call;
    this.#call = null;
    const hasBegun = call !== null && this.#hasTakenCall();
    const wasIdle = !this.#ending && !hasBegun && (call === null || this.#wasIdle);
    this.#pool.lost(this, exit, wasIdle);
    if (wasIdle) call?.workerWasGone(exit);
    else call?.workerEnded(exit, this.#ending, hasBegun);
  }

  /** Whether it has come to its call, as far as anybody can tell. */
  #hasTakenCall(): boolean {
    const taken = this.#handle.readMark?.();
    return taken === undefined || taken === this.#callId;
  }

  #finish(): void {
    this.#call = null;
    this.setNeeded(false);
    this.#pool.freed(this);
  }

  /** Whether it keeps this process alive. */
  setNeeded(needed: boolean): void {
    if (needed === this.#needed) return;
    this.#needed = needed;
    this.#handle.setNeeded(needed);
  }

  #post(message: ToWorker, transfer?: readonly object[]): void {
    this.#handle.post(message, transfer);
    if (this.#flags === undefined) return;
    Atomics.add(this.#flags, POSTED, 1);
    Atomics.notify(this.#flags, POSTED);
  }
}
