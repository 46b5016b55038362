import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { BrokenResourceError, BusyResourceError, EndOfStream } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { shielded } from "../sync/shield.ts";
import { Event } from "../sync/event.ts";
import { sleep } from "../sync/timeouts.ts";
import { byteStreamConformance } from "../testing/byte-stream-conformance/index.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { type ByteStreamHooks, HookedByteStream } from "./hooked-byte-stream.ts";
import { createMemoryStreamPair, type MemoryStream } from "./memory-stream.ts";

const test = onEveryBackend(nodeTest);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function hooked(hooks: ByteStreamHooks): [HookedByteStream, MemoryStream] {
  const [left, right] = createMemoryStreamPair();
  return [new HookedByteStream(left, hooks), right];
}

byteStreamConformance(test, {
  name: "hooked, with chunks of 7,000 bytes and hooks that wait now and then",
  makePair() {
    const [left, right] = createMemoryStreamPair();
    let turn = 0;
    // A hook that waits at some of the calls: at all of them a test of 16 MiB would take a minute.
    const hook = (): unknown => (turn++ % 50 === 0 ? waitOneTurn() : undefined);
    const hooks = { chunkBytes: 7000, onSend: hook, onReceive: hook, onSendEof: hook };
    return [new HookedByteStream(left, hooks), new HookedByteStream(right, hooks)];
  },
  bufferedBytesMax: 262_144,
});

function waitOneTurn(): Promise<void> {
  return sleep(0);
}

test("HookedByteStream: hooks may throw at the right moment; nothing has happened then", async () => {
  let calls = 0;
  const hook = (): void => {
    if (++calls % 2 === 0) throw new BrokenResourceError("the cable is cut");
  };
  const [stream, other] = hooked({ onSend: hook, onReceive: hook, onSendEof: hook });
  await stream.send(bytes(1));
  await assert.rejects(stream.send(bytes(2)), /the cable is cut/);
  await stream.send(bytes(3));
  await assert.rejects(stream.sendEof(), /the cable is cut/);
  await other.send(bytes(4));
  assert.equal((await stream.receive())[0], 4);
  await assert.rejects(stream.receive(), /the cable is cut/);
  await stream.sendEof();
  const all: number[] = [];
  for await (const chunk of other) all.push(...chunk);
  assert.deepEqual(all, [1, 3]);
});

test("HookedByteStream: hooks see what is sent, and may delay it", async (group) => {
  const seen: number[][] = [];
  const released = new Event();
  const [stream, other] = hooked({
    async onSend(sent) {
      seen.push([...sent]);
      await released.wait();
    },
  });
  const sending = group.startSoon(() => stream.send(bytes(1, 2)));
  await waitAllTasksBlocked();
  await assert.rejects(stream.send(bytes(3)), BusyResourceError);
  assert.equal(sending.status, "pending");
  released.set();
  assert.equal((await other.receive()).length, 2);
  await sending.wait();
  assert.deepEqual(seen, [[1, 2]]);
  stream.hooks.onSend = undefined;
  await stream.send(bytes(3));
  let calls = 0;
  stream.hooks.onReceive = () => {
    calls += 1;
    return sleep(1);
  };
  const receiving = group.startSoon(() => stream.receive());
  await waitAllTasksBlocked();
  await assert.rejects(stream.receive(), BusyResourceError);
  await assert.rejects(stream.receiveInto(bytes(1)), BusyResourceError);
  await assert.rejects(stream[Symbol.asyncIterator]().next(), BusyResourceError);
  await other.send(bytes(4));
  assert.deepEqual([...(await receiving.result())], [4]);
  assert.equal(calls, 1);
});

test("HookedByteStream({ chunkBytes }): so many bytes are received at once, by whatever operation", async () => {
  const [left, right] = createMemoryStreamPair();
  const sizes = [1, 2, 3, 1, 50];
  const stream = new HookedByteStream(right, { chunkBytes: () => sizes.shift() ?? 1 });
  await left.send(new Uint8Array(10));
  await left.sendEof();
  assert.equal((await stream.receive()).length, 1);
  assert.equal(await stream.receiveInto(new Uint8Array(10)), 2);
  assert.equal((await stream[Symbol.asyncIterator]().next()).value?.length, 3);
  assert.equal((await stream.receive(2)).length, 1);
  assert.equal((await stream.receive(2)).length, 2);
  assert.equal((await stream.receive()).length, 1);
  await assert.rejects(stream.receive(), EndOfStream);
  stream.hooks.chunkBytes = 0;
  await assert.rejects(stream.receive(), /chunkBytes }\): got 0/);
});

test("HookedByteStream.close: closes, whatever onClose throws, and throws it", async () => {
  const onClose = (): never => {
    throw new RangeError("on closing");
  };
  const [first, firstOther] = hooked({ onClose });
  assert.throws(() => first.close(), /on closing/);
  await assert.rejects(firstOther.receive(), EndOfStream);
  const [second, secondOther] = hooked({ onClose });
  await assert.rejects(async () => {
    await using _stream = second;
  }, /on closing/);
  await assert.rejects(secondOther.receive(), EndOfStream);
});

test("HookedByteStream: cancelled before, no hook is called; cancelled within a hook, nothing has happened", async (group) => {
  await cancelEverywhere(async (round) => {
    const [stream, other] = hooked({ onSend: waitOneTurn, onReceive: waitOneTurn });
    let sent = 0;
    let received = 0;
    round.after(() =>
      group.startSoon(async () => {
        stream.hooks.onReceive = undefined;
        await stream.sendEof();
        for await (const chunk of other) sent -= chunk.length;
        await other.sendEof();
        for await (const chunk of stream) received += chunk.length;
        assert.deepEqual([sent, received], [0, 2]);
      }),
    );
    await shielded(() => other.send(bytes(1, 2)));
    await stream.send(bytes(1));
    sent += 1;
    while (received < 2) received += (await stream.receive(1)).length;
  });
  let calls = 0;
  const count = (): number => (calls += 1);
  const [stream] = hooked({ onSend: count, onReceive: count, onSendEof: count });
  for (const operation of [
    () => stream.send(bytes(1)),
    () => stream.receive(),
    () => stream.receiveInto(bytes(1)),
    () => stream[Symbol.asyncIterator]().next(),
    () => stream.sendEof(),
  ])
    await new CancelScope().run((scope) => {
      scope.cancel();
      return operation() as Promise<unknown>;
    });
  assert.equal(calls, 0);
});

test("HookedByteStream: wrong hooks are refused", () => {
  const [left] = createMemoryStreamPair();
  assert.throws(() => new HookedByteStream(left, { onSend: 1 as never }), TypeError);
  assert.throws(() => new HookedByteStream(left, undefined as never), TypeError);
});
