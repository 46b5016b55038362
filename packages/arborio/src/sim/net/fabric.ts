import { describeValue } from "../../core/arguments.ts";
import type { ClockTimer } from "../../core/clock.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";

/** How a simulated network behaves. Rates are from 0 to 1. */
export interface NetworkOptions {
  /** Least and greatest milliseconds that a packet takes, in one direction. Default `[0.05, 1]`. */
  readonly latencyMs?: readonly [min: number, max: number];
  /**
   * How the bytes of a stream come in: cut at random places, as they were sent, or one at a time (slow). Default `"random"`, which
   * finds programs that take one read for one message.
   */
  readonly chunks?: "random" | "whole" | "bytes";
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

/** One direction of a connection: what is sent arrives later, in the order of sending. */
export class Path {
  readonly fabric: Fabric;
  readonly #chooser: Chooser;
  #lastUs = 0;

  constructor(fabric: Fabric, chooser: Chooser) {
    this.fabric = fabric;
    this.#chooser = chooser;
  }

  /** Sends a packet; `arrive` is called when it is there. */
  send(arrive: () => void): void {
    this.#sendAfter(this.fabric.delayUs(this.#chooser), arrive);
  }

  /** Sends bytes as one packet, which may arrive in pieces. How they are cut is one choice, however many bytes there are. */
  sendBytes(bytes: Uint8Array, arrive: (piece: Uint8Array) => void): void {
    const { fabric } = this;
    const delayUs = fabric.delayUs(this.#chooser);
    const choice = fabric.chunks === "random" ? this.#chooser.pick("chunk", CUTS.length) : 0;
    const cut = CUTS[choice] as Cut;
    const pieces = fabric.chunks === "bytes" ? singly(bytes, bytes.length) : cut.pieces(bytes);
    let extraUs = 0;
    for (const piece of pieces) {
      this.#sendAfter(delayUs + extraUs, () => arrive(piece));
      extraUs = cut.apart ? fabric.maxUs : extraUs + 1;
    }
  }

  #sendAfter(delayUs: number, arrive: () => void): void {
    const { clock } = this.fabric;
    this.#lastUs = Math.max(this.#lastUs, clock.nowUs + delayUs);
    clock.after(this.#lastUs - clock.nowUs, arrive);
  }
}

interface Cut {
  /** Whether the pieces after the first come so much later that others have a turn. */
  readonly apart: boolean;
  readonly pieces: (bytes: Uint8Array) => Uint8Array[];
}

/** So many first bytes come one by one in a cut that does that; all of them would make a large transfer slow for nothing. */
const SINGLE_BYTES = 8;

const SHAPES: readonly ((bytes: Uint8Array) => Uint8Array[])[] = [
  (bytes) => [bytes],
  (bytes) => cutAt(bytes, 1),
  (bytes) => cutAt(bytes, bytes.length - 1),
  (bytes) => cutAt(bytes, bytes.length >> 1),
  (bytes) => cutAt(bytes, 3, bytes.length - 3),
  (bytes) => singly(bytes, SINGLE_BYTES),
];

/** The ways in which bytes may be cut. Half of them leave the bytes whole, as most packets are. */
const CUTS: readonly Cut[] = [false, true].flatMap((apart) => [
  ...Array.from({ length: 5 }, () => ({ apart, pieces: SHAPES[0] as Cut["pieces"] })),
  ...SHAPES.slice(1).map((pieces) => ({ apart, pieces })),
]);

function cutAt(bytes: Uint8Array, ...places: number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place <= from) continue;
    pieces.push(bytes.subarray(from, place));
    from = place;
  }
  return pieces;
}

function singly(bytes: Uint8Array, count: number): Uint8Array[] {
  const places = Array.from({ length: Math.min(count, bytes.length) }, (_, index) => index + 1);
  return cutAt(bytes, ...places);
}
