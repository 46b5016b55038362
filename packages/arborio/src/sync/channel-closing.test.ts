import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { BrokenResourceError, ClosedResourceError, EndOfStream } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { createChannel } from "./channel.ts";

const test = onEveryBackend(nodeTest);

test("SendChannel.close: the handle throws ClosedResourceError from then on; closing twice does nothing (§6)", async () => {
  const [sender, receiver] = createChannel<number>(1);
  const clone = sender.clone();
  sender.close();
  sender.close();
  sender[Symbol.dispose]();
  await assert.rejects(sender.send(1), ClosedResourceError);
  assert.throws(() => sender.sendNowait(1), ClosedResourceError);
  assert.throws(() => sender.clone(), ClosedResourceError);
  assert.equal(sender.statistics().openSendChannels, 1);
  await clone.send(2);
  assert.equal(await receiver.receive(), 2);
});

test("ReceiveChannel.close: the handle throws ClosedResourceError from then on; closing twice does nothing (§6)", async () => {
  const [sender, receiver] = createChannel<number>(1);
  const clone = receiver.clone();
  sender.sendNowait(1);
  receiver.close();
  receiver.close();
  receiver[Symbol.dispose]();
  await assert.rejects(receiver.receive(), ClosedResourceError);
  assert.throws(() => receiver.receiveNowait(), ClosedResourceError);
  assert.throws(() => receiver.clone(), ClosedResourceError);
  await assert.rejects(async () => {
    for await (const _item of receiver) assert.fail("an item");
  }, ClosedResourceError);
  assert.equal(receiver.statistics().openReceiveChannels, 1);
  assert.equal(await clone.receive(), 1);
});

test("SendChannel.close: a send blocked on this very handle gets ClosedResourceError, and its item is not sent (§6)", async () => {
  for (const capacity of [0, 1]) {
    const [sender, receiver] = createChannel<string>(capacity);
    const clone = sender.clone();
    for (let i = 0; i < capacity; i++) sender.sendNowait("buffered");
    const before = clone.send("before");
    const closed = assert.rejects(sender.send("never"), ClosedResourceError);
    const closedToo = assert.rejects(sender.send("never"), ClosedResourceError);
    const after = clone.send("after");
    sender.close();
    await Promise.all([closed, closedToo]);
    assert.equal(receiver.statistics().tasksWaitingSend, 2);
    for (let i = 0; i < capacity; i++) assert.equal(await receiver.receive(), "buffered");
    assert.equal(await receiver.receive(), "before");
    assert.equal(await receiver.receive(), "after");
    await Promise.all([before, after]);
  }
});

test("ReceiveChannel.close: a receive or for await blocked on this very handle gets ClosedResourceError, others go on (§6)", async () => {
  const [sender, receiver] = createChannel<string>(0);
  const clone = receiver.clone();
  const closed = assert.rejects(receiver.receive(), ClosedResourceError);
  const other = clone.receive();
  const loop = assert.rejects(async () => {
    for await (const _item of receiver) assert.fail("an item");
  }, ClosedResourceError);
  receiver.close();
  await Promise.all([closed, loop]);
  assert.equal(receiver.statistics().tasksWaitingReceive, 1);
  sender.sendNowait("for the clone");
  assert.equal(await other, "for the clone");
});

test("ReceiveChannel.close: when the last is gone, senders get BrokenResourceError, also blocked ones, and buffered items are dropped (§6)", async () => {
  const [sender, receiver] = createChannel<number>(1);
  const clone = receiver.clone();
  sender.sendNowait(1);
  const blocked = sender.send(2);
  receiver.close();
  assert.equal(sender.statistics().tasksWaitingSend, 1);
  const broken = assert.rejects(blocked, BrokenResourceError);
  clone.close();
  await broken;
  await assert.rejects(sender.send(3), BrokenResourceError);
  assert.throws(() => sender.sendNowait(3), BrokenResourceError);
  assert.deepEqual(sender.statistics(), {
    currentBufferUsed: 0,
    maxBufferSize: 1,
    openSendChannels: 1,
    openReceiveChannels: 0,
    tasksWaitingSend: 0,
    tasksWaitingReceive: 0,
  });
});

