import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { ClosedResourceError, EndOfStream } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { createQueue } from "./queue.ts";

const test = onEveryBackend(nodeTest);

test("Queue.shutdown: nothing can be put, what is kept can be taken, then it has ended", async () => {
  const queue = createQueue<number>(2);
  for (const item of [1, 2]) queue.putNowait(item);
  const blocked = assert.rejects(queue.put(3), ClosedResourceError);
  assert.deepEqual(queue.shutdown(), []);
  assert.deepEqual(queue.shutdown(), []);
  await blocked;
  await assert.rejects(queue.put(4), ClosedResourceError);
  assert.throws(() => queue.putNowait(4), ClosedResourceError);
  assert.equal(await queue.get(), 1);
  assert.equal(queue.getNowait(), 2);
  await assert.rejects(queue.get(), EndOfStream);
  assert.throws(() => queue.getNowait(), EndOfStream);
  for await (const _item of queue) assert.fail("an item after the end");
});

test("Queue.shutdown: who waits for an item gets the end", async () => {
  const queue = createQueue<number>(2);
  const ended = assert.rejects(queue.get(), EndOfStream);
  const loop = (async () => {
    for await (const _item of queue) assert.fail("an item");
    return "ended";
  })();
  await waitAllTasksBlocked();
  queue.shutdown();
  await ended;
  assert.equal(await loop, "ended");
  assert.equal(queue.statistics().tasksWaitingGet, 0);
});

test("Queue.shutdown: with immediate, gives back what it kept, in its order, and that counts as done", async (group) => {
  for (const [order, expected] of [
    ["fifo", [2, 3, 1]],
    ["lifo", [1, 3, 2]],
    [(a: number, b: number) => a - b, [1, 2, 3]],
  ] as const) {
    const queue = createQueue<number>(4, { order });
    queue.putNowait(0);
    assert.equal(queue.getNowait(), 0);
    for (const item of [2, 3, 1]) queue.putNowait(item);
    let joined = false;
    group.startSoon(() => queue.join().then(() => void (joined = true)));
    await waitAllTasksBlocked();
    assert.deepEqual(queue.shutdown({ immediate: true }), expected);
    await waitAllTasksBlocked();
    assert.deepEqual([joined, queue.statistics().unfinished], [false, 1]);
    queue.taskDone();
    await waitAllTasksBlocked();
    assert.ok(joined);
    assert.throws(() => queue.getNowait(), EndOfStream);
  }
});

test("Queue.shutdown: immediate after a first shutdown drops what is left", async () => {
  const queue = createQueue<number>(2);
  for (const item of [1, 2]) queue.putNowait(item);
  queue.shutdown();
  assert.equal(queue.getNowait(), 1);
  assert.deepEqual(queue.shutdown({ immediate: true }), [2]);
  assert.equal(queue.statistics().unfinished, 1);
  assert.throws(() => queue.shutdown({ immediate: 1 as never }), TypeError);
  assert.throws(() => queue.shutdown({ now: true } as never), TypeError);
});

test("Queue: a get that had an item, and a put that had its place, before the shutdown in the same turn, return (§2.4)", async () => {
  const queue = createQueue<number>(1);
  const getting = queue.get();
  queue.putNowait(1);
  queue.putNowait(2);
  const putting = queue.put(3);
  assert.equal(queue.getNowait(), 2);
  assert.deepEqual(queue.shutdown({ immediate: true }), [3]);
  assert.deepEqual(await Promise.all([getting, putting]), [1, undefined]);
});
