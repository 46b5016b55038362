/**
 * What a pool of connections decides, from counts alone; `Pool` acts. A *slot* is the right to one connection: held by a connection, idle or
 * lent, and while one is being made. A key has at most `originConnectionsMax`, all together at most `connectionsMax`.
 *
 * Who waits, waits either for a connection of his own key, since that has all the slots it may have, or, being *starved*, for any slot at
 * all. Invariants, from which follows that nobody who comes overtakes somebody who waits:
 * - a key that somebody waits for has no idle connection;
 * - a starved key is there only if all slots are taken, and no connection of any key is idle.
 *
 * Fairness: first come, first served, for each key. A connection that comes back goes to its own key, since one that is warm is worth more than an
 * empty slot; but so starved keys, which take turns, would wait for ever beside a busy one. So the first of them is passed over
 * a number of times, and then gets the slot of such a connection.
 */
import { Line, type Linked } from "./line.ts";

/** So often may connections that come back pass a starved key over: a new connection costs about as much as so many small requests. */
export const PASSED_OVER_MAX = 16;

/** How many connections a pool may have. */
export interface PoolLimits {
  /** All together. */
  readonly connectionsMax: number;
  /** To one origin: of one key. */
  readonly originConnectionsMax: number;
}

/** What is counted of one key; the policy's to change. */
export interface KeyCounts<K> extends Linked<K> {
  /** Slots that it holds. */
  slots: number;
  /** Of its connections, those that nobody uses. */
  idle: number;
  /** Those who wait for it. */
  waiting: number;
  /** Whether it waits for any slot. */
  isStarved: boolean;
}

/** What is to be done for who needs a new connection. */
export type Admission =
  /** He has got a slot, and makes one. */
  | "open"
  /** An idle connection of another key is to be closed first; then ask again. */
  | "evict"
  /** Likewise, but one of the same key: it must be a new one. */
  | "evict own"
  /** He waits. */
  | "wait";

/** What is to be done with a connection that is given back. */
export type Return =
  /** It goes to the first who waits for its key. */
  | "hand over"
  /** It is kept, idle. */
  | "keep"
  /** It is closed: another key needs its slot. */
  | "close";

export class PoolPolicy<K extends KeyCounts<K>> {
  readonly #limits: PoolLimits;
  /** Keys that wait for any slot, the one whose turn it is first. */
  readonly #starved: Line<K> = new Line();
  /** How often the first of them was passed over. */
  #passedOver = 0;
  slots = 0;
  idle = 0;
  waiting = 0;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** An idle connection of this key is used, or closed. */
  lent(key: K): void {
    key.idle -= 1;
    this.idle -= 1;
  }

  /** Somebody needs a new connection of this key. Those that are idle are not for him, or there are none. */
  admit(key: K): Admission {
    if (key.slots >= this.#limits.originConnectionsMax) return key.idle > 0 ? "evict own" : "wait";
    if (this.slots >= this.#limits.connectionsMax) return this.idle > 0 ? "evict" : "wait";
    this.#hold(key);
    return "open";
  }

  /** Somebody waits for this key from now on. */
  joined(key: K): void {
    key.waiting += 1;
    this.waiting += 1;
    this.#line(key);
  }

  /** Somebody has ceased to wait for it, and has got nothing. */
  left(key: K): void {
    key.waiting -= 1;
    this.waiting -= 1;
    if (key.waiting === 0) this.#unline(key);
  }

  /** A connection of this key was given back that can be used again. */
  returned(key: K): Return {
    const { first } = this.#starved;
    if (key.waiting > 0) {
      if (first !== null && first !== key) {
        if (this.#passedOver >= PASSED_OVER_MAX) return "close";
        this.#passedOver += 1;
      }
      this.#served(key);
      return "hand over";
    }
    if (first !== null) return "close";
    key.idle += 1;
    this.idle += 1;
    return "keep";
  }

  /** A slot is free: its connection is gone, and was not idle, or none could be made. */
  freed(key: K): void {
    key.slots -= 1;
    this.slots -= 1;
    this.#line(key);
  }

  /** Whose first waiter gets the slot that was freed, `null`: nobody's. */
  next(): K | null {
    const { first } = this.#starved;
    if (first === null || this.slots >= this.#limits.connectionsMax) return null;
    this.#hold(first);
    this.#served(first);
    return first;
  }

  #hold(key: K): void {
    key.slots += 1;
    this.slots += 1;
  }

  /** One of those who wait for this key has got what he waits for: others have their turn. */
  #served(key: K): void {
    key.waiting -= 1;
    this.waiting -= 1;
    this.#unline(key);
    this.#line(key);
  }

  #line(key: K): void {
    if (key.isStarved || key.waiting === 0) return;
    if (key.slots >= this.#limits.originConnectionsMax) return;
    key.isStarved = true;
    this.#starved.push(key);
  }

  #unline(key: K): void {
    if (!key.isStarved) return;
    if (this.#starved.first === key) this.#passedOver = 0;
    key.isStarved = false;
    this.#starved.remove(key);
  }
}
