/**
 * Connections that are kept for those who come next. `PoolPolicy` decides, from counts; this acts.
 *
 * A slot is never without an owner: a connection that is idle or lent; who makes one; or who was woken, and has not resumed yet. The last two
 * give it on if they fail or are cancelled. A connection that was handed over and breaks before its new owner has resumed leaves him its
 * slot, in which he makes another one.
 */
import { CancelScope, failAfter, now, TimeoutError } from "arborio";
import { checkpointIfCancelled, suspend, type Wakeable } from "arborio/lowlevel";
import { Line, type Linked } from "./line.ts";
import { PoolError } from "./pool-error.ts";
import { type KeyCounts, type PoolLimits, PoolPolicy } from "./pool-policy.ts";

/** What a pool keeps. */
export interface Pooled {
  /** Whether it can be used now, as far as is known. */
  readonly isReusable: boolean;
  /** Until when it may be idle: a moment of the kernel's clock. Set by who gives it. */
  readonly idleUntil: number;
  /** Closes it; the pool is told by `drop`, at once. */
  close(): void;
}

/** How a connection is made. */
export interface Opening<W, C> {
  /** Waits for what it is made of. Cancelled or failed, nothing is left of that. */
  dial(): Promise<W>;
  /** Makes it of that. */
  open(dialed: W): C;
}

/** How a connection is taken. */
export interface TakeOptions {
  /** Only a new one will do. */
  readonly isFresh: boolean;
  /** How long to wait for a slot, in milliseconds. `Infinity`: for ever. */
  readonly waitMs: number;
}

/** What `pool.statistics()` tells. */
export interface PoolStatistics {
  /** Connections that nobody uses. */
  readonly idle: number;
  /** Connections that somebody uses. */
  readonly lent: number;
  /** Connections that are being made. */
  readonly connecting: number;
  /** Those who wait. */
  readonly waiting: number;
}

/** Connections of one key. */
class Origin<C> implements KeyCounts<Origin<C>> {
  readonly key: string;
  slots = 0;
  idle = 0;
  waiting = 0;
  isStarved = false;
  before: Origin<C> | null = null;
  after: Origin<C> | null = null;
  /** Those that are idle, the warmest last. */
  readonly kept: C[] = [];
  readonly line: Line<Waiting<C>> = new Line();

  constructor(key: string) {
    this.key = key;
  }
}

/** Somebody who waits. */
class Waiting<C> implements Linked<Waiting<C>> {
  readonly isFresh: boolean;
  before: Waiting<C> | null = null;
  after: Waiting<C> | null = null;
  waiter: Wakeable<void> | null = null;
  /** What he was woken with; `null`: a slot. */
  connection: C | null = null;

  constructor(isFresh: boolean) {
    this.isFresh = isFresh;
  }
}

/** Connections by what they are for. */
export class Pool<C extends Pooled> {
  readonly #policy: PoolPolicy<Origin<C>>;
  /** Those that hold slots, or are waited for. */
  readonly #origins: Map<string, Origin<C>> = new Map();
  /** Connections whose new owners have not resumed yet. */
  readonly #handedOver: Map<C, Waiting<C>> = new Map();
  readonly #dials: Set<CancelScope> = new Set();
  /** Slots that are neither idle nor lent. */
  #connecting = 0;
  #closed = false;

  constructor(limits: PoolLimits) {
    this.#policy = new PoolPolicy(limits);
  }

  /**
   * The warmest idle connection that can be used; `null`: there is none. Others who wait for one are not overtaken: then none is idle.
   *
   * @param moment of the clock, for who has just looked at it.
   */
  takeNowait(key: string, moment: number = now()): C | null {
    const origin = this.#origins.get(key);
    if (origin === undefined || origin.idle === 0) return null;
    while (origin.idle > 0) {
      const connection = this.#lend(origin);
      if (connection.isReusable && moment < connection.idleUntil) return connection;
      connection.close();
    }
    return null;
  }

