import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
  SystemError,
} from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { createMemoryPipe } from "./memory-pipe.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";
import { createObjectStreamPair } from "./object-stream-pair.ts";

const test = onEveryBackend(nodeTest);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test("createMemoryStreamPair: send waits exactly while more than `capacity` bytes are not received", async (group) => {
  const [left, right] = createMemoryStreamPair({ capacity: 4 });
  await left.send(bytes(1, 2, 3, 4));
  const sending = group.startSoon(() => left.send(bytes(5, 6, 7)));
  const isPending = async (): Promise<boolean> => {
    await waitAllTasksBlocked();
    return sending.status === "pending";
  };
  assert.equal(await isPending(), true);
  assert.equal((await right.receive(1)).length, 1);
  assert.equal(await isPending(), true);
  assert.equal(await right.receiveInto(new Uint8Array(1)), 1);
  assert.equal(await isPending(), true);
  assert.equal((await right.receive(1)).length, 1);
  assert.equal(await isPending(), false);
  const rest: number[] = [];
  while (rest.length < 4) rest.push(...(await right.receive()));
  assert.deepEqual(rest, [4, 5, 6, 7]);
});

test("createMemoryStreamPair: with a capacity of 0, send ends when the other side has received everything", async (group) => {
  const [left, right] = createMemoryStreamPair({ capacity: 0 });
  const receivers: readonly (() => Promise<unknown>)[] = [
    () => right.receive(1),
    () => right.receiveInto(new Uint8Array(1)),
    () => right[Symbol.asyncIterator]().next(),
  ];
  for (const isWaiting of [false, true]) {
    for (const receive of receivers) {
      const receiving = isWaiting ? group.startSoon(receive) : null;
      if (isWaiting) await waitAllTasksBlocked();
      const sending = group.startSoon(() => left.send(bytes(1)));
      await waitAllTasksBlocked();
      assert.equal(sending.status, isWaiting ? "finished" : "pending");
      await (receiving === null ? receive() : receiving.wait());
      await sending.wait();
    }
  }
  const sending = group.startSoon(() => left.send(bytes(1, 2)));
  await right.receive(1);
  await waitAllTasksBlocked();
  assert.equal(sending.status, "pending");
  await right.receive(1);
  await sending.wait();
});

test("createMemoryStreamPair: with a capacity of Infinity, send never waits", async () => {
  const [left, right] = createMemoryStreamPair({ capacity: Infinity });
  await left.send(new Uint8Array(1_000_000));
  await left.send(new Uint8Array(1_000_000));
  left.close();
  let count = 0;
  for await (const chunk of right) count += chunk.length;
  assert.equal(count, 2_000_000);
});

test("createMemoryStreamPair: a capacity that is no whole number from 0 on, and other wrong options, are errors", () => {
  for (const create of [createMemoryStreamPair, createMemoryPipe]) {
    for (const capacity of [-1, 0.5, Number.NaN])
      assert.throws(() => create({ capacity }), RangeError);
    assert.throws(() => create({ capacity: "1" as never }), TypeError);
    assert.throws(() => create({ held: 1 as never }), TypeError);
    assert.throws(() => create(1 as never), TypeError);
  }
});

test("MemoryStream.close: with bytes unread, the other side receives what was sent, then gets BrokenResourceError", async () => {
  for (const unread of [1, 100_000]) {
    const [left, right] = createMemoryStreamPair({ capacity: 100_000 });
    await left.send(bytes(1, 2, 3));
    await right.send(new Uint8Array(unread));
    left.close();
    assert.deepEqual([...(await right.receive())], [1, 2, 3]);
    await assert.rejects(right.receive(), (error: unknown) => {
      assert.ok(error instanceof BrokenResourceError);
      assert.ok(error.cause instanceof SystemError);
      assert.equal(error.cause.systemCode, "ECONNRESET");
      return true;
    });
    await assert.rejects(right.send(bytes(1)), BrokenResourceError);
  }
});

