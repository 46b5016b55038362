import type { Chooser } from "../chooser.ts";
import type { Fabric } from "./fabric.ts";

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
