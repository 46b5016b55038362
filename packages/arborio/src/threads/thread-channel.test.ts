import assert from "node:assert/strict";
import {
  BrokenResourceError,
  CapacityLimiter,
  ClosedResourceError,
  currentScope,
  EndOfStream,
  moveOnAfter,
  NotSupportedError,
  sleep,
  type TaskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import { assertCheckpoints } from "../testing.ts";
import { createThreadChannel, moduleAt, runInThread, type ThreadSendChannel } from "../threads.ts";
import { kitUrl, onHost, test } from "./on-threads.test.kit.ts";
import type * as Kit from "./thread-channel.test.kit.ts";

const kit = moduleAt<typeof Kit>(kitUrl("thread-channel"));

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Sends numbers, then closes. */
function feed(group: TaskGroup, sender: ThreadSendChannel<number>, count: number): void {
  group.startSoon(async () => {
    using _closing = sender;
    for (let n = 0; n < count; n++) await sender.send(n);
  });
}

test("thread channel: carries items to a worker and back", async (group) => {
  const [toWorker, from] = createThreadChannel<number>(2);
  const [to, fromWorker] = createThreadChannel<number>(0);
  feed(group, toWorker, 100);
  const call = group.startSoon(() => runInThread(kit, "double", { args: [{ from, to }] }));
  const got: number[] = [];
  for await (const n of fromWorker) got.push(n);
  assert.deepEqual(
    got,
    numbers(100).map((n) => 2 * n),
  );
  assert.equal(await call.result(), 100);
});

test(
  "thread channel: blocks a worker that is synchronous",
  async (group) => {
    const [toWorker, from] = createThreadChannel<number>(2);
    const [to, fromWorker] = createThreadChannel<number>(0);
    feed(group, toWorker, 100);
    const call = group.startSoon(() => runInThread(kit, "doubleSync", { args: [{ from, to }] }));
    const got: number[] = [];
    for await (const n of fromWorker) got.push(n);
    assert.deepEqual(
      got,
      numbers(100).map((n) => 2 * n),
    );
    assert.equal(await call.result(), "EndOfStream");
  },
  onHost,
);

test("thread channel: in one loop it is a channel", async () => {
  const [sender, receiver] = createThreadChannel<number>(1);
  await assertCheckpoints(() => sender.send(1));
  await assertCheckpoints(() => receiver.receive());
  sender.sendSync(2);
  assert.throws(() => sender.sendSync(3), NotSupportedError);
  assert.equal(receiver.receiveSync(), 2);
  assert.throws(() => receiver.receiveSync(), NotSupportedError);
  assert.deepEqual(sender.statistics(), {
    currentBufferUsed: 0,
    maxBufferSize: 1,
    openSendChannels: 1,
    openReceiveChannels: 1,
    tasksWaitingSend: 0,
    tasksWaitingReceive: 0,
  });
  await sender.send(4);
  assert.equal(await moveOnAfter(1, () => sender.send(5)), undefined);
  const second = sender.clone();
  sender.close();
  await assert.rejects(sender.send(6), ClosedResourceError);
  assert.throws(() => sender.clone(), ClosedResourceError);
  assert.throws(() => sender.handOver(), ClosedResourceError);
  assert.equal(await receiver.receive(), 4);
  second.close();
  await assert.rejects(receiver.receive(), EndOfStream);
  assert.throws(() => receiver.receiveSync(), EndOfStream);
  for await (const _ of receiver) assert.fail();
});

test("thread channel: closing an end of one loop ends the waits on it", async (group) => {
  const [sender, receiver] = createThreadChannel<number>(0);
  const outcomes: string[] = [];
  const waits = (fn: () => Promise<unknown>): void =>
    void group.startSoon(async () => {
      outcomes.push(
        await fn().then(
          () => "ended",
          (error: Error) => error.name,
        ),
      );
    });
  const mine = receiver.clone();
  waits(() => mine.receive());
  await waitAllTasksBlocked();
  mine.close();
  await waitAllTasksBlocked();
  waits(() => sender.send(1));
  await waitAllTasksBlocked();
  receiver.close();
  await waitAllTasksBlocked();
  assert.deepEqual(outcomes, ["ClosedResourceError", "BrokenResourceError"]);
  await assert.rejects(sender.send(2), BrokenResourceError);
});

test("thread channel: items are copied when they are sent, also in one loop", async () => {
  const [sender, receiver] = createThreadChannel<{ list: number[]; bytes: Uint8Array }>(1);
  const item = { list: [1], bytes: new Uint8Array([7]) };
  await sender.send(item, { transfer: [item.bytes.buffer] });
  item.list.push(2);
  assert.equal(item.bytes.length, 0);
  assert.deepEqual(await receiver.receive(), { list: [1], bytes: new Uint8Array([7]) });
  await assert.rejects(sender.send((() => {}) as never), { name: "DataCloneError" });
  assert.throws(() => sender.sendSync(sender as never), { name: "DataCloneError" });
  assert.equal(sender.statistics().currentBufferUsed, 0);
});

test("thread channel: an item that cannot be cloned fails the send alone", async (group) => {
  const [to, receiver] = createThreadChannel<unknown>(1);
  const sync = currentScope().task.runState.backend.name === "simulator";
  const call = group.startSoon(() => runInThread(kit, "sendUncloneable", { args: [to] }));
  assert.equal(await receiver.receive(), "fine");
  assert.deepEqual(await call.result(), [
    "DataCloneError",
    sync ? "NotSupportedError" : "DataCloneError",
    "DataCloneError",
  ]);
});

test("thread channel: bytes change hands", async (group) => {
  const [to, receiver] = createThreadChannel<Uint8Array<ArrayBuffer>>(0);
  const call = group.startSoon(() => runInThread(kit, "sendBytes", { args: [to] }));
  assert.deepEqual(await receiver.receive(), new Uint8Array([1, 2, 3]));
  assert.deepEqual(await receiver.receive(), new Uint8Array([1, 2, 3]));
  assert.deepEqual(await call.result(), [3, 0]);
});

test("thread channel: capacity counts for all threads together", async (group) => {
  const [to, receiver] = createThreadChannel<string>(3);
  const limiter = new CapacityLimiter(3);
  for (const [who, end] of [
    ["a", to.clone()],
    ["b", to.clone()],
    ["c", to],
  ] as const)
    group.startSoon(() => runInThread(kit, "produce", { args: [end, who, 5], limiter }));
  while (receiver.statistics().tasksWaitingSend < 3) await sleep(1);
  const { currentBufferUsed, tasksWaitingSend, openSendChannels } = receiver.statistics();
  assert.deepEqual([currentBufferUsed, tasksWaitingSend, openSendChannels], [3, 3, 3]);
  const got: string[] = [];
  for await (const item of receiver) {
    got.push(item);
    assert.ok(receiver.statistics().currentBufferUsed <= 3);
  }
  assert.equal(new Set(got).size, 15);
  for (const who of ["a", "b", "c"])
    assert.deepEqual(
      got.filter((item) => item.startsWith(who)),
      numbers(5).map((n) => `${who} ${n}`),
    );
});
