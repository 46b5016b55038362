import { describeValue } from "../../core/arguments.ts";
import type { ClockTimer } from "../../core/clock.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";

/** How a simulated network behaves. */
export interface NetworkOptions {
  /** Least and greatest milliseconds that a packet takes, in one direction. Default `[0.05, 1]`. */
  readonly latencyMs?: readonly [min: number, max: number];
  /**
   * How the bytes of a stream come in: cut at random places, as they were sent, or one at a time (slow). Default `"random"`, which
   * finds programs that take one read for one message.
   */
  readonly chunks?: "random" | "whole" | "bytes";
  /** How UDP behaves beyond its latency; TCP makes all of this good by itself. */
  readonly udp?: DatagramFaults;
}

/** How often what happens to datagrams, from 0 to 1. Without these, all arrive once, in the order in which a socket sent them. */
export interface DatagramFaults {
  /** How many are lost. Default 0. */
  readonly lossRate?: number;
  /** How many come twice. Default 0. */
  readonly duplicateRate?: number;
  /** How many may overtake those sent before. Default 0. */
  readonly reorderRate?: number;
}

/** How many latencies there are to choose from; always the same, so that a choice means the same in every run. */
const LATENCIES = 1024;
const US = 1000;

const DEFAULT_LATENCY_MS: readonly [number, number] = [0.05, 1];

/** What lies between the hosts. All traffic goes through here, so this is the place for links, partitions and faults. */
export class Fabric {
  readonly clock: VirtualClock;
  readonly chooser: Chooser;
  readonly chunks: "random" | "whole" | "bytes";
  readonly datagrams: Required<DatagramFaults>;
  /** Least time, in microseconds, that a packet takes. */
  readonly minUs: number;
  /** Greatest time, in microseconds, that a packet takes. */
  readonly maxUs: number;
  #connections = 0;

  constructor(clock: VirtualClock, chooser: Chooser, options: NetworkOptions) {
    const { latencyMs = DEFAULT_LATENCY_MS, chunks = "random" } = options;
    requireLatency(latencyMs);
    if (chunks !== "random" && chunks !== "whole" && chunks !== "bytes") {
      throw new RangeError(
        `simulator({ network: { chunks } }): got ${describeValue(chunks)}, needs "random", "whole" or "bytes"`,
      );
    }
    const { lossRate = 0, duplicateRate = 0, reorderRate = 0 } = options.udp ?? {};
    this.datagrams = { lossRate, duplicateRate, reorderRate };
    requireRates(this.datagrams);
    this.clock = clock;
    this.chooser = chooser;
    this.chunks = chunks;
    this.minUs = Math.max(Math.round(latencyMs[0] * US), 1);
    this.maxUs = Math.max(Math.round(latencyMs[1] * US), this.minUs);
  }

  /** How long one packet takes, in microseconds. */
  delayUs(chooser: Chooser): number {
    const range = this.maxUs - this.minUs;
    return this.minUs + Math.round((range * chooser.pick("latency", LATENCIES)) / (LATENCIES - 1));
  }

  /** An oracle for a new connection: each has its own, so that what one does shifts nothing on the others. */
  chooserForConnection(): Chooser {
    this.#connections += 1;
    return this.chooser.fork(`connection ${this.#connections}`);
  }

  /** Calls `done` as soon as the calling operation has returned. */
  soon(done: () => void): ClockTimer {
    return this.clock.after(1, done);
  }
}

function requireLatency(latencyMs: readonly [number, number]): void {
  const [min, max] = latencyMs;
  if (Number.isFinite(min) && Number.isFinite(max) && min >= 0 && max >= min) return;
  throw new RangeError(
    `simulator({ network: { latencyMs } }): got [${String(min)}, ${String(max)}], needs two numbers of milliseconds, the lesser first`,
  );
}

function requireRates(rates: Required<DatagramFaults>): void {
  for (const [name, rate] of Object.entries(rates) as [string, unknown][]) {
    if (typeof rate === "number" && rate >= 0 && rate <= 1) continue;
    throw new RangeError(
      `simulator({ network: { udp: { ${name} } } }): got ${describeValue(rate)}, needs a number from 0 to 1`,
    );
  }
}