test("MemoryStream.close: with everything read, the other side gets EndOfStream; its next send fails, and it still ends in order", async () => {
  const [left, right] = createMemoryStreamPair({ capacity: 1_000_000 });
  await right.send(bytes(1));
  await left.receive();
  await left.send(new Uint8Array(200_000));
  left.close();
  await assert.rejects(right.send(bytes(2)), (error: unknown) => {
    assert.ok(error instanceof BrokenResourceError);
    assert.equal((error.cause as SystemError).systemCode, "EPIPE");
    return true;
  });
  let count = 0;
  for await (const chunk of right) count += chunk.length;
  assert.equal(count, 200_000);
  await assert.rejects(right.receive(), EndOfStream);
});

test("MemoryStream.close: a close on both sides, in any order, disturbs nobody", async () => {
  for (const eof of [true, false]) {
    const [left, right] = createMemoryStreamPair();
    if (eof) await left.sendEof();
    left.close();
    right.close();
    left.close();
    right.abort();
    await assert.rejects(right.receive(), ClosedResourceError);
  }
});

test("MemoryStream.abort: the other side gets BrokenResourceError in both directions, after what has arrived", async (group) => {
  const [left, right] = createMemoryStreamPair({ capacity: 10 });
  await left.send(bytes(1, 2));
  const sending = group.startSoon(() =>
    assert.rejects(right.send(new Uint8Array(100)), BrokenResourceError),
  );
  await waitAllTasksBlocked();
  left.abort();
  left.abort();
  await sending.wait();
  assert.equal((await right.receive()).length, 2);
  await assert.rejects(right.receive(), BrokenResourceError);
  await assert.rejects(left.receive(), ClosedResourceError);
});

test("MemoryStream.pump: what is held arrives as far as it is pumped, the end after it", async (group) => {
  const [left, right] = createMemoryStreamPair({ held: true });
  await left.send(bytes(1, 2, 3, 4, 5));
  await left.sendEof();
  assert.equal(left.heldBytes, 5);
  const receiving = group.startSoon(() => right.receive());
  await waitAllTasksBlocked();
  assert.equal(receiving.status, "pending");
  assert.equal(left.pump(0), 0);
  assert.equal(left.pump(2), 2);
  assert.deepEqual([...(await receiving.result())], [1, 2]);
  assert.equal(left.heldBytes, 3);
  const more = group.startSoon(() => right.receive());
  await waitAllTasksBlocked();
  assert.equal(more.status, "pending");
  left.close();
  assert.equal(left.pump(), 3);
  assert.deepEqual([...(await more.result())], [3, 4, 5]);
  await assert.rejects(right.receive(), EndOfStream);
  assert.equal(left.pump(), 0);
  assert.throws(() => left.pump(-1), RangeError);
});

test("MemoryStream.abort: what is held is lost, what was pumped is not", async () => {
  const [left, right] = createMemoryStreamPair({ held: true });
  await left.send(bytes(1, 2, 3));
  left.pump(2);
  left.abort();
  assert.deepEqual([...(await right.receive())], [1, 2]);
  await assert.rejects(right.receive(), BrokenResourceError);
  assert.equal(left.heldBytes, 0);
});

test("MemoryStream: held bytes count against the capacity", async (group) => {
  const [left, right] = createMemoryStreamPair({ capacity: 2, held: true });
  await left.send(bytes(1, 2));
  const sending = group.startSoon(() => left.send(bytes(3)));
  await waitAllTasksBlocked();
  left.pump();
  await waitAllTasksBlocked();
  assert.equal(sending.status, "pending");
  await right.receive();
  await sending.wait();
});

test("MemoryStream: a Buffer of Node is copied when sent", async () => {
  const [left, right] = createMemoryStreamPair();
  const large = Buffer.alloc(5000, 1);
  const sending = left.send(large);
  await sending;
  large.fill(2);
  const chunk = await right.receive();
  assert.deepEqual([Object.getPrototypeOf(chunk), chunk[0]], [Uint8Array.prototype, 1]);
});

