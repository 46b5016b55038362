/** What is known of all sources: the state that tasks write to and reports read. */

import { now, runningTasks, taskTree } from "arborio";
import { createEntry, type Entry, type State } from "./entry.ts";
import type { Source } from "./source-list.ts";

/** Why nothing more comes. */
export type Ending = "complete" | "deadline" | "fatal" | "interrupted";

/** The moment when most tasks were running. */
export interface Busiest {
  readonly tasks: number;
  readonly atMs: number;
  readonly tree: string;
}

export class Board {
  readonly entries: readonly Entry[];
  ending: Ending | undefined;
  busiest: Busiest = { tasks: 0, atMs: 0, tree: "" };
  elapsedMs = 0;
  #beganAt = 0;

  constructor(sources: readonly Source[]) {
    this.entries = sources.map(createEntry);
  }

  begin(): void {
    this.#beganAt = now();
  }

  /** Milliseconds since the board began. */
  get clockMs(): number {
    return now() - this.#beganAt;
  }

  /** Keeps the task tree if it has not been this full before. */
  observe(): void {
    const tasks = runningTasks().length;
    if (tasks > this.busiest.tasks) this.busiest = { tasks, atMs: this.clockMs, tree: taskTree() };
  }

  /** Settles what has no answer by now. Only the first call counts. */
  end(ending: Ending, why: string): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    this.elapsedMs = this.clockMs;
    for (const entry of this.entries) {
      if (entry.state !== "waiting" && entry.state !== "asking") continue;
      const asked = entry.tries > 0;
      entry.why = asked ? `${why}: ${entry.doing}` : why;
      entry.state = asked ? "cut short" : "not asked";
      entry.endedMs = this.elapsedMs;
    }
  }

  count(...states: readonly State[]): number {
    return this.entries.filter((entry) => states.includes(entry.state)).length;
  }
}
