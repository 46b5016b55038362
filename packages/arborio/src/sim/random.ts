/**
 * A stream of pseudo-random numbers: sfc32, 128 bits of state, 32-bit integer arithmetic only, so that a seed gives the same
 * stream on every runtime. Source: Chris Doty-Humphrey, PractRand.
 */
export class RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Streams with different labels are independent of one another. */
  constructor(seed: number, label: string) {
    let hash = 0x811c9dc5 ^ (seed >>> 0);
    for (let index = 0; index < label.length; index++)
      hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193);
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = hash | 0;
    for (let round = 0; round < 16; round++) this.nextUint32();
  }

  /** An integer from 0 to 2³² − 1. */
  nextUint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** An integer from 0 to `count` − 1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }
}
