import {
  createChannel,
  EndOfStream,
  Lock,
  now,
  type ReceiveChannel,
  type SendChannel,
  sleepUntil,
} from "arborio";
import type { Page } from "./frontier.ts";

/** A site that wants to be left alone for longer is asked again nevertheless: the crawl is to end some time. */
const PAUSE_MS_MAX = 120_000;

/** The pages of one site that wait for their turn: requests to it keep a distance in time. */
export class Site {
  readonly origin: string;
  readonly #everyMs: number;
  readonly #send: SendChannel<Page>;
  readonly #receive: ReceiveChannel<Page>;
  /** Held by whose turn is next. */
  readonly #lock = new Lock();
  #nextAt = -Infinity;

  /** @param everyMs milliseconds from one request to the next, at least. */
  constructor(origin: string, everyMs: number) {
    this.origin = origin;
    this.#everyMs = everyMs;
    [this.#send, this.#receive] = createChannel<Page>(Infinity); // the frontier has a limit
  }

  add(page: Page): void {
    this.#send.sendNowait(page);
  }

  /** There will be no more pages. */
  close(): void {
    this.#send.close();
  }

  /** Waits until a request may be made. */
  async turn(): Promise<void> {
    using _lease = await this.#lock.acquire();
    // Meanwhile the site may ask for a longer pause.
    while (now() < this.#nextAt) await sleepUntil(this.#nextAt);
    this.#nextAt = now() + this.#everyMs;
  }

  /** It has asked for no further request for so long, in milliseconds. */
  pause(ms: number): void {
    this.#nextAt = Math.max(this.#nextAt, now() + Math.min(ms, PAUSE_MS_MAX));
  }

  /** Waits for the next page, and for its turn. Gives `undefined` if there are no more. */
  async next(): Promise<Page | undefined> {
    try {
      const page = await this.#receive.receive();
      await this.turn();
      return page;
    } catch (error) {
      if (error instanceof EndOfStream) return undefined;
      throw error;
    }
  }
}
