import { ambientScope } from "../core/ambient.ts";
import { ParkingLot } from "./parking-lot.ts";

/** What `Event.statistics()` tells. */
export interface EventStatistics {
  /** Flows that wait for `set`. */
  readonly tasksWaiting: number;
}

/**
 * A flag that goes up once and wakes all who wait for it. There is no `clear`: what happened stays happened; for the next
 * time, make a new event. Counterpart: `trio.Event`.
 *
 * @example Wait until another task is ready
 * ```ts
 * import { Event, run } from "arborio";
 *
 * await run(async (group) => {
 *   const ready = new Event();
 *   group.startSoon(async () => ready.set());
 *   await ready.wait();
 *   console.assert(ready.isSet);
 * });
 * ```
 */
export class Event {
  #isSet = false;
  readonly #lot: ParkingLot = new ParkingLot("event.wait", this);

  /** Whether `set` was called. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** Sets the event and wakes all who wait. Synchronous; works from any context; a second call does nothing. */
  set(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    this.#lot.unparkAll();
  }

  /** Waits until the event is set; a checkpoint if it is. Cancelled, it no longer waits; the event is as it was. */
  wait(): Promise<void> {
    if (!this.#isSet) return this.#lot.park();
    const scope = ambientScope();
    const refusal = scope.refuse();
    return refusal === null ? scope.kernel.readyNow() : scope.kernel.rejected(refusal);
  }

  /** A frozen snapshot. */
  statistics(): EventStatistics {
    return Object.freeze({ tasksWaiting: this.#lot.queue.size });
  }
}
