import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { onEveryBackend } from "../testing.ts";
import { asCompleted } from "./as-completed.ts";
import { gather } from "./gather.ts";
import { hedge } from "./hedge.ts";
import { mapConcurrent } from "./map-concurrent.ts";
import { matchErrors } from "./match-errors.ts";
import { any, race } from "./race.ts";
import { retry } from "./retry.ts";
import { settle } from "./settle.ts";

const test = onEveryBackend(nodeTest);

/** A starving kernel would loop for ever. */
const LOOP_MS_MAX = 2000;

const work = async (): Promise<number> => 1;

const combinators: Readonly<Record<string, () => Promise<unknown>>> = {
  any: () => any([work]),
  async asCompleted() {
    for await (const value of asCompleted([work])) assert.equal(value, 1);
  },
  gather: () => gather([work]),
  "gather of nothing": () => gather([]),
  hedge: () => hedge([work], { afterMs: 1 }),
  mapConcurrent: () => mapConcurrent([1], work, { concurrency: 1 }),
  matchErrors: () => matchErrors(work, []),
  race: () => race([work]),
  retry: () => retry(work, { attempts: 1 }),
  settle: () => settle([work]),
};

for (const [name, round] of Object.entries(combinators)) {
  test(
    `${name}: a loop over work that never waits does not starve the host (§2.5)`,
    async () => {
      let fired = false;
      ambientScope().kernel.clock.setTimer(2, () => {
        fired = true;
      });
      const until = performance.now() + LOOP_MS_MAX;
      while (!fired) {
        await round();
        assert.ok(performance.now() < until, "the host's timers starve");
      }
    },
    { skip: { backend: "simulator", reason: "every resumption is a turn there" } },
  );
}
