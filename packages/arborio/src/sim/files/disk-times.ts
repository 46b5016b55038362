import type { Withdraw } from "../../platform/network.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";

/** Least and greatest milliseconds that an operation of the disk takes: those of today's solid state disks. */
const LATENCY_MS: readonly [least: number, greatest: number] = [0.02, 0.5];

/** How many latencies there are to choose from; always the same, so that a choice means the same in every run. */
const LATENCIES = 1024;

/** How much of what it could a read or write does, one of these: mostly all. At least one byte. */
const SHARES: readonly number[] = [1, 1, 1, 1, 1, 1, 0.5, 0];

/** How long a disk takes, and how much it does at once: the seed's. */
export class DiskTimes {
  readonly #clock: VirtualClock;
  readonly #chooser: Chooser;
  latencyMs: readonly [least: number, greatest: number] = LATENCY_MS;

  constructor(clock: VirtualClock, chooser: Chooser) {
    this.#clock = clock;
    this.#chooser = chooser;
  }

  /** Calls `done` when the disk has done something. */
  after(done: () => void): Withdraw {
    const [least, greatest] = this.latencyMs;
    const latency = this.#chooser.pick("latency", LATENCIES);
    const delayMs = least + ((greatest - least) * latency) / (LATENCIES - 1);
    const timer = this.#clock.after(Math.round(delayMs * 1000), done);
    return () => timer.clear();
  }

  /** How many of so many bytes are read or written at once. */
  shareOf(bytes: number): number {
    const share = SHARES[this.#chooser.pick("chunk", SHARES.length)] as number;
    return Math.max(Math.floor(bytes * share), Math.min(bytes, 1));
  }

  /** A number from 0 to `count` − 1. */
  pick(count: number): number {
    return this.#chooser.pick("fault", count);
  }
}
