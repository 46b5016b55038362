import type { Wire } from "../../platform/wire.ts";
import { afterTurn, type TlsEngine } from "./node-tls-engine.ts";

/** Why the wire below is paused: its receiver takes no more, the engine does not, or bytes wait for their turn. */
const BY_RECEIVER = 1;
const BY_ENGINE = 2;
const BY_DELAY = 4;

/** So many bytes may wait for their turn. */
const DELAYED_BYTES_MAX = 65_536;

/** What comes from the wire below, on its way to the engine. */
export class TlsIntake {
  readonly #wire: Wire;
  #engine: TlsEngine | null = null;
  #pauses = 0;
  /** Whether what comes waits for the next turn of the host. */
  #delays = true;
  #delayed: Uint8Array[] = [];
  #delayedBytes = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * From now on bytes go to `engine`, at first a turn late: Node's engine ends the sending of its last flight in the next turn,
   * and would lose an alert that an answer in the same turn makes it send.
   */
  connect(engine: TlsEngine): void {
    this.#engine = engine;
  }

  /** The handshake is done: bytes go to the engine at once, after those that wait. */
  hurry(): void {
    this.#delays = false;
  }

  feed(bytes: Uint8Array): void {
    if (!this.#delays && this.#delayed.length === 0) {
      if (this.#engine?.feed(bytes) === false) this.#pause(BY_ENGINE);
      return;
    }
    this.#delayed.push(bytes);
    this.#delayedBytes += bytes.length;
    if (this.#delayedBytes > DELAYED_BYTES_MAX) this.#pause(BY_DELAY);
    if (this.#delayed.length === 1) afterTurn(() => this.#feedDelayed());
  }

  /** Whether the engine has looked at everything. */
  get isEmpty(): boolean {
    return this.#delayed.length === 0 && (this.#engine === null || this.#engine.isFed);
  }

  pause(): void {
    this.#pause(BY_RECEIVER);
  }

  resume(): void {
    this.#resume(BY_RECEIVER);
  }

  /** The engine takes more. */
  hungry(): void {
    this.#resume(BY_ENGINE);
  }

  #feedDelayed(): void {
    const delayed = this.#delayed;
    this.#delayed = [];
    this.#delayedBytes = 0;
    for (const bytes of delayed) if (this.#engine?.feed(bytes) === false) this.#pause(BY_ENGINE);
    this.#resume(BY_DELAY);
  }

  #pause(why: number): void {
    if (this.#pauses === 0) this.#wire.pause();
    this.#pauses |= why;
  }

  #resume(why: number): void {
    const before = this.#pauses;
    this.#pauses &= ~why;
    if (before !== 0 && this.#pauses === 0) this.#wire.resume();
  }
}
