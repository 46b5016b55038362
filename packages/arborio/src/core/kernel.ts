/**
 * The kernel: one per backend. It holds what all tasks of a backend share: the heap of deadlines under one host timer, and
 * the budget that keeps a busy program from starving timers and I/O. It knows nothing of scopes and tasks, and nothing that
 * can be written above it belongs here.
 */
import { isCancelled } from "./cancelled.ts";
import type { Clock, ClockTimer } from "./clock.ts";
import { type Deadline, DeadlineHeap } from "./deadlines.ts";
import type { InstrumentSet } from "./instrument.ts";
import type { CancelScope } from "./scope.ts";
import { capture, captured, ignore } from "./promise.ts";

/** Resumptions between two looks at the clock; a power of two. Measured: at 100 ns each, a look every 25 µs costs below 0.2 %. */
const RESUMPTIONS_PER_LOOK = 256;
/** Longest time, in milliseconds, that resumptions may follow one another without a host turn. A turn costs about 1 µs. */
const TURN_MS = 1;
/** Fast paths look for passed deadlines every so many times (a power of two): a clock read costs as much as the rest of them. */
const FAST_PATHS_PER_DEADLINE_CHECK = 16;
/** How old, in milliseconds, a stamp may get. */
const STAMP_MS = 5;
/**
 * So many stamps that follow one another within so many milliseconds, as in hand-offs, go on with one clock read for all of the next
 * 5 ms. Others read the clock: while a timer is set, each wait of the host for I/O costs more (an echo of 1 KiB 6 %).
 */
const STAMPS_IN_BURST = 32;
const BURST_GAP_MS = 0.002;

type Settle = (value: never) => void;

const RESOLVED: Promise<void> = Promise.resolve();

/** Options of a `Kernel`. */
export interface KernelOptions {
  /** Gives numbers in [0, 1): the backend's entropy. */
  readonly random: () => number;
  /** Picks which of `count` ready resumptions comes next, one per host turn; without it they resume in order, at once. */
  readonly choose?: ((count: number) => number) | undefined;
}

export class Kernel {
  readonly clock: Clock;
  readonly random: () => number;
  readonly #deadlines: DeadlineHeap = new DeadlineHeap();
  readonly #choose: ((count: number) => number) | undefined;
  #timer: ClockTimer | null = null;
  #timerAt = Infinity;
  #timerReferenced = true;
  #fastPaths = 0;
  #stamp = 0;
  #stampTimer: ClockTimer | null = null;
  #stampReadAt = -Infinity;
  #stampsInBurst = 0;

  #readySettle: Settle[] = [];
  #readyValue: unknown[] = [];
  #firstReady = 0;
  #turnAsked = false;
  /** While true, resumptions wait for the next host turn, in order. Always true when a scheduler chooses (simulator). */
  #deferring: boolean;
  #lastTurnAt: number;

  /** Count of all resumptions, for the budget and for telling whether anything happened. */
  resumptions = 0;
  /** Numbers tasks. */
  lastTaskId = 0;
  /** Numbers waits, so that the oldest can be aborted first. */
  lastWait = 0;
  /** Runs in progress. They keep the process alive themselves, so the host timer need not. */
  runs = 0;
  instruments: InstrumentSet | null = null;
  /** Whether a checkpoint has more to do than to look at its scope: deadlines are set, or a probe watches. */
  attention = false;
  #probe: ((scope: CancelScope) => void) | null = null;

  constructor(clock: Clock, options: KernelOptions) {
    this.clock = clock;
    this.random = options.random;
    this.#choose = options.choose;
    this.#deferring = options.choose !== undefined;
    this.#lastTurnAt = this.now();
  }

  /** Sees every checkpoint that is passed, before it looks at cancellation; for the test kit. */
  get probe(): ((scope: CancelScope) => void) | null {
    return this.#probe;
  }