test("MemoryStream: cancelled anywhere, a receive lost nothing, and a send broke the sending half or had no effect", async (group) => {
  for (const capacity of [0, 3, 100]) {
    await cancelEverywhere(async (round) => {
      const [left, right] = createMemoryStreamPair({ capacity });
      let sent = 0;
      let received = 0;
      round.after(() =>
        group.startSoon(async () => {
          // The next send tells whether the one that was cancelled had an effect.
          const next = group.startSoon(() =>
            left.send(bytes(9)).then(
              () => "sent",
              () => "broken",
            ),
          );
          const rest: number[] = [];
          const reading = group.startSoon(
            async () => {
              for (;;) rest.push(...(await right.receive()));
            },
            { daemon: true },
          );
          const outcome = await next.result();
          await waitAllTasksBlocked();
          reading.cancel();
          const came = received + rest.length - (outcome === "sent" ? 1 : 0);
          if (outcome === "sent") assert.equal(came, sent);
          else assert.ok(came > sent && came <= sent + 5, `${came} came, ${sent} were sent`);
        }),
      );
      await taskGroup(async (inner) => {
        inner.startSoon(async () => {
          for (let turn = 0; turn < 2; turn++) {
            await left.send(bytes(1, 2, 3, 4, 5));
            sent += 5;
          }
        });
        while (received < 10) received += (await right.receive(2)).length;
      });
    });
  }
});

test("createMemoryPipe: one end sends, the other receives; each learns of the other's end", async (group) => {
  const [sender, receiver] = createMemoryPipe({ capacity: 0 });
  const sending = group.startSoon(() =>
    assert.rejects(sender.send(bytes(1, 2)), BrokenResourceError),
  );
  assert.equal((await receiver.receive(1))[0], 1);
  await waitAllTasksBlocked();
  await assert.rejects(sender.send(bytes(1)), BusyResourceError);
  receiver.close();
  await sending.wait();

  const [second, secondReceiver] = createMemoryPipe();
  await second.send(bytes(1));
  second.close();
  await assert.rejects(second.send(bytes(1)), ClosedResourceError);
  const chunks: number[] = [];
  for await (const chunk of secondReceiver) chunks.push(...chunk);
  assert.deepEqual(chunks, [1]);

  const [third, thirdReceiver] = createMemoryPipe({ held: true });
  await third.send(bytes(1, 2));
  assert.deepEqual([third.heldBytes, third.pump(1)], [2, 1]);
  third.abort();
  assert.equal(await thirdReceiver.receiveInto(new Uint8Array(3)), 1);
  await assert.rejects(thirdReceiver.receive(), BrokenResourceError);

  const [fourth, fourthReceiver] = createMemoryPipe();
  fourthReceiver.abort();
  await waitAllTasksBlocked();
  await assert.rejects(fourth.send(bytes(1)), BrokenResourceError);
});

test("createMemoryStreamPair, held: nothing is held for a side that was closed before it came", async () => {
  const [near, far] = createMemoryStreamPair({ held: true });
  await near.send(bytes(1, 2, 3));
  assert.equal(near.pump(2), 2);
  far.close();
  assert.deepEqual([near.heldBytes, near.pump()], [0, 0]);
});

test("createMemoryPipe: using and await using close the ends", async () => {
  const [sender, receiver] = createMemoryPipe();
  {
    using _sender = sender;
    await using _receiver = receiver;
  }
  await assert.rejects(sender.send(bytes(1)), ClosedResourceError);
  await assert.rejects(receiver.receive(), ClosedResourceError);
});

test("createObjectStreamPair: items both ways, half-close, and the rules of channels", async (group) => {
  const [here, there] = createObjectStreamPair<number>(1);
  group.startSoon(async () => {
    for await (const item of there) await there.send(item * 2);
    await there.sendEof();
  });
  await here.send(1);
  await here.send(2);
  assert.deepEqual([await here.receive(), await here.receive()], [2, 4]);
  await here.sendEof();
  await here.sendEof();
  await assert.rejects(here.send(3), ClosedResourceError);
  await assert.rejects(here.receive(), EndOfStream);
  here.close();
  await assert.rejects(here.sendEof(), ClosedResourceError);
  await assert.rejects(here.receive(), ClosedResourceError);
  assert.throws(() => createObjectStreamPair(-1), /createObjectStreamPair: got -1/);
  const cancelled = new CancelScope();
  cancelled.cancel();
  const [first, second] = createObjectStreamPair<number>(1);
  await cancelled.run(() => first.sendEof());
  await first.send(1);
  assert.equal(await second.receive(), 1);
});
