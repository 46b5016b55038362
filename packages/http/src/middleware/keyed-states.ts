/**
 * What a middleware knows of each origin, or of whatever requests are told apart by. Those that have not been used for longest are
 * forgotten when there are too many, so that a crawler of the whole web needs no more memory for it than this.
 */
export class KeyedStates<State> {
  readonly #create: () => State;
  readonly #max: number;
  readonly #states: Map<string, State> = new Map();
  /** Whether a state may be forgotten. */
  readonly #isIdle: (state: State) => boolean;

  constructor(create: () => State, max: number, isIdle: (state: State) => boolean) {
    this.#create = create;
    this.#max = max;
    this.#isIdle = isIdle;
  }

  /** The state of `key`, made now if there is none. */
  get(key: string): State {
    const known = this.#states.get(key);
    if (known !== undefined) {
      this.#states.delete(key);
      this.#states.set(key, known);
      return known;
    }
    if (this.#states.size >= this.#max) this.#forget();
    const state = this.#create();
    this.#states.set(key, state);
    return state;
  }

  /** The state of `key`, if there is one. */
  peek(key: string): State | undefined {
    return this.#states.get(key);
  }

  #forget(): void {
    for (const [key, state] of this.#states) {
      if (!this.#isIdle(state)) continue;
      this.#states.delete(key);
      return;
    }
  }
}

/** So many origins are told apart, unless told otherwise. */
export const STATES_MAX = 10_000;
