import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { run, sleep } from "../../index.ts";
import { asyncLocalStorage } from "./ambient.ts";
import { HostClock } from "./clock.ts";

const clock = new HostClock();
const globals = globalThis as unknown as Record<string, unknown>;
const { setTimeout: originalSetTimeout, setImmediate: originalSetImmediate } = globalThis;

afterEach(() => {
  Object.assign(globalThis, {
    setTimeout: originalSetTimeout,
    setImmediate: originalSetImmediate,
  });
});

/** Calls `seen` whenever the host makes a timer or an immediate. */
function watch(name: "setTimeout" | "setImmediate", seen: (...args: unknown[]) => void): void {
  const original = globals[name] as (...args: unknown[]) => unknown;
  globals[name] = (...args: unknown[]) => {
    seen(...args);
    return original(...args);
  };
}

test("HostClock.setTimer: delays above 2^31−1 ms are clamped, so that they do not fire at once (§5)", async () => {
  let fired = false;
  const timers = [2 ** 31, 2 ** 40, Infinity].map((ms) =>
    clock.setTimer(ms, () => {
      fired = true;
    }),
  );
  await wait(10);
  for (const timer of timers) timer.clear();
  assert.equal(fired, false);
});

test("HostClock.setTimer: never early by the clock once it is set again, and not after clear (§5)", async () => {
  const start = clock.now();
  await new Promise<void>((resolve) => void clock.setTimer(3.5, resolve));
  assert.ok(clock.now() - start > 2);
  clock.setTimer(1, () => assert.fail("cleared")).clear();
  await wait(5);
});

test("HostClock: its timers and turns are made outside every task's context (§5)", async () => {
  const contexts: unknown[] = [];
  for (const name of ["setTimeout", "setImmediate"] as const)
    watch(name, () => contexts.push(asyncLocalStorage.getStore()));
  await asyncLocalStorage.run("a task", async () => {
    await new Promise<void>((resolve) => clock.nextTurn(resolve));
    await new Promise<void>((resolve) => void clock.setTimer(1, resolve));
  });
  assert.deepEqual(contexts, [undefined, undefined]);
});

test("run: a thousand sleepers need one host timer, which only ever moves earlier (§5)", async () => {
  const delays: number[] = [];
  watch("setTimeout", (_, ms) => delays.push(ms as number));
  await run(async (group) => {
    for (let index = 0; index < 1000; index++) {
      const sleeper = group.startSoon(() => sleep(1e6 + index));
      if (index % 2 === 0) sleeper.cancel();
    }
    await sleep(5);
    group.cancel();
  }).catch(() => {});
  // One each for the far and the near, and a few for the kernel itself.
  assert.ok(delays.length <= 6, `needed few, got ${delays.length}: ${delays.join(" ")}`);
});
