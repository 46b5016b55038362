import { Event, now, sleep } from "arborio";
import type { EventSink } from "@arborio/http";

/** One tick of a made-up price. */
export interface Tick {
  readonly id: number;
  readonly price: number;
}

/** How many ticks are kept for clients that come back: a minute's worth at four a second. */
const KEPT_MAX = 240;
const BEGIN_PRICE = 100;

/** Ticks at a steady pace, for as many listeners as there are: it makes each tick once, and waits for none of them. */
export class Ticker {
  readonly #everyMs: number;
  readonly #kept: Tick[] = [];
  #next: Event = new Event();
  #listeners = 0;

  /** @param everyMs milliseconds between ticks. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** How many listen at the moment. */
  get listeners(): number {
    return this.#listeners;
  }

  get last(): Tick | undefined {
    return this.#kept.at(-1);
  }

  /** Ticks until it is cancelled or asked to shut down. */
  async run(): Promise<never> {
    const began = now();
    for (let id = 1; ; id++) {
      await sleep(began + id * this.#everyMs - now());
      this.#add({ id, price: priceAt(id) });
    }
  }

  /**
   * Sends each tick from now on; to one who was here before, first what it has missed, as far as it is kept. A listener that takes
   * its ticks too slowly misses those that are not kept any more, instead of holding anything up.
   */
  async send(events: EventSink): Promise<never> {
    this.#listeners += 1;
    try {
      let seen = this.#seenBy(events.lastEventId);
      for (;;) {
        const missed = this.#kept.find(({ id }) => id > seen);
        if (missed === undefined) await this.#next.wait();
        else {
          const { id, price } = missed;
          await events.send({ id: String(id), event: "tick", data: JSON.stringify({ price }) });
          seen = id;
        }
      }
    } finally {
      this.#listeners -= 1;
    }
  }

  /** The number of the last tick that a client has seen; one of an earlier life of this program counts for nothing. */
  #seenBy(lastEventId: string | undefined): number {
    const last = this.last?.id ?? 0;
    const seen = Number(lastEventId ?? last);
    return Number.isInteger(seen) && seen >= 0 && seen <= last ? seen : last;
  }

  #add(tick: Tick): void {
    this.#kept.push(tick);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    const waitedFor = this.#next;
    this.#next = new Event();
    waitedFor.set();
  }
}

/** The same each time: a walk that looks like one. */
function priceAt(id: number): number {
  const wave = 8 * Math.sin(id / 17) + 3 * Math.sin(id / 5) + Math.sin(id * 1.7);
  return Math.round((BEGIN_PRICE + wave) * 100) / 100;
}
