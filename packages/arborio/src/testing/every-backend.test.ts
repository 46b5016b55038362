import assert from "node:assert/strict";
import { test } from "node:test";
import { now, sleep } from "../index.ts";
import { hostBackend } from "../platform/host.ts";
import { type EveryBackendOptions, onEveryBackend } from "./every-backend.ts";

/** What a runner is given for one test. */
function collect(
  body: () => unknown,
  options?: EveryBackendOptions,
): { titles: string[]; runAll: () => Promise<void> } {
  const tests: [string, () => Promise<void>][] = [];
  const define = onEveryBackend((title, run) => tests.push([title, run]));
  define("title", body, options);
  return {
    titles: tests.map(([title]) => title),
    runAll: async () => {
      for (const [, run] of tests) await run();
    },
  };
}

test("onEveryBackend: one test on the host, one on the simulator for each seed", async () => {
  const elapsed: number[] = [];
  const { titles, runAll } = collect(
    async () => {
      const start = now();
      await sleep(2);
      elapsed.push(now() - start);
    },
    { seeds: [1, 7] },
  );
  assert.deepEqual(titles, [
    `title [${hostBackend.name}]`,
    "title [simulator, seed 1]",
    "title [simulator, seed 7]",
  ]);
  await runAll();
  assert.equal(elapsed.length, 3);
  assert.ok((elapsed[0] ?? 0) >= 2);
  assert.deepEqual(elapsed.slice(1), [2, 2]);
});

test("onEveryBackend: a gap is left out, and shown with its reason", () => {
  const reason = "because";
  assert.deepEqual(collect(() => {}, { skip: { backend: "host", reason } }).titles, [
    "title [simulator, seed 1, not on the host: because]",
  ]);
  assert.deepEqual(collect(() => {}, { skip: { backend: "simulator", reason } }).titles, [
    `title [${hostBackend.name}, not on the simulator: because]`,
  ]);
});

test("onEveryBackend: a failing body fails the test", async () => {
  const { runAll } = collect(() => Promise.reject(new RangeError("expected")));
  await assert.rejects(runAll(), /expected/);
});