test("SendChannel.close: when the last is gone, receivers get the buffered items, then EndOfStream (§6)", async () => {
  const [sender, receiver] = createChannel<number>(2);
  const clone = sender.clone();
  sender.sendNowait(1);
  clone.sendNowait(2);
  sender.close();
  clone.close();
  assert.equal(await receiver.receive(), 1);
  assert.equal(receiver.receiveNowait(), 2);
  await assert.rejects(receiver.receive(), EndOfStream);
  assert.throws(() => receiver.receiveNowait(), EndOfStream);
});

test("SendChannel.close: when the last is gone, blocked receivers get EndOfStream (§6)", async () => {
  const [sender, receiver] = createChannel<number>(0);
  const clone = sender.clone();
  const ends = [receiver.receive(), receiver.clone().receive()].map((wait) =>
    assert.rejects(wait, EndOfStream),
  );
  sender.close();
  assert.equal(receiver.statistics().tasksWaitingReceive, 2);
  clone.close();
  await Promise.all(ends);
});

test("SendChannel.send: own handle closed counts before the receivers' being gone (§6)", async () => {
  const [sender, receiver] = createChannel<number>(0);
  receiver.close();
  sender.close();
  await assert.rejects(sender.send(1), ClosedResourceError);
});

test("SendChannel.close: a send woken, then its handle closed in the same turn: the item was sent (§2.4)", async () => {
  const [sender, receiver] = createChannel<number>(0);
  const sending = sender.send(1);
  assert.equal(receiver.receiveNowait(), 1);
  sender.close();
  await sending;
});

test("ReceiveChannel.close: a receive woken, then its handle closed in the same turn: it returns the item (§2.4)", async () => {
  const [sender, receiver] = createChannel<number>(0);
  const receiving = receiver.receive();
  sender.sendNowait(1);
  receiver.close();
  assert.equal(await receiving, 1);
});

test("SendChannel.close: closed, then cancelled in the same turn: ClosedResourceError; in the other order Cancelled (§2.4)", async () => {
  for (const closedFirst of [true, false]) {
    const [sender] = createChannel<number>(0);
    const scope = new CancelScope();
    let error: unknown;
    const sending = scope.run(() => sender.send(1).catch((reason: unknown) => (error = reason)));
    if (closedFirst) sender.close();
    scope.cancel();
    sender.close();
    await sending;
    assert.equal(error instanceof ClosedResourceError, closedFirst);
  }
});

test("Channel: closing 2,000 clones whose sends are blocked in one queue takes no time to speak of", async () => {
  const [sender] = createChannel<number>(0);
  const clones = Array.from({ length: 2000 }, () => sender.clone());
  const rejected = clones.map((clone) => assert.rejects(clone.send(1), ClosedResourceError));
  for (const clone of clones.toReversed()) clone.close();
  await Promise.all(rejected);
  assert.deepEqual(
    [sender.statistics().openSendChannels, sender.statistics().tasksWaitingSend],
    [1, 0],
  );
});

test("Channel: clones of both ends are counted, and each is closed by itself", async () => {
  const [sender, receiver] = createChannel<number>(0);
  const { openSendChannels, openReceiveChannels } = sender.statistics();
  assert.deepEqual([openSendChannels, openReceiveChannels], [1, 1]);
  {
    using _sender = sender.clone();
    using _receiver = receiver.clone();
    assert.equal(sender.statistics().openSendChannels, 2);
    assert.equal(sender.statistics().openReceiveChannels, 2);
  }
  assert.equal(sender.statistics().openSendChannels, 1);
  await waitAllTasksBlocked();
  assert.equal(sender.statistics().openReceiveChannels, 1);
});
