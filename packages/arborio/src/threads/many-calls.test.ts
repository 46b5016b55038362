/** Ten thousand calls, of which many are cancelled, at every moment: no worker, no token and no waiter is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CapacityLimiter, mapConcurrent, moveOnAfter, run, TimeoutError } from "../index.ts";
import { BrokenWorkerError, moduleAt, runInThread, workerStatistics } from "../threads.ts";
import { RandomNumbers } from "./random-numbers.test.kit.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;
const CALLS = 10_000;
/** Callers at once: many more than threads, so that most calls wait for a token. */
const CALLERS = 40;
const THREADS = 3;
const work = moduleAt<typeof workKit>(workKit.url);

test(
  `runInThread: ${CALLS} calls with random cancellation lose no thread and no token`,
  { timeout: TEST_MS_MAX },
  async () => {
    const random = new RandomNumbers(20_261_122);
    const limiter = new CapacityLimiter(THREADS);
    const place = new Int32Array(new SharedArrayBuffer(4));
    const before = workerStatistics("thread");
    const counts = { done: 0, cancelled: 0, failed: 0, broken: 0 };
    await run(
      async () => {
        const one = async (index: number): Promise<void> => {
          const options = { limiter, abandonOnCancel: random.below(10) === 0, graceMs: 0 };
          const kind = random.below(2000);
          const call = async (): Promise<true> => {
            if (kind === 0) await runInThread(work, "exit", { ...options, args: [1] });
            else if (kind < 3)
              await runInThread(work, "loop", { ...options, abandonOnCancel: false });
            else if (kind < 200)
              await runInThread(work, "compute", { ...options, args: [place], graceMs: 1000 });
            else if (kind < 400) await runInThread(work, "fail", { ...options, args: ["library"] });
            else if (kind < 600)
              await runInThread(work, "later", { ...options, graceMs: 1000, args: ["x"] });
            else
              assert.equal(
                await runInThread(work, "add", { ...options, args: [index, 1] }),
                index + 1,
              );
            return true;
          };
          // Those that never end by themselves must be cancelled; others are, at any moment.
          const ms = kind < 200 || random.below(2) === 0 ? random.below(60) / 10 : Infinity;
          try {
            const done = await moveOnAfter(ms, call);
            counts[done === true ? "done" : "cancelled"] += 1;
          } catch (error) {
            if (error instanceof BrokenWorkerError) counts.broken += 1;
            else if (error instanceof TimeoutError) counts.failed += 1;
            else throw error;
          }
        };
        const indices = Array.from({ length: CALLS }, (_, index) => index);
        await mapConcurrent(indices, one, { concurrency: CALLERS });
        // What was abandoned has to end by itself.
        limiter.totalTokens = 1;
        await runInThread(work, "nothing", { limiter });
        assert.deepEqual(
          [
            limiter.borrowedTokens,
            limiter.statistics().tasksWaiting,
            workerStatistics("thread").busy,
          ],
          [0, 0, 0],
        );
      },
      { signals: [], onUnhandled: (error) => assert.ok(error instanceof Error) },
    );
    const { done, cancelled, failed, broken } = counts;
    assert.equal(done + cancelled + failed + broken, CALLS);
    for (const count of [done, cancelled, failed]) assert.ok(count > 100, JSON.stringify(counts));
    const after = workerStatistics("thread");
    assert.ok(after.idle <= Math.max(before.idle, THREADS), JSON.stringify({ before, after }));
    assert.ok(after.crashed - before.crashed >= broken);
  },
);
