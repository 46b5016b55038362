import { RandomStream } from "./random.ts";

/** What is being chosen: the next ready task, or a number that the program asked for. */
export type ChoiceKind = "sched" | "rand";

/** The one oracle of a simulated world: every non-deterministic decision is a call of `pick`. */
export interface Chooser {
  /** An integer from 0 to `count` − 1. */
  pick(kind: ChoiceKind, count: number): number;
}

/** Chooses evenly, from one stream of random numbers per kind, so that a draw of one kind does not shift another's. */
export class RandomChooser implements Chooser {
  readonly #streams: Record<ChoiceKind, RandomStream>;

  constructor(seed: number) {
    this.#streams = {
      sched: new RandomStream(seed, "sched"),
      rand: new RandomStream(seed, "rand"),
    };
  }

  pick(kind: ChoiceKind, count: number): number {
    return count === 1 ? 0 : this.#streams[kind].below(count);
  }
}

/** Always chooses the first: tasks go on in the order in which they became ready, as on a host. */
export class FirstChooser implements Chooser {
  pick(): number {
    return 0;
  }
}
