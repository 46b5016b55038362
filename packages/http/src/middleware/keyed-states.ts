/**
 * What a middleware knows of each origin, or of whatever requests are told apart by. Those that have not been used for longest are
 * forgotten when there are too many, so that a crawler of the whole web needs no more memory for it than this.
 */
export class KeyedStates<State> {
  readonly #create: () => State;
  readonly #max: number;
  readonly #states: Map<string, State> = new Map();
  /** Whether a state is as good as a new one. */
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

  /** Of the oldest ones the first that is idle; if none is, the oldest: however many are in use, there are not more than these. */
  #forget(): void {
    let seen = 0;
    let [forgotten] = this.#states.keys();
    for (const [key, state] of this.#states) {
      if (++seen > LOOKED_AT_MAX) break;
      if (!this.#isIdle(state)) continue;
      forgotten = key;
      break;
    }
    if (forgotten !== undefined) this.#states.delete(forgotten);
  }
}

/** So many states are looked at for one that is idle, so that a new key costs the same however many there are. */
const LOOKED_AT_MAX = 16;

/** So many origins are told apart, unless told otherwise. */
export const STATES_MAX = 10_000;
