/** One source's line on the board, from the moment it is asked until it has its price or a reason why not. */

import type { Price } from "./price.ts";
import type { Source } from "./source-list.ts";

/**
 * `waiting` → `asking` → the rest. `refused`: 401 or 403. `unusable`: an answer without a price. `cut short`: ended while it
 * was asking, by the board's deadline, a fatal refusal or a signal. `not asked`: the same, before its turn had come.
 */
export type State =
  | "waiting"
  | "asking"
  | "price"
  | "timed out"
  | "failed"
  | "refused"
  | "unusable"
  | "cut short"
  | "not asked";

export interface Entry {
  readonly source: Source;
  state: State;
  price: Price | undefined;
  /** Why there is no price; empty if there is one. */
  why: string;
  /** Requests so far. */
  tries: number;
  /** How far the current try has come: what is still missing, or why it failed. */
  doing: string;
  /** Milliseconds since the board began. */
  beganMs: number;
  endedMs: number;
}

export function createEntry(source: Source): Entry {
  return {
    source,
    state: "waiting",
    price: undefined,
    why: "",
    tries: 0,
    doing: "",
    beganMs: 0,
    endedMs: 0,
  };
}
