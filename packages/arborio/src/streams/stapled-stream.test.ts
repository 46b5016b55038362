import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
} from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { Event } from "../sync/event.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import type { ByteStream } from "./byte-stream.ts";
import { HookedByteStream } from "./hooked-byte-stream.ts";
import { createMemoryPipe } from "./memory-pipe.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";
import { StapledByteStream, StapledObjectStream } from "./stapled-stream.ts";

const test = onEveryBackend(nodeTest);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** One end of a pair whose close fails. */
function failing(message: string): [HookedByteStream, ByteStream] {
  const [left, right] = createMemoryStreamPair();
  const onClose = (): never => {
    throw new RangeError(message);
  };
  return [new HookedByteStream(left, { onClose }), right];
}

test("StapledByteStream.sendEof: closes the half that sends; receiving goes on; a second one does nothing", async () => {
  const [input, childInput] = createMemoryPipe();
  const [childOutput, output] = createMemoryPipe();
  const stapled = new StapledByteStream(input, output);
  await stapled.send(bytes(1));
  await assertCheckpoints(() => stapled.sendEof());
  await assertCheckpoints(() => stapled.sendEof());
  assert.equal((await childInput.receive())[0], 1);
  await assert.rejects(childInput.receive(), EndOfStream);
  await assert.rejects(stapled.send(bytes(1)), ClosedResourceError);
  await childOutput.send(bytes(2, 3));
  assert.equal((await stapled.receive(1))[0], 2);
  const view = new Uint8Array(2);
  assert.deepEqual([await stapled.receiveInto(view), view[0]], [1, 3]);
  stapled.close();
  await assert.rejects(stapled.sendEof(), ClosedResourceError);
  await assert.rejects(childOutput.send(bytes(1)), BrokenResourceError);
});

test("StapledByteStream.sendEof: cuts no send of another task; cancelled, it ended nothing", async (group) => {
  const [input, childInput] = createMemoryPipe({ capacity: 0 });
  const stapled = new StapledByteStream(input, createMemoryPipe()[1]);
  const sending = group.startSoon(() => stapled.send(bytes(1, 2)));
  await waitAllTasksBlocked();
  await assert.rejects(stapled.sendEof(), BusyResourceError);
  assert.equal((await childInput.receive()).length, 2);
  await sending.wait();
  await cancelEverywhere(async (round) => {
    const [sender, receiver] = createMemoryPipe();
    const stream = new StapledByteStream(sender, createMemoryPipe()[1]);
    let ended = false;
    round.after(() =>
      group.startSoon(async () => {
        if (ended) await assert.rejects(receiver.receive(), EndOfStream);
        else await stream.send(bytes(1));
      }),
    );
    await stream.sendEof();
    ended = true;
  });
});

test("StapledByteStream.sendEof: while it is about to end, nobody else sends or ends", async (group) => {
  const go = new Event();
  const [left, right] = createMemoryStreamPair();
  const slow = new HookedByteStream(left, { onSend: () => go.wait() });
  const stapled = new StapledByteStream(slow, createMemoryPipe()[1]);
  const ending = group.startSoon(() => stapled.sendEof());
  await waitAllTasksBlocked();
  await assert.rejects(stapled.send(bytes(1)), BusyResourceError);
  await assert.rejects(stapled.sendEof(), BusyResourceError);
  go.set();
  await ending.wait();
  await assert.rejects(right.receive(), EndOfStream);

  const [input, childInput] = createMemoryPipe({ capacity: 0 });
  const quick = new StapledByteStream(input, createMemoryPipe()[1]);
  const endingAtOnce = quick.sendEof();
  await assert.rejects(quick.send(bytes(1)), BusyResourceError);
  await endingAtOnce;
  await assert.rejects(childInput.receive(), EndOfStream);
});

test("StapledByteStream.close: closes both halves, even if closing the first one throws, or both", async () => {
  const [bad, badOther] = failing("first");
  const [good, goodOther] = createMemoryStreamPair();
  assert.throws(() => new StapledByteStream(bad, good).close(), /first/);
  for (const other of [badOther, goodOther]) await assert.rejects(other.receive(), EndOfStream);

  const [worse, worseOther] = failing("first");
  const [worst, worstOther] = failing("second");
  assert.throws(
    () => new StapledByteStream(worse, worst).close(),
    (error: unknown) => {
      assert.ok(error instanceof ExceptionGroup);
      assert.deepEqual(
        error.errors.map(({ message }: Error) => message),
        ["first", "second"],
      );
      return true;
    },
  );
  for (const other of [worseOther, worstOther]) await assert.rejects(other.receive(), EndOfStream);
});

test("StapledByteStream: await using closes both halves, even if the first one throws", async () => {
  const [bad, badOther] = failing("first");
  const [good, goodOther] = createMemoryStreamPair();
  await assert.rejects(async () => {
    await using _stapled = new StapledByteStream(bad, good);
  }, /first/);
  for (const other of [badOther, goodOther]) await assert.rejects(other.receive(), EndOfStream);
});

test("StapledObjectStream.close: closes both halves, even if closing the first one throws", async () => {
  const closed: string[] = [];
  const half = (name: string) => ({
    send: () => Promise.resolve(),
    receive: () => Promise.resolve(1),
    close(): void {
      closed.push(name);
      if (name === "sender") throw new RangeError(name);
    },
    [Symbol.dispose](): void {},
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false as const, value: 1 }),
    }),
  });
  const stapled = new StapledObjectStream<number>(half("sender"), half("receiver"));
  assert.throws(() => stapled.close(), RangeError);
  assert.deepEqual(closed, ["sender", "receiver"]);
});
