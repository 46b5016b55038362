/**
 * The bridge between a simulated world and what its host's runtime does for it in turns of its own: TLS, compression.
 *
 * The virtual clock knows nothing of those turns. So while the host works, the world stands still: no task goes on, no time passes.
 * The host has done its work when nothing came from it for some of its turns. What came is kept meanwhile, and then handed over
 * in the order in which the parts that made it were created. So a seed gives the same run although nobody knows how many turns the
 * host takes, nor which part is ready first. Its weak point: a host that falls silent for longer, in the middle of its work, is
 * taken to be done; what it makes later comes at another moment of the simulated time.
 */
import type { VirtualClock } from "./clock.ts";

/**
 * Turns of the host without a sign, after which it is taken to be done. The engines of TLS look for the end of their own work in
 * turns, at most 4 of them; measured, no output of one came later than that many turns after what caused it.
 */
const QUIET_TURNS = 12;

/** A part of the host that works for the world. */
export interface BridgedPart {
  /** Takes what the host has made so far; returns what hands it over, or `null` if there is nothing. */
  take(): (() => void) | null;
}

export class HostBridge {
  readonly #clock: VirtualClock;
  readonly #hostTurn: (turn: () => void) => void;
  /** In the order in which they were made. */
  readonly #parts: Set<BridgedPart> = new Set();
  /** The world stands still. */
  #frozen = false;
  /** Turns of the host are counted. */
  #counting = false;
  #quietTurns = 0;
  /** What the host has begun and will end for certain. */
  #pending = 0;

  constructor(clock: VirtualClock, hostTurn: (turn: () => void) => void) {
    this.#clock = clock;
    this.#hostTurn = hostTurn;
  }

  /** How many parts there are. */
  get size(): number {
    return this.#parts.size;
  }

  add(part: BridgedPart): void {
    this.#parts.add(part);
  }

  remove(part: BridgedPart): void {
    this.#parts.delete(part);
  }

  /** To be called whenever something was given to a part, or came from one: the world stands still until the host is quiet. */
  touch(): void {
    this.#quietTurns = 0;
    if (!this.#frozen) this.#clock.freeze();
    this.#frozen = true;
    if (this.#counting || this.#pending > 0) return;
    this.#counting = true;
    this.#hostTurn(this.#look);
  }

  /** The host has begun something that ends for certain: the world stands still until the returned function is called, and further. */
  begin(): () => void {
    this.touch();
    this.#pending += 1;
    return () => {
      this.#pending -= 1;
      this.touch();
    };
  }

  readonly #look = (): void => {
    this.#counting = false;
    if (this.#pending > 0) return;
    this.#quietTurns += 1;
    if (this.#quietTurns >= QUIET_TURNS) this.#handOver();
    if (this.#pending > 0 || this.#counting) return;
    if (this.#quietTurns < QUIET_TURNS) {
      this.#counting = true;
      this.#hostTurn(this.#look);
      return;
    }
    this.#frozen = false;
    this.#clock.thaw();
  };

  /** Takes everything before any of it is handed over, since that may make the host work again. */
  #handOver(): void {
    const handOvers = [...this.#parts].map((part) => part.take());
    for (const handOver of handOvers) handOver?.();
  }
}
