/**
 * Numbers that stand for texts, which may be long, and secret. So many are kept, of which the oldest gives way to a new one; a text that was
 * forgotten gets another number, since none ever comes again.
 */
export class Numbers {
  readonly #textsMax: number;
  readonly #known: Map<string, number> = new Map();
  #last = 0;

  constructor(textsMax: number) {
    this.#textsMax = textsMax;
  }

  /** The number of a text: from 1 on. */
  of(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < this.#textsMax) break;
      this.#known.delete(oldest);
    }
    this.#last += 1;
    this.#known.set(text, this.#last);
    return this.#last;
  }
}
