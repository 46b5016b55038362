import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { NotSupportedError, waitAllTasksBlocked } from "../index.ts";
import { createMemoryStreamPair, fromIterable, fromNodeReadable } from "../streams.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { Readable } from "node:stream";
import type { WireStream } from "./wire-stream.ts";

const test = onEveryBackend(nodeTest);

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test("send, sendEof: what a stream that only receives throws is a rejection, and receiving goes on", async () => {
  const streams = [
    fromIterable([bytes(1), bytes(2)]),
    fromNodeReadable(Readable.from([bytes(1), bytes(2)], { objectMode: false })),
  ];
  for (const stream of streams as WireStream[]) {
    for (const operation of [() => stream.send(bytes(0)), () => stream.sendEof()]) {
      for (let again = 0; again < 2; again++) {
        const sending = operation();
        await assert.rejects(sending, NotSupportedError);
      }
    }
    assert.deepEqual([(await stream.receive(1))[0], (await stream.receive(1))[0]], [1, 2]);
    stream.close();
  }
});

test("receiveInto: a view that was transferred meanwhile is an error; no byte is lost", async (group) => {
  const [left, right] = createMemoryStreamPair();
  const view = new Uint8Array(10);
  const receiving = group.startSoon(() =>
    assert.rejects(right.receiveInto(view), (error: unknown) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, /the view has no bytes any more/);
      return true;
    }),
  );
  await waitAllTasksBlocked();
  structuredClone(view.buffer, { transfer: [view.buffer] });
  await left.send(bytes(1, 2, 3));
  await receiving.wait();
  assert.deepEqual(await right.receive(), bytes(1, 2, 3));
  const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 4);
  await left.send(bytes(4, 5));
  assert.equal(await right.receiveInto(shared), 2);
  assert.deepEqual([...new Uint8Array(shared.buffer)], [0, 0, 4, 5, 0, 0, 0, 0]);
});