  /**
   * Takes an idle connection; or makes one, in the caller's scope, if there is a slot; or waits for either. Cancelled, or failed, it holds
   * nothing: what it got goes to the next.
   *
   * @throws PoolError if the pool is or gets closed, or there was no slot in time; what `dial` throws.
   */
  async take<W>(key: string, opening: Opening<W, C>, options: TakeOptions): Promise<C> {
    checkpointIfCancelled();
    if (!options.isFresh) {
      const idle = this.takeNowait(key);
      if (idle !== null) return idle;
    }
    const isAdmitted = this.#admit(key);
    const handed = isAdmitted ? null : await this.#wait(key, options);
    const connection = handed ?? (await this.#open(this.#origin(key), opening));
    try {
      checkpointIfCancelled();
    } catch (error) {
      this.give(key, connection);
      throw error;
    }
    return connection;
  }

  /** Takes a connection back. Who waits for it gets it. */
  give(key: string, connection: C): void {
    if (this.#closed || !connection.isReusable) return connection.close();
    const origin = this.#origin(key);
    const what = this.#policy.returned(origin);
    if (what === "close") return connection.close();
    if (what === "keep") return void origin.kept.push(connection);
    const waiting = origin.line.shift() as Waiting<C>;
    waiting.connection = connection;
    this.#handedOver.set(connection, waiting);
    waiting.waiter?.wake();
    // He gets the slot.
    if (waiting.isFresh) connection.close();
  }

  /** A connection of this key is gone, which was idle or lent. */
  drop(key: string, connection: C): void {
    const origin = this.#origin(key);
    const waiting = this.#handedOver.get(connection);
    if (waiting !== undefined) {
      this.#handedOver.delete(connection);
      waiting.connection = null;
      this.#connecting += 1;
      return;
    }
    const at = origin.idle === 0 ? -1 : origin.kept.lastIndexOf(connection);
    if (at >= 0) {
      origin.kept.splice(at, 1);
      this.#policy.lent(origin);
    }
    this.#free(origin);
  }

  /** Closes what is idle. */
  closeIdle(): void {
    for (const origin of this.#origins.values()) while (origin.idle > 0) this.#lend(origin).close();
  }

  /** Closes what is idle; who waits or connects is refused, now and later. What is lent is closed when it is given back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const origin of this.#origins.values()) {
      for (let one = origin.line.shift(); one !== null; one = origin.line.shift()) {
        this.#policy.left(origin);
        one.waiter?.fail(closedError());
      }
    }
    for (const scope of this.#dials) scope.cancel("the pool was closed");
    this.closeIdle();
  }

  /** Number of keys that it knows: of connections, and of those who wait for them. */
  get size(): number {
    return this.#origins.size;
  }

  /** A frozen snapshot. */
  statistics(): PoolStatistics {
    const { slots, idle, waiting } = this.#policy;
    const connecting = this.#connecting;
    return Object.freeze({ idle, lent: slots - idle - connecting, connecting, waiting });
  }

  #origin(key: string): Origin<C> {
    let origin = this.#origins.get(key);
    if (origin === undefined) this.#origins.set(key, (origin = new Origin(key)));
    return origin;
  }

  #forget(origin: Origin<C>): void {
    if (origin.slots > 0 || origin.waiting > 0) return;
    // Somebody else may have done so before, and another one have begun anew.
    if (this.#origins.get(origin.key) === origin) this.#origins.delete(origin.key);
  }

  /** The warmest one that is idle. */
  #lend(origin: Origin<C>): C {
    this.#policy.lent(origin);
    return origin.kept.pop() as C;
  }

  /** Whether there is a slot, which the caller has now. */
  #admit(key: string): boolean {
    for (;;) {
      if (this.#closed) throw closedError();
      const origin = this.#origin(key);
      const admission = this.#policy.admit(origin);
      if (admission === "wait") return false;
      if (admission === "open") {
        this.#connecting += 1;
        return true;
      }
      const victim = admission === "evict own" ? origin : this.#coldest();
      this.#policy.lent(victim);
      (victim.kept.shift() as C).close();
    }
  }

  /** Whose longest idle connection has the least time left. */
  #coldest(): Origin<C> {
    let coldest: Origin<C> | null = null;
    let until = Infinity;
    for (const origin of this.#origins.values()) {
      if (origin.idle === 0) continue;
      const { idleUntil } = origin.kept[0] as C;
      if (coldest !== null && idleUntil >= until) continue;
      coldest = origin;
      until = idleUntil;
    }
    return coldest as Origin<C>;
  }

  /** Waits for a connection, or, `null`, for a slot. */
  async #wait(key: string, { isFresh, waitMs }: TakeOptions): Promise<C | null> {
    const origin = this.#origin(key);
    const waiting = new Waiting<C>(isFresh);
    try {
      if (waitMs === Infinity) await this.#park(origin, waiting);
      else await failAfter(waitMs, () => this.#park(origin, waiting));
    } catch (error) {
      this.#forget(origin);
      if (!(error instanceof TimeoutError)) throw error;
      throw new PoolError("timeout", `no connection was free within ${waitMs} ms`);
    }
    const { connection } = waiting;
    if (connection === null) return null;
    this.#handedOver.delete(connection);
    if (!this.#closed) return connection;
    connection.close();
    throw closedError();
  }

  #park(origin: Origin<C>, waiting: Waiting<C>): Promise<void> {
    return suspend<void>({ kind: "pool.take", resource: origin.key }, (waiter) => {
      waiting.waiter = waiter;
      origin.line.push(waiting);
      this.#policy.joined(origin);
      return () => {
        origin.line.remove(waiting);
        this.#policy.left(origin);
      };
    });
  }

  /** Makes a connection in a slot that the caller has. */
  async #open<W>(origin: Origin<C>, opening: Opening<W, C>): Promise<C> {
    const scope = new CancelScope();
    this.#dials.add(scope);
    let connection: C | null = null;
    try {
      if (this.#closed) throw closedError();
      const dialed = await scope.run(() => opening.dial());
      // Nobody else cancels that scope.
      if (scope.cancelledCaught) throw closedError();
      connection = opening.open(dialed as W);
    } finally {
      this.#dials.delete(scope);
      this.#connecting -= 1;
      if (connection === null) this.#free(origin);
    }
    if (!this.#closed) return connection;
    connection.close();
    throw closedError();
  }

  /** A slot is free: whoever it is for gets it. */
  #free(origin: Origin<C>): void {
    this.#policy.freed(origin);
    const next = this.#policy.next();
    if (next !== null) {
      this.#connecting += 1;
      (next.line.shift() as Waiting<C>).waiter?.wake();
    }
    this.#forget(origin);
  }
}

function closedError(): PoolError {
  return new PoolError("closed", "the client was closed");
}
