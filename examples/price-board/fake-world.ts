/** Sources for tests: `fetch` without a network, in the time of the simulator. */

import { sleep, sleepForever } from "arborio";
import type { Fetch } from "./fetch-price.ts";
import type { Source } from "./source-list.ts";

/** One answer: after so long, this status and body; a number is a body; `"hang"` never answers; an error is thrown. */
export type Answer = readonly [afterMs: number, what: number | string | Error, status?: number];

/** Each source answers its requests in order, and the rest of them with the last answer. */
export class FakeWorld {
  readonly sources: readonly Source[];
  /** Names of the sources asked, in order. */
  readonly asked: string[] = [];
  inFlight = 0;
  mostInFlight = 0;
  readonly #answers: Readonly<Record<string, readonly Answer[]>>;

  constructor(answers: Readonly<Record<string, readonly Answer[]>>) {
    this.#answers = answers;
    this.sources = Object.keys(answers).map((name) => ({ name, url: `http://fake/${name}` }));
  }

  readonly fetch: Fetch = async (url) => {
    const name = url.slice("http://fake/".length);
    const answers = this.#answers[name] ?? [];
    const times = this.asked.filter((other) => other === name).length;
    const [afterMs, what, status = 200] = answers[Math.min(times, answers.length - 1)] ?? [
      0,
      "",
      404,
    ];
    this.asked.push(name);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await (what === "hang" ? sleepForever() : sleep(afterMs));
      if (what instanceof Error) throw what;
      return new Response(String(what), { status });
    } finally {
      this.inFlight -= 1;
    }
  };
}
