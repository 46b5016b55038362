import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { EndOfStream, WouldBlock } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { createChannel } from "./channel.ts";

const test = onEveryBackend(nodeTest);

test("createChannel: a capacity that is no whole number from 0 on, or Infinity, is an error (§6)", () => {
  for (const capacity of [-1, 0.5, Number.NaN, -Infinity])
    assert.throws(() => createChannel(capacity), RangeError);
  for (const capacity of [undefined, null, "1", 1n])
    assert.throws(() => createChannel(capacity as never), TypeError);
  for (const capacity of [0, 1, Infinity])
    assert.equal(createChannel(capacity)[0].statistics().maxBufferSize, capacity);
});

test("SendChannel.send: with capacity 0 waits until the item is received (§6)", async () => {
  const [sender, receiver] = createChannel<string>(0);
  let sent = false;
  const sending = sender.send("a").then(() => (sent = true));
  await waitAllTasksBlocked();
  assert.deepEqual([sent, sender.statistics().tasksWaitingSend], [false, 1]);
  assert.equal(await receiver.receive(), "a");
  await sending;
  const receiving = receiver.receive();
  assert.equal(receiver.statistics().tasksWaitingReceive, 1);
  await sender.send("b");
  assert.equal(await receiving, "b");
});

test("SendChannel.send: waits only while the buffer is full; blocked items move up in their order (§6)", async () => {
  const [sender, receiver] = createChannel<number>(2);
  await sender.send(1);
  await sender.send(2);
  const blocked = [sender.send(3), sender.send(4)];
  await waitAllTasksBlocked();
  assert.deepEqual(sender.statistics(), {
    currentBufferUsed: 2,
    maxBufferSize: 2,
    openSendChannels: 1,
    openReceiveChannels: 1,
    tasksWaitingSend: 2,
    tasksWaitingReceive: 0,
  });
  assert.equal(await receiver.receive(), 1);
  assert.deepEqual(
    [receiver.statistics().currentBufferUsed, receiver.statistics().tasksWaitingSend],
    [2, 1],
  );
  await blocked[0];
  for (const expected of [2, 3, 4]) assert.equal(await receiver.receive(), expected);
  await blocked[1];
});

test("SendChannel.send: with capacity Infinity never waits (§6)", async () => {
  const [sender, receiver] = createChannel<number>(Infinity);
  for (let n = 0; n < 10_000; n++) sender.sendNowait(n);
  for (let n = 0; n < 10_000; n++) assert.equal(receiver.receiveNowait(), n);
});

test("SendChannel.send, ReceiveChannel.receive: are checkpoints also when they need not wait, and take effect at once (§2.1, §2.5)", async () => {
  const [sender, receiver] = createChannel<number>(1);
  await assertCheckpoints(() => sender.send(1));
  await assertCheckpoints(() => receiver.receive());
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await sender.send(2);
  });
  assert.equal(sender.statistics().currentBufferUsed, 0);
  const sending = sender.send(3);
  assert.equal(sender.statistics().currentBufferUsed, 1);
  const other = new CancelScope();
  other.cancel();
  await other.run(() => receiver.receive());
  assert.equal(sender.statistics().currentBufferUsed, 1);
  const receiving = receiver.receive();
  assert.equal(sender.statistics().currentBufferUsed, 0);
  assert.deepEqual(await Promise.all([sending, receiving]), [undefined, 3]);
});

test("SendChannel.sendNowait: sends if that need not wait, throws WouldBlock otherwise, and is no checkpoint", async () => {
  const [sender, receiver] = createChannel<number>(1);
  const scope = new CancelScope();
  await scope.run(() => {
    scope.cancel();
    sender.sendNowait(1);
    assert.throws(() => sender.sendNowait(2), WouldBlock);
  });
  assert.equal(receiver.receiveNowait(), 1);
  const receiving = receiver.receive();
  sender.sendNowait(3);
  assert.equal(await receiving, 3);
});

test("ReceiveChannel.receiveNowait: takes from the buffer and from blocked senders, throws WouldBlock otherwise", async () => {
  for (const capacity of [0, 1]) {
    const [sender, receiver] = createChannel<number>(capacity);
    assert.throws(() => receiver.receiveNowait(), WouldBlock);
    const sending = [sender.send(1), sender.send(2)];
    assert.equal(receiver.receiveNowait(), 1);
    assert.equal(receiver.receiveNowait(), 2);
    assert.throws(() => receiver.receiveNowait(), WouldBlock);
    await Promise.all(sending);
  }
});

test("ReceiveChannel.receiveNowait: gets nothing that was handed to a waiting receiver (§6)", async () => {
  const [sender, receiver] = createChannel<number>(5);
  const receiving = receiver.receive();
  sender.sendNowait(1);
  assert.throws(() => receiver.receiveNowait(), WouldBlock);
  assert.equal(await receiving, 1);
});

test("Channel: undefined is an item, through a buffer, a rendezvous and for await", async () => {
  const [sender, receiver] = createChannel<undefined>(1);
  await sender.send(undefined);
  assert.equal(await receiver.receive(), undefined);
  const receiving = receiver.receive();
  await sender.send(undefined);
  assert.equal(await receiving, undefined);
  await sender.send(undefined);
  sender.close();
  let items = 0;
  for await (const item of receiver) {
    assert.equal(item, undefined);
    items += 1;
  }
  assert.equal(items, 1);
});

