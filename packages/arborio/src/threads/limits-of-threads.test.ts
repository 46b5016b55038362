/** How many threads work at once, and how long idle ones are kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, ClockTimer } from "../core/clock.ts";
import { CapacityLimiter, gather, NotSupportedError, run, sleep, taskGroup } from "../index.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { Threads, WorkerListener } from "../platform/threads.ts";
import {
  currentDefaultProcessLimiter,
  currentDefaultThreadLimiter,
  moduleAt,
  runInThread,
  workerStatistics,
} from "../threads.ts";
import { WorkerPool } from "./worker-pool.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;
const work = moduleAt<typeof workKit>(workKit.url);

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body, { signals: [] }));
}

/** How many of `count` calls worked at once at most. */
async function mostAtOnce(count: number, limiter?: CapacityLimiter): Promise<number> {
  const places = new Int32Array(new SharedArrayBuffer(8));
  const options = { args: [places, 3] as const, ...(limiter === undefined ? {} : { limiter }) };
  const calls = Array.from(
    { length: count },
    () => () => runInThread(work, "countAtOnce", options),
  );
  await gather(calls);
  assert.equal(places[0], 0);
  return places[1] ?? 0;
}

hostTest("runInThread({ limiter }): no more work at once than it has tokens", async () => {
  const limiter = new CapacityLimiter(2);
  assert.ok((await mostAtOnce(20, limiter)) <= 2);
  limiter.totalTokens = 1;
  assert.equal(await mostAtOnce(5, limiter), 1);
});

hostTest("runInThread({ limiter }): more tokens while calls wait: they begin at once", async () => {
  const limiter = new CapacityLimiter(1);
  const place = new Int32Array(new SharedArrayBuffer(4));
  await taskGroup(async (group) => {
    group.startSoon(() => runInThread(work, "holdOut", { args: [place], limiter }));
    const second = group.startSoon(() => runInThread(work, "add", { args: [1, 2], limiter }));
    // The function takes the memory when it begins: until then nothing may be told by it.
    while (Atomics.load(place, 0) !== 1) await sleep(1);
    assert.equal(limiter.borrowedTokens, 1);
    assert.equal(limiter.statistics().tasksWaiting, 1);
    limiter.totalTokens = 2;
    assert.equal(await second.result(), 3);
    Atomics.store(place, 0, 3);
  });
  assert.equal(limiter.borrowedTokens, 0);
});

hostTest("runInThread: a limiter that the caller has a token of itself is no trap", async () => {
  const limiter = new CapacityLimiter(2);
  using _lease = await limiter.acquire();
  assert.equal(await runInThread(work, "add", { args: [1, 2], limiter }), 3);
});

hostTest("runInThread: thousands that wait and cannot be sent fail one by one", async () => {
  const limiter = new CapacityLimiter(0);
  const bad = { fn(): void {} };
  const calls = Array.from({ length: 5000 }, () =>
    runInThread(work, "echo", { args: [bad], limiter }).then(
      () => "sent",
      (error: Error) => error.name,
    ),
  );
  limiter.totalTokens = 1;
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["TypeError"]));
  assert.equal(limiter.borrowedTokens, 0);
});

test("currentDefaultThreadLimiter: each run has its own, with a token for each processor", async () => {
  await run(async () => {
    const limiter = currentDefaultThreadLimiter();
    assert.equal(limiter, currentDefaultThreadLimiter());
    assert.notEqual(limiter, currentDefaultProcessLimiter());
    assert.equal(limiter.totalTokens, currentBackend().threads?.parallelism);
    assert.ok(limiter.totalTokens >= 1);
    limiter.totalTokens = 1;
    assert.equal(await mostAtOnce(5), 1);
  });
  await run(() => {
    assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
    assert.equal(currentDefaultThreadLimiter().totalTokens, currentBackend().threads?.parallelism);
  });
});

hostTest("workerStatistics: refuses other kinds", async () => {
  assert.throws(() => workerStatistics("fiber" as never), /got "fiber", needs "thread" or/);
  await sleep(0);
});

test("runInThread: a backend without threads says so", async () => {
  await run(
    async () => {
      await assert.rejects(runInThread(work, "nothing"), NotSupportedError);
      assert.throws(() => workerStatistics("thread"), NotSupportedError);
    },
    { backend: { ...currentBackendWithout() }, signals: [] },
  );
});

function currentBackendWithout(): ReturnType<typeof currentBackend> {
  const { threads, ...rest } = currentBackend();
  void threads;
  return rest;
}

/** A clock that goes on when a test says so. */
class ManualClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  setTimer(delayMs: number, wake: () => void): ClockTimer {
    const timer = { at: this.#now + delayMs, wake };
    this.#timers.push(timer);
    return {
      clear: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
      setReferenced: (referenced) => assert.equal(referenced, false),
    };
  }

  nextTurn(): void {
    assert.fail("not needed");
  }

  goOn(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.#now);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now);
    for (const { wake } of due) wake();
  }

  get timers(): number {
    return this.#timers.length;
  }
}

test("WorkerPool: idle threads are ended after 10 seconds, the last one to work is kept the longest", () => {
  const clock = new ManualClock();
  const terminated: string[] = [];
  const threads: Threads = {
    ...(currentBackend().threads as Threads),
    start(target, listener: WorkerListener) {
      return {
        post() {},
        setNeeded() {},
        terminate() {
          terminated.push(target.name);
          listener.ended({ code: 1, signal: undefined, error: undefined });
        },
      };
    },
  };
  const pool = new WorkerPool({ ...currentBackend(), clock }, threads, "thread");
  const [first, second] = [pool.take(), pool.take()];
  pool.freed(first);
  clock.goOn(6000);
  pool.freed(second);
  assert.equal(pool.take(), second);
  pool.freed(second);
  clock.goOn(4000);
  assert.deepEqual(terminated, ["arborio thread 1"]);
  clock.goOn(5999);
  assert.deepEqual(terminated, ["arborio thread 1"]);
  clock.goOn(1);
  assert.deepEqual(terminated, ["arborio thread 1", "arborio thread 2"]);
  assert.deepEqual(pool.statistics(), { idle: 0, busy: 0, started: 2, crashed: 0 });
  assert.equal(clock.timers, 0);
});
