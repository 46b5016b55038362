import assert from "node:assert/strict";
import { test } from "node:test";
import { RingBuffer } from "./ring-buffer.ts";

test("RingBuffer: gives items back in their order, across growing and wrapping around", () => {
  const ring = new RingBuffer<number>();
  let pushed = 0;
  let shifted = 0;
  for (const [push, shift] of [
    [10, 5],
    [20, 3],
    [100, 120],
    [5000, 5000],
    [7, 4],
    [0, 5],
  ] as const) {
    for (let i = 0; i < push; i++) ring.push(pushed++);
    for (let i = 0; i < shift; i++) assert.equal(ring.shift(), shifted++);
    assert.equal(ring.size, pushed - shifted);
  }
});

test("RingBuffer: undefined is an item, and clear drops all", () => {
  const ring = new RingBuffer<number | undefined>();
  ring.push(undefined);
  ring.push(1);
  assert.deepEqual([ring.size, ring.shift(), ring.shift()], [2, undefined, 1]);
  ring.push(2);
  ring.clear();
  assert.equal(ring.size, 0);
  ring.push(3);
  assert.equal(ring.shift(), 3);
});