  set probe(probe: ((scope: CancelScope) => void) | null) {
    this.#probe = probe;
    this.#updateAttention();
  }

  /** Number of deadlines and sleepers. */
  get deadlineCount(): number {
    return this.#deadlines.size;
  }

  /** Whether resumptions are chosen one by one. */
  get stepwise(): boolean {
    return this.#choose !== undefined;
  }

  /** Number of resumptions that wait for a turn. */
  get readyCount(): number {
    return this.#readySettle.length - this.#firstReady;
  }

  // Resumption -----------------------------------------------------------------------------------------------------------

  /** A promise of `value`, resumed within the budget: what an operation returns that need not wait. */
  ready<T>(value: T): Promise<T> {
    if (!this.#charge()) return Promise.resolve(value);
    const promise = new Promise<T>(capture);
    this.#defer(captured.resolve, value);
    return promise;
  }

  /** Like `ready(undefined)` without making a promise. */
  readyNow(): Promise<void> {
    return this.#charge() ? this.#deferredVoid() : RESOLVED;
  }

  /** A promise rejected with `error`, resumed within the budget. With a `Cancelled` it counts as handled: it may float. */
  rejected(error: unknown): Promise<never> {
    const charged = this.#charge();
    const promise = charged ? new Promise<never>(capture) : Promise.reject(error);
    if (charged) this.#defer(captured.reject, error);
    if (isCancelled(error)) promise.catch(ignore);
    return promise;
  }

  /** Calls `settle(value)`, a promise's resolving function, within the budget. */
  settle(settle: (value: never) => void, value: unknown): void {
    if (this.#charge()) this.#defer(settle, value);
    else settle(value as never);
  }

  /** Counts a resumption; true if it has to wait for the next turn. */
  #charge(): boolean {
    this.resumptions += 1;
    if (this.#deferring) return true;
    if ((this.resumptions & (RESUMPTIONS_PER_LOOK - 1)) !== 0) return false;
    const now = this.now();
    if (now - this.#lastTurnAt < TURN_MS) return false;
    this.#deferring = true;
    return true;
  }

  #deferredVoid(): Promise<void> {
    const promise = new Promise<void>(capture);
    this.#defer(captured.resolve, undefined);
    return promise;
  }

  #defer(settle: Settle, value: unknown): void {
    this.#readySettle.push(settle);
    this.#readyValue.push(value);
    if (this.#turnAsked) return;
    this.#turnAsked = true;
    this.clock.nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    this.#turnAsked = false;
    if (this.#choose !== undefined) {
      this.#step(this.#choose);
      return;
    }
    const settles = this.#readySettle;
    const values = this.#readyValue;
    this.#readySettle = [];
    this.#readyValue = [];
    this.#deferring = false;
    this.#lastTurnAt = this.now();
    this.fireDue();
    for (let index = 0; index < settles.length; index++)
      (settles[index] as Settle)(values[index] as never);
  };

  #step(choose: (count: number) => number): void {
    const first = this.#firstReady;
    const count = this.readyCount;
    const index = first + choose(count);
    const settle = this.#readySettle[index] as Settle;
    const value = this.#readyValue[index];
    // The first takes the place of the chosen one: constant time however many are ready, and choosing always 0 is first-in first-out.
    this.#readySettle[index] = this.#readySettle[first] as Settle;
    this.#readyValue[index] = this.#readyValue[first];
    this.#readyValue[first] = undefined;
    this.#firstReady = first + 1;
    if (count === 1) {
      this.#readySettle = [];
      this.#readyValue = [];
      this.#firstReady = 0;
    } else {
      this.#turnAsked = true;
      this.clock.nextTurn(this.#turn);
    }
    settle(value as never);
  }

  /** Reads the clock. */
  now(): number {
    const now = this.clock.now();
    this.#stamp = Math.floor(now);
    return now;
  }

  /**
   * The time in whole milliseconds, for what people look at. A clock read costs as much as half a hand-off, so in a burst of them
   * one read serves all of the next 5 ms, unless a computation blocks the host for longer.
   */
  stamp(): number {
    if (this.#stampTimer !== null) return this.#stamp;
    const now = this.now();
    if (this.stepwise) return this.#stamp;
    const isBurst = now - this.#stampReadAt < BURST_GAP_MS;
    this.#stampReadAt = now;
    this.#stampsInBurst = isBurst ? this.#stampsInBurst + 1 : 0;
    if (this.#stampsInBurst < STAMPS_IN_BURST) return this.#stamp;
    this.#stampsInBurst = 0;
    this.#stampTimer = this.clock.setTimer(STAMP_MS, this.#stampExpired);
    this.#stampTimer.setReferenced(false);
    return this.#stamp;
  }

  readonly #stampExpired = (): void => {
    this.#stampTimer = null;
  };

  // Time -----------------------------------------------------------------------------------------------------------------

  addDeadline(deadline: Deadline): void {
    this.#deadlines.add(deadline);
    this.attention = true;
    if (deadline.when < this.#timerAt) this.#arm(deadline.when, this.now());
    else if (this.runs === 0) this.#reference(true);
  }

  removeDeadline(deadline: Deadline): void {
    this.#deadlines.remove(deadline);
    this.#updateAttention();
    // The host timer stays as it is: it only ever moves earlier, and finds nothing to do.
    if (this.runs === 0 && this.#deadlines.size === 0) this.#reference(false);
  }

  /** Fires the deadlines that have passed. Reads the clock only while there are any. */
  fireDue(): void {
    if (this.#deadlines.size === 0) return;
    const now = this.clock.now();
    if (now >= this.#deadlines.earliest) this.#fireDueAt(now);
  }

  /** What a checkpoint does while `attention` is set. Fast paths look at the clock every 16th time only. */
  attend(scope: CancelScope, exactly: boolean): void {
    this.#probe?.(scope);
    this.#fastPaths += 1;
    if (exactly || (this.#fastPaths & (FAST_PATHS_PER_DEADLINE_CHECK - 1)) === 0) this.fireDue();
  }

  #updateAttention(): void {
    this.attention = this.#probe !== null || this.#deadlines.size !== 0;
  }

  #fireDueAt(now: number): void {
    for (
      let due = this.#deadlines.takeDue(now);
      due !== undefined;
      due = this.#deadlines.takeDue(now)
    ) {
      due.fire(due.target as never);
    }
    this.#updateAttention();
    if (this.runs === 0 && this.#deadlines.size === 0) this.#reference(false);
  }

  #arm(when: number, now: number): void {
    this.#timer?.clear();
    this.#timerAt = when;
    this.#timer = this.clock.setTimer(Math.max(when - now, 0), this.#wake);
    this.#timerReferenced = true;
    this.#reference(this.runs === 0);
  }

  readonly #wake = (): void => {
    this.#timer = null;
    this.#timerAt = Infinity;
    const now = this.now();
    this.#fireDueAt(now);
    const next = this.#deadlines.earliest;
    if (next < this.#timerAt) this.#arm(next, this.now());
  };

  #reference(referenced: boolean): void {
    if (this.#timer === null || this.#timerReferenced === referenced) return;
    this.#timerReferenced = referenced;
    this.#timer.setReferenced(referenced);
  }

  /** Called when a run begins and ends, so that the host timer keeps the process alive only when no run does. */
  countRun(change: 1 | -1): void {
    this.runs += change;
    if (this.#deadlines.size !== 0) {
      this.#reference(this.runs === 0);
    } else if (this.runs === 0 && this.#timer !== null) {
      this.#timer.clear();
      this.#timer = null;
      this.#timerAt = Infinity;
    }
    if (this.runs === 0) {
      this.#stampTimer?.clear();
      this.#stampTimer = null;
    }
  }
}
