import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { BrokenResourceError, EndOfStream } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { BufferedByteReceiveStream } from "./buffered-byte-stream.ts";
import type { ByteReceiveStream } from "./byte-stream.ts";
import { copyStream } from "./copy-stream.ts";
import { HookedByteStream } from "./hooked-byte-stream.ts";
import { createMemoryPipe, type MemoryReceiveStream } from "./memory-pipe.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";

const test = onEveryBackend(nodeTest);

/** 0, 1, 2 … of which one that is lost or doubled is seen. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, place) => place % 251);
}

/** A stream on which `pattern(length)` comes, and then the end. */
async function filled(length: number): Promise<MemoryReceiveStream> {
  const [sender, receiver] = createMemoryPipe({ capacity: Infinity });
  await sender.send(pattern(length));
  sender.close();
  return receiver;
}

async function receiveAll(stream: ByteReceiveStream): Promise<number[]> {
  const all: number[] = [];
  for await (const chunk of stream) all.push(...chunk);
  return all;
}

test("copyStream: copies until the end, tells its progress, and closes neither", async (group) => {
  const from = await filled(1000);
  const [sender, receiver] = createMemoryPipe({ capacity: 0 });
  const progress: number[] = [];
  const copying = group.startSoon(() =>
    copyStream(from, sender, { bufferBytes: 300, onProgress: (copied) => progress.push(copied) }),
  );
  const all: number[] = [];
  while (all.length < 1000) all.push(...(await receiver.receive()));
  assert.deepEqual(all, [...pattern(1000)]);
  assert.equal(await copying.result(), 1000);
  assert.deepEqual(progress, [300, 600, 900, 1000]);
  group.startSoon(() => sender.send(pattern(1)));
  assert.equal((await receiver.receive()).length, 1);
  await assert.rejects(from.receive(), EndOfStream);
});

test("copyStream({ end }): passes the end on, by sendEof or by close", async () => {
  const [left, right] = createMemoryStreamPair();
  assert.equal(await copyStream(await filled(10), left, { end: true }), 10);
  assert.equal((await receiveAll(right)).length, 10);
  await right.send(pattern(1));
  assert.equal((await left.receive()).length, 1, "only one direction has ended");
  const [sender, receiver] = createMemoryPipe();
  assert.equal(await copyStream(await filled(0), sender, { end: true }), 0);
  assert.deepEqual(await receiveAll(receiver), []);
});

test("copyStream: receives the next chunk when the one before is sent", async (group) => {
  const [source, from] = createMemoryPipe({ capacity: 0 });
  const [to, target] = createMemoryPipe({ capacity: 0 });
  group.startSoon(() => copyStream(from, to), { daemon: true });
  await source.send(pattern(5));
  const second = group.startSoon(() => source.send(pattern(5)));
  await waitAllTasksBlocked();
  assert.equal(second.status, "pending", "a slow receiver slows the sender down");
  await target.receive();
  await second.wait();
});

test("copyStream: cancelled while it sends, one chunk is gone, or back in a stream that can take it back", async () => {
  for (const canTakeBack of [true, false]) {
    const below = await filled(100);
    const from = canTakeBack ? new BufferedByteReceiveStream(below) : below;
    const [to, target] = createMemoryPipe({ capacity: 15 });
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      group.startSoon(() => scope.run(() => copyStream(from, to, { bufferBytes: 10 })));
      await waitAllTasksBlocked();
      scope.cancel();
    });
    const rest = await receiveAll(from);
    assert.deepEqual(rest, [...pattern(100)].slice(canTakeBack ? 10 : 20));
    assert.deepEqual([...(await target.receive()), ...(await target.receive())], [...pattern(20)]);
    await assert.rejects(to.send(pattern(1)), BrokenResourceError);
  }
});

test("copyStream: cancelled anywhere, from a stream that takes back, no byte is lost", async (group) => {
  await cancelEverywhere(async (round) => {
    const from = new BufferedByteReceiveStream(await filledFreely(group, 50));
    const [to, target] = createMemoryPipe();
    round.after(() =>
      group.startSoon(async () => {
        const rest = await receiveAll(from);
        to.close();
        const copied = await receiveAll(target);
        assert.deepEqual([...copied, ...rest], [...pattern(50)]);
      }),
    );
    assert.equal(await copyStream(from, to, { bufferBytes: 20 }), 50);
  });
});

/** As `filled`, in a task that the sweep does not cancel. */
async function filledFreely(
  group: { startSoon: (fn: () => Promise<void>) => unknown },
  length: number,
): Promise<MemoryReceiveStream> {
  const [sender, receiver] = createMemoryPipe();
  group.startSoon(async () => {
    await sender.send(pattern(length));
    sender.close();
  });
  return receiver;
}

test("copyStream: failures of either side, and of onProgress, come out; the chunk is given back", async () => {
  const [left, right] = createMemoryStreamPair();
  right.abort();
  await assert.rejects(copyStream(left, createMemoryPipe()[0]), BrokenResourceError);

  const from = new BufferedByteReceiveStream(await filled(10));
  const [near] = createMemoryStreamPair();
  const onSend = (): never => {
    from.close();
    throw new RangeError("no");
  };
  await assert.rejects(copyStream(from, new HookedByteStream(near, { onSend })), /no/);

  const onProgress = (): never => {
    throw new RangeError("enough");
  };
  await assert.rejects(copyStream(await filled(10), near, { onProgress }), /enough/);
});

test("copyStream: wrong options are refused, and change nothing", async () => {
  const from = await filled(3);
  const [to] = createMemoryPipe();
  await assert.rejects(copyStream(from, to, { bufferBytes: 0 }), RangeError);
  await assert.rejects(copyStream(from, to, { bufferBytes: Infinity }), RangeError);
  await assert.rejects(copyStream(from, to, { onProgress: 1 as never }), TypeError);
  await assert.rejects(copyStream(from, to, { end: 1 as never }), TypeError);
  await assert.rejects(copyStream(from, to, 5 as never), TypeError);
  assert.equal((await receiveAll(from)).length, 3);
});
