import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { DeadlockError, InvalidStateError, WouldBlock } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { createQueue, type Queue } from "./queue.ts";
import type { QueueOrder } from "./queue-store.ts";

const test = onEveryBackend(nodeTest);

function drained<T>(queue: Queue<T>): T[] {
  const items: T[] = [];
  while (queue.statistics().size > 0) items.push(queue.getNowait());
  return items;
}

test("createQueue: a capacity that is no whole number from 1 on, or Infinity, is an error", () => {
  for (const capacity of [-1, 0.5, Number.NaN, -Infinity])
    assert.throws(() => createQueue(capacity), RangeError);
  for (const capacity of [undefined, null, "1", 1n])
    assert.throws(() => createQueue(capacity as never), TypeError);
  assert.throws(() => createQueue(0), {
    name: "RangeError",
    message:
      "createQueue: got 0, needs room for at least 1 item; Infinity is no limit, createChannel(0) hands over without room",
  });
  for (const capacity of [1, Infinity])
    assert.equal(createQueue(capacity).statistics().capacity, capacity);
});

test("createQueue: an order that is none, and an option that does not exist, are errors that say what there is", () => {
  assert.throws(() => createQueue(1, { order: "filo" as never }), {
    name: "RangeError",
    message:
      'createQueue({ order }): got "filo", needs "fifo", "lifo", or a function that compares two items',
  });
  assert.throws(() => createQueue(1, { compare: () => 0 } as never), {
    name: "TypeError",
    message:
      "createQueue({ compare }): there is no such option; use order: (a, b) => a.priority - b.priority",
  });
  assert.throws(() => createQueue(1, { ordre: "lifo" } as never), {
    name: "TypeError",
    message: "createQueue({ ordre }): there is no such option; there are order",
  });
  assert.throws(() => createQueue(1, "lifo" as never), TypeError);
});

test("createQueue: the order is first in, first out; last in, first out; or that of a function, equals in the order of their arrival", () => {
  const put = [31, 10, 32, 20, 11, 30];
  const orders: [QueueOrder<number> | undefined, number[]][] = [
    [undefined, put],
    ["fifo", put],
    ["lifo", put.toReversed()],
    [(a, b) => Math.trunc(a / 10) - Math.trunc(b / 10), [10, 11, 20, 31, 32, 30]],
  ];
  for (const [order, expected] of orders) {
    const queue = createQueue<number>(10, order === undefined ? {} : { order });
    for (const item of put) queue.putNowait(item);
    assert.deepEqual(drained(queue), expected);
  }
});

test("Queue.put: waits while there is no room; who has waited longest moves up, and is counted", async () => {
  const queue = createQueue<number>(2, { order: (a, b) => a - b });
  await queue.put(5);
  await queue.put(6);
  const order: number[] = [];
  const blocked = [9, 1].map((item) => queue.put(item).then(() => order.push(item)));
  await waitAllTasksBlocked();
  assert.deepEqual(queue.statistics(), {
    size: 2,
    capacity: 2,
    unfinished: 2,
    isShutDown: false,
    tasksWaitingPut: 2,
    tasksWaitingGet: 0,
    tasksWaitingJoin: 0,
  });
  assert.equal(await queue.get(), 5);
  assert.deepEqual([queue.statistics().size, queue.statistics().unfinished], [2, 3]);
  await blocked[0];
  assert.deepEqual(order, [9]);
  assert.equal(await queue.get(), 6);
  await blocked[1];
  assert.deepEqual(drained(queue), [1, 9]);
});

test("Queue.get: an item goes to who has waited longest, at once; nobody gets past", async () => {
  for (const order of ["fifo", "lifo", (a: number, b: number) => a - b] as const) {
    const queue = createQueue<number>(5, { order });
    const getting = [queue.get(), queue.get(), queue[Symbol.asyncIterator]().next()];
    queue.putNowait(3);
    assert.throws(() => queue.getNowait(), WouldBlock);
    queue.putNowait(2);
    queue.putNowait(1);
    assert.deepEqual(await Promise.all(getting), [3, 2, { done: false, value: 1 }]);
  }
});

