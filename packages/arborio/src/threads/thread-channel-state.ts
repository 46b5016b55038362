import type { ChannelStatistics } from "../sync/channel-state.ts";
import { RingBuffer } from "../sync/ring-buffer.ts";
import type { Parcel } from "./thread-channel-protocol.ts";

/** Somebody who waits for an item. */
export interface Taker {
  /** Hands it over; `false` if this one waits no more. */
  take(parcel: Parcel): boolean;
  /** No item will ever come. */
  ended(): void;
}

/** Somebody who waits to get rid of an item. */
export interface Giver {
  /** Fetches it; `null` if this one waits no more. */
  give(): Parcel | null;
  /** Nobody will ever want it. */
  broken(): void;
}

/**
 * A channel in the loop where it lives. Plain transitions: none waits. Invariants: nobody waits to receive while an item is there, nobody
 * waits to send while there is room; but for those who have withdrawn, and of whom the home does not know that yet.
 */
export class ThreadChannelState {
  readonly capacity: number;
  /** Whether ends in other threads keep this one alive. */
  readonly keepsAlive: boolean;
  readonly givers: Set<Giver> = new Set();
  readonly takers: Set<Taker> = new Set();
  readonly #buffer: RingBuffer<Parcel> = new RingBuffer();
  /** Items that went to a thread which ended before they came there. They are the oldest. */
  #returned: Parcel[] = [];
  openSenders = 0;
  openReceivers = 0;

  constructor(capacity: number, keepsAlive: boolean) {
    this.capacity = capacity;
    this.keepsAlive = keepsAlive;
  }

  /** Whether an item might find a place now. */
  get mayOffer(): boolean {
    return this.takers.size > 0 || this.#held < this.capacity;
  }

  /** Whether there might be an item now. */
  get mayTake(): boolean {
    return this.#held > 0 || this.givers.size > 0;
  }

  /** Gives an item to who has waited longest, else to the buffer. `false` if there is no room: nothing has changed. */
  offer(parcel: Parcel): boolean {
    if (this.#handOver(parcel)) return true;
    if (this.#held >= this.capacity) return false;
    this.#buffer.push(parcel);
    return true;
  }

  /** Takes the oldest item and lets the longest waiting sender move up; `null` if there is none. */
  take(): Parcel | null {
    if (this.#held === 0) return this.#takeFromGiver();
    const parcel = this.#returned.shift() ?? this.#buffer.shift();
    this.#moveUp();
    return parcel;
  }

  /** Takes back items that did not arrive, oldest first. They may be more than fit: their senders were told that they had been accepted. */
  putBack(parcels: readonly Parcel[]): void {
    if (this.openReceivers === 0) return;
    this.#returned = [...parcels, ...this.#returned];
    for (;;) {
      const [oldest] = this.#returned;
      if (oldest === undefined || !this.#handOver(oldest)) return;
      this.#returned.shift();
    }
  }

  senderClosed(): void {
    this.openSenders -= 1;
    if (this.openSenders > 0) return;
    for (const taker of drained(this.takers)) taker.ended();
  }

  receiverClosed(): void {
    this.openReceivers -= 1;
    if (this.openReceivers > 0) return;
    this.#buffer.clear();
    this.#returned = [];
    for (const giver of drained(this.givers)) giver.broken();
  }

  statistics(): ChannelStatistics {
    return Object.freeze({
      currentBufferUsed: this.#held,
      maxBufferSize: this.capacity,
      openSendChannels: this.openSenders,
      openReceiveChannels: this.openReceivers,
      tasksWaitingSend: this.givers.size,
      tasksWaitingReceive: this.takers.size,
    });
  }

  get #held(): number {
    return this.#returned.length + this.#buffer.size;
  }

  #handOver(parcel: Parcel): boolean {
    for (const taker of this.takers) {
      this.takers.delete(taker);
      if (taker.take(parcel)) return true;
    }
    return false;
  }

  #moveUp(): void {
    while (this.#held < this.capacity) {
      const next = this.#takeFromGiver();
      if (next === null) return;
      this.#buffer.push(next);
    }
  }

  #takeFromGiver(): Parcel | null {
    for (const giver of this.givers) {
      this.givers.delete(giver);
      const parcel = giver.give();
      if (parcel !== null) return parcel;
    }
    return null;
  }
}

/** Takes out all, before any of them is told: that may end a scope, and so withdraw others. */
function drained<T>(waiting: Set<T>): T[] {
  const all = [...waiting];
  waiting.clear();
  return all;
}
