import { RandomStream } from "./random.ts";

/** What is being chosen. */
export type ChoiceKind =
  /** Which ready task goes on. */
  | "sched"
  /** A number that the program asked for. */
  | "rand"
  /** How long a packet takes. */
  | "latency"
  /** How the bytes of a stream are cut into reads. */
  | "chunk"
  /** Whether a packet is lost, comes twice, or overtakes another. */
  | "fault"
  /** Which of several sockets gets what comes in. */
  | "spread";

/** The one oracle of a simulated world: every non-deterministic decision is a call of `pick`. */
export interface Chooser {
  /** An integer from 0 to `count` − 1. The tamest outcome is 0. */
  pick(kind: ChoiceKind, count: number): number;
  /** An oracle for one part of the world. What that part draws shifts no choice of another's. */
  fork(label: string): Chooser;
}

/** Chooses evenly, from one stream of random numbers per kind, so that a draw of one kind does not shift another's. */
export class RandomChooser implements Chooser {
  readonly #seed: number;
  readonly #label: string;
  readonly #streams: Partial<Record<ChoiceKind, RandomStream>> = {};

  constructor(seed: number, label = "") {
    this.#seed = seed;
    this.#label = label;
  }

  pick(kind: ChoiceKind, count: number): number {
    if (count === 1) return 0;
    const stream = (this.#streams[kind] ??= new RandomStream(this.#seed, this.#label + kind));
    return stream.below(count);
  }

  fork(label: string): Chooser {
    return new RandomChooser(this.#seed, `${this.#label}${label}/`);
  }
}

/** Always chooses the first: tasks go on in the order in which they became ready, as on a host. */
export class FirstChooser implements Chooser {
  pick(): number {
    return 0;
  }

  fork(): Chooser {
    return this;
  }
}
