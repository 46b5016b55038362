import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./clock.ts";

/** A clock whose host turns are taken by hand, all that are due. */
function createClock(): { clock: VirtualClock; turns: () => void } {
  const queue: (() => void)[] = [];
  const clock = new VirtualClock((turn) => queue.push(turn));
  const turns = (): void => {
    for (let count = 0; queue.length > 0 && count < 1_000_000; count++) queue.shift()?.();
  };
  return { clock, turns };
}

test("VirtualClock: jumps from timer to timer in order, ties in the order they were set", () => {
  const { clock, turns } = createClock();
  const log: string[] = [];
  for (const [name, ms] of [
    ["c", 5],
    ["a", 1],
    ["b", 1],
    ["d", 1e9],
  ] as const)
    clock.setTimer(ms, () => log.push(`${name}@${clock.now()}`));
  turns();
  assert.deepEqual(log, ["a@1", "b@1", "c@5", "d@1000000000"]);
});

test("VirtualClock: fractions of microseconds round up, so that a timer is never early", () => {
  const { clock, turns } = createClock();
  const times: number[] = [];
  for (const ms of [0.0001, 0.1, 1 / 3]) clock.setTimer(ms, () => times.push(clock.now()));
  turns();
  assert.deepEqual(times, [0.001, 0.1, 0.334]);
});

test("VirtualClock: adding small steps does not drift", () => {
  const { clock, turns } = createClock();
  let steps = 0;
  const step = (): void => {
    steps += 1;
    if (steps < 1000) clock.setTimer(0.1, step);
  };
  clock.setTimer(0.1, step);
  turns();
  assert.equal(clock.now(), 100);
});

test("VirtualClock: turns come before timers, one host turn each, in order", () => {
  const { clock, turns } = createClock();
  const log: string[] = [];
  clock.setTimer(1, () => log.push("timer"));
  clock.nextTurn(() => {
    log.push("turn 1");
    clock.nextTurn(() => log.push("turn 3"));
  });
  clock.nextTurn(() => log.push("turn 2"));
  turns();
  assert.deepEqual(log, ["turn 1", "turn 2", "turn 3", "timer"]);
});

test("VirtualClock: a cleared timer does not fire and does not move time", () => {
  const { clock, turns } = createClock();
  clock.setTimer(5, () => assert.fail("cleared")).clear();
  turns();
  assert.equal(clock.now(), 0);
});

test("VirtualClock: endless turns at one instant let time move on at last", () => {
  const { clock, turns } = createClock();
  let fired = false;
  const spin = (): void => {
    if (!fired) clock.nextTurn(spin);
  };
  clock.setTimer(1, () => {
    fired = true;
  });
  spin();
  turns();
  assert.ok(fired);
});

test("VirtualClock: tells when nothing is ready and no timer is set, until told to stop", () => {
  const { clock, turns } = createClock();
  let stuck = 0;
  const stop = clock.onStuck(() => {
    stuck += 1;
  });
  turns();
  assert.equal(stuck, 1);
  clock.setTimer(1, () => {});
  turns();
  assert.equal(stuck, 2);
  stop();
  clock.nextTurn(() => {});
  turns();
  assert.equal(stuck, 2);
});
