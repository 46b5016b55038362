import { sleep } from "arborio";
import { ParkingLot } from "arborio/lowlevel";
import type { WireOutlet } from "./wire-outlet.ts";

/** What was collected waits for more that would go out in the same write: so long in milliseconds, and at most twice that. */
const LATE_MS = 1;

/**
 * Sends what was collected in the hope of more, and more did not come at once: answers to pipelined requests whose next handler takes
 * its time, and heads whose bodies do. One task for all connections of a server.
 */
export class LateFlusher {
  readonly #lot: ParkingLot = new ParkingLot("http.flush");
  #late: WireOutlet[] = [];

  /** To be called once for what was collected; see `WireOutlet.isLate`. */
  add(outlet: WireOutlet): void {
    outlet.isLate = true;
    this.#late.push(outlet);
    if (this.#late.length === 1) this.#lot.unpark();
  }

  async run(): Promise<never> {
    for (;;) {
      if (this.#late.length === 0) await this.#lot.park();
      await sleep(LATE_MS);
      const late = this.#late;
      this.#late = [];
      for (const outlet of late) if (!outlet.flushLate()) this.#late.push(outlet);
    }
  }
}