test("Channel: each item goes to one receiver, to the one that has waited longest (§6)", async () => {
  const [sender, receiver] = createChannel<number>(0);
  const clone = receiver.clone();
  const received = [receiver.receive(), clone.receive(), receiver.receive()];
  for (const item of [1, 2, 3]) await sender.send(item);
  assert.deepEqual(await Promise.all(received), [1, 2, 3]);
});

test("ReceiveChannel: for await receives until the last sender has closed", async (group) => {
  const [sender, receiver] = createChannel<number>(2);
  group.startSoon(async () => {
    using _closing = sender;
    for (let n = 0; n < 10; n++) await sender.send(n);
  });
  const received: number[] = [];
  for await (const item of receiver) received.push(item);
  assert.deepEqual(received, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for await (const _item of receiver) assert.fail("an item after the end");
});

test("ReceiveChannel: for await that waits when the last sender closes just ends", async () => {
  const [sender, receiver] = createChannel<number>(0);
  const loop = (async () => {
    for await (const _item of receiver) assert.fail("an item");
    return "ended";
  })();
  await waitAllTasksBlocked();
  sender.close();
  assert.equal(await loop, "ended");
});

test("ReceiveChannel: leaving for await early closes nothing (§6)", async () => {
  const [sender, receiver] = createChannel<number>(3);
  for (const item of [1, 2, 3]) sender.sendNowait(item);
  for await (const item of receiver) {
    assert.equal(item, 1);
    break;
  }
  await assert.rejects(async () => {
    for await (const _item of receiver) throw new RangeError("from the body");
  }, RangeError);
  assert.equal(await receiver.receive(), 3);
  assert.equal(receiver.statistics().openReceiveChannels, 1);
});

test("ReceiveChannel: for await in a cancelled scope throws and takes no item (§2.2)", async () => {
  const [sender, receiver] = createChannel<number>(3);
  for (const item of [1, 2, 3]) sender.sendNowait(item);
  const scope = new CancelScope();
  const received: number[] = [];
  await scope.run(async () => {
    for await (const item of receiver) {
      received.push(item);
      scope.cancel();
    }
  });
  assert.deepEqual([received, scope.cancelledCaught], [[1], true]);
  assert.equal(receiver.receiveNowait(), 2);
});

test("Channel.statistics: is a frozen snapshot, the same from both ends", () => {
  const [sender, receiver] = createChannel<number>(1);
  const before = sender.statistics();
  assert.ok(Object.isFrozen(before));
  sender.sendNowait(1);
  receiver.clone();
  assert.equal(before.currentBufferUsed, 0);
  assert.deepEqual(sender.statistics(), receiver.statistics());
  assert.deepEqual(sender.statistics(), {
    currentBufferUsed: 1,
    maxBufferSize: 1,
    openSendChannels: 1,
    openReceiveChannels: 2,
    tasksWaitingSend: 0,
    tasksWaitingReceive: 0,
  });
});

test("Channel: cancelled at every checkpoint, every item that was sent was received or is still there", async () => {
  for (const capacity of [0, 1, 3]) {
    await cancelEverywhere(async (round) => {
      const [sender, receiver] = createChannel<number>(capacity);
      const sent: number[] = [];
      const received: number[] = [];
      round.after(() => {
        const { tasksWaitingSend, tasksWaitingReceive } = sender.statistics();
        assert.deepEqual([tasksWaitingSend, tasksWaitingReceive], [0, 0]);
        while (receiver.statistics().currentBufferUsed > 0) received.push(receiver.receiveNowait());
        assert.deepEqual(received, sent);
      });
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          for (let item = 0; item < 3; item++) {
            await sender.send(item);
            sent.push(item);
          }
        });
        for (let i = 0; i < 3; i++) {
          received.push(await receiver.receive());
          await checkpoint();
        }
      });
    });
  }
});

test(
  "Channel: a million items arrive in their order",
  async (group) => {
    const [sender, receiver] = createChannel<number>(100);
    group.startSoon(async () => {
      for (let item = 0; item < 1_000_000; item++) await sender.send(item);
      sender.close();
    });
    let expected = 0;
    for await (const item of receiver) {
      if (item !== expected) assert.fail(`got ${item}, needed ${expected}`);
      expected += 1;
    }
    assert.equal(expected, 1_000_000);
  },
  { skip: { backend: "simulator", reason: "each resumption is a turn of the host there" } },
);

test("Channel: works in flows whose scope has closed, as far as it is synchronous (§1.5)", async () => {
  const [sender, receiver] = createChannel<number>(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  let late: Promise<void> | undefined;
  await new CancelScope().run(() => {
    late = promise.then(() => {
      sender.sendNowait(1);
      assert.equal(receiver.receiveNowait(), 1);
      sender.clone().close();
      sender.close();
      assert.throws(() => receiver.receiveNowait(), EndOfStream);
      receiver.close();
    });
  });
  resolve();
  await late;
});

nodeTest("Channel: works outside of any run (§1.5)", async () => {
  const [sender, receiver] = createChannel<number>(0);
  const receiving = receiver.receive();
  await sender.send(1);
  assert.equal(await receiving, 1);
});