test("Queue: operations are checkpoints also when they need not wait, and take effect at once (§2.1, §2.5)", async () => {
  const queue = createQueue<number>(1);
  await assertCheckpoints(() => queue.put(1));
  await assertCheckpoints(() => queue.get());
  queue.taskDone();
  await assertCheckpoints(() => queue.join());
  queue.putNowait(2);
  const iterator = queue[Symbol.asyncIterator]();
  await assertCheckpoints(() => iterator.next());
  await iterator.return?.();
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await queue.put(2);
  });
  assert.equal(queue.statistics().size, 0);
  const putting = queue.put(3);
  assert.equal(queue.statistics().size, 1);
  const getting = queue.get();
  assert.equal(queue.statistics().size, 0);
  assert.deepEqual(await Promise.all([putting, getting]), [undefined, 3]);
});

test("Queue.putNowait, getNowait, taskDone, shutdown: are no checkpoints, and work in a flow whose scope has closed (§1.5)", async () => {
  const queue = createQueue<number>(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  let late: Promise<void> | undefined;
  await new CancelScope().run(() => {
    late = promise.then(() => {
      queue.putNowait(1);
      assert.throws(() => queue.putNowait(2), WouldBlock);
      assert.equal(queue.getNowait(), 1);
      queue.taskDone();
      assert.deepEqual(queue.shutdown(), []);
    });
  });
  resolve();
  await late;
  assert.ok(queue.statistics().isShutDown);
});

test("Queue: undefined is an item, kept, handed over, and in a loop", async () => {
  const queue = createQueue<undefined>(2);
  await queue.put(undefined);
  assert.equal(await queue.get(), undefined);
  const getting = queue.get();
  queue.putNowait(undefined);
  assert.equal(await getting, undefined);
  queue.putNowait(undefined);
  queue.shutdown();
  let items = 0;
  for await (const item of queue) {
    assert.equal(item, undefined);
    items += 1;
  }
  assert.equal(items, 1);
});

test("Queue.join: waits until each item that get gave is done, and all who join go on at once", async (group) => {
  const queue = createQueue<number>(3);
  await queue.join();
  for (const item of [1, 2]) queue.putNowait(item);
  let joined = 0;
  for (let i = 0; i < 2; i++) group.startSoon(() => queue.join().then(() => void (joined += 1)));
  await queue.get();
  await queue.get();
  queue.taskDone();
  await waitAllTasksBlocked();
  assert.deepEqual([joined, queue.statistics().tasksWaitingJoin], [0, 2]);
  queue.taskDone();
  await waitAllTasksBlocked();
  assert.deepEqual([joined, queue.statistics().unfinished], [2, 0]);
});

test("Queue.join: does not return between an item that is done and a put that waited for its place", async (group) => {
  const queue = createQueue<number>(1);
  queue.putNowait(1);
  group.startSoon(() => queue.put(2));
  let joined = false;
  group.startSoon(() => queue.join().then(() => void (joined = true)));
  await waitAllTasksBlocked();
  for (const expected of [1, 2]) {
    assert.equal(queue.getNowait(), expected);
    queue.taskDone();
    await waitAllTasksBlocked();
    assert.equal(joined, expected === 2);
  }
});

test("Queue.taskDone: more often than get gave items is an error, also in a for await, which does it itself", async () => {
  const queue = createQueue<number>(2);
  assert.throws(() => queue.taskDone(), InvalidStateError);
  queue.putNowait(1);
  assert.throws(() => queue.taskDone(), InvalidStateError);
  queue.getNowait();
  queue.taskDone();
  assert.throws(() => queue.taskDone(), InvalidStateError);
  queue.putNowait(2);
  queue.shutdown();
  for await (const _item of queue) assert.throws(() => queue.taskDone(), InvalidStateError);
  await queue.join();
});

test("Queue: an item of a for await is done when the loop asks for the next, or is left in any way", async (group) => {
  const queue = createQueue<number>(9);
  for (let item = 1; item <= 5; item++) queue.putNowait(item);
  const unfinished = (): number => queue.statistics().unfinished;
  for await (const item of queue) {
    assert.equal(unfinished(), 6 - item);
    if (item === 2) break;
  }
  assert.equal(unfinished(), 3);
  await assert.rejects(async () => {
    for await (const _item of queue) throw new RangeError("from the body");
  }, RangeError);
  assert.equal(unfinished(), 2);
  const scope = new CancelScope();
  await scope.run(async () => {
    for await (const _item of queue) {
      scope.cancel();
      await checkpoint();
    }
  });
  assert.deepEqual([unfinished(), scope.cancelledCaught], [1, true]);
  const other = new CancelScope();
  await other.run(async () => {
    for await (const _item of queue) other.cancel();
  });
  assert.equal(unfinished(), 0);
  group.startSoon(async () => {
    for await (const _item of queue);
  });
  queue.putNowait(6);
  await queue.join();
  queue.shutdown();
});

test("Queue: an order that throws fails the put or the get, and nothing is put or taken", async () => {
  let failing = false;
  const order = (a: number, b: number): number => {
    if (failing) throw new RangeError("cannot compare");
    return a - b;
  };
  const queue = createQueue<number>(3, { order });
  for (const item of [3, 1, 2]) queue.putNowait(item);
  failing = true;
  await assert.rejects(queue.get(), RangeError);
  assert.throws(() => queue.getNowait(), RangeError);
  await assert.rejects(queue[Symbol.asyncIterator]().next(), RangeError);
  assert.deepEqual([queue.statistics().size, queue.statistics().unfinished], [3, 3]);
  failing = false;
  assert.deepEqual(drained(queue), [1, 2, 3]);
  queue.putNowait(5);
  failing = true;
  await assert.rejects(queue.put(4), RangeError);
  assert.throws(() => queue.putNowait(4), RangeError);
  assert.equal(queue.statistics().size, 1);
});

test("Queue: an item that cannot be compared fails its own put, also when that has waited, and not the get that made room", async () => {
  const queue = createQueue<number | string>(2, { order: (a, b) => Number(a) - Number(b) });
  for (const item of [2, 1]) queue.putNowait(item);
  const odd = assert.rejects(queue.put("odd"), TypeError);
  const next = queue.put(3);
  assert.equal(await queue.get(), 1);
  await Promise.all([odd, next]);
  assert.deepEqual(drained(queue), [2, 3]);
  assert.equal(queue.statistics().unfinished, 3);
});

test("Queue: cancelled at every checkpoint, every item that was put was taken or is still there, and join agrees", async () => {
  for (const capacity of [1, 3]) {
    for (const order of ["fifo", "lifo", (a: number, b: number) => b - a] as const) {
      await cancelEverywhere(async (round) => {
        const queue = createQueue<number>(capacity, { order });
        const put: number[] = [];
        const got: number[] = [];
        round.after(() => {
          got.push(...drained(queue));
          const { tasksWaitingPut, tasksWaitingGet, tasksWaitingJoin } = queue.statistics();
          assert.deepEqual([tasksWaitingPut, tasksWaitingGet, tasksWaitingJoin], [0, 0, 0]);
          assert.deepEqual(
            got.toSorted((a, b) => a - b),
            put,
          );
          for (const _item of got) if (queue.statistics().unfinished > 0) queue.taskDone();
          assert.equal(queue.statistics().unfinished, 0);
        });
        await taskGroup(async (group) => {
          group.startSoon(async () => {
            for (let item = 0; item < 3; item++) {
              await queue.put(item);
              put.push(item);
            }
            await queue.join();
            queue.shutdown();
          });
          got.push(await queue.get());
          await checkpoint();
          queue.taskDone();
          for await (const item of queue) {
            got.push(item);
            await checkpoint();
          }
        });
      });
    }
  }
});

test(
  "Queue: a hundred thousand items of three producers go to four workers, each once, and all are joined",
  async (group) => {
    const queue = createQueue<number>(50);
    const seen = new Uint8Array(99_999);
    for (let worker = 0; worker < 4; worker++) {
      group.startSoon(async () => {
        for await (const item of queue) seen[item] = (seen[item] ?? 0) + 1;
      });
    }
    await taskGroup(async (producers) => {
      for (let producer = 0; producer < 3; producer++) {
        producers.startSoon(async () => {
          for (let n = 0; n < 33_333; n++) await queue.put(n * 3 + producer);
        });
      }
    });
    await queue.join();
    assert.ok(seen.every((count) => count === 1));
    queue.shutdown();
  },
  { skip: { backend: "simulator", reason: "each resumption is a turn of the host there" } },
);

nodeTest("Queue: works outside of any run (§1.5)", async () => {
  const queue = createQueue<number>(1);
  const getting = queue.get();
  await queue.put(1);
  assert.equal(await getting, 1);
  queue.taskDone();
  await queue.join();
});

nodeTest(
  "Queue.join: a taskDone that was forgotten is a deadlock that names the wait",
  async () => {
    await assert.rejects(
      run(
        async () => {
          const queue = createQueue<number>(1);
          queue.putNowait(1);
          queue.getNowait();
          await queue.join();
        },
        { backend: simulator({ seed: 1 }) },
      ),
      (error) => error instanceof DeadlockError && /queue\.join/.test(error.message),
    );
  },
);
