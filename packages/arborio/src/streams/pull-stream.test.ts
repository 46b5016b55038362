import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { EndOfStream, waitAllTasksBlocked } from "../index.ts";
import type { Completion } from "../platform/network.ts";
import type { ByteSource } from "../platform/standard-streams.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { PullStream } from "./pull-stream.ts";

const test = onEveryBackend(nodeTest);

/** A source whose reads the test completes. */
class HeldSource implements ByteSource {
  asked: Completion<Uint8Array | null> | null = null;

  read(_maxBytes: number, completion: Completion<Uint8Array | null>): () => void {
    this.asked = completion;
    return () => {};
  }

  close(): void {}
}

function transfer(view: Uint8Array<ArrayBuffer>): void {
  structuredClone(view.buffer, { transfer: [view.buffer] });
}

test("receiveInto: a view that was transferred meanwhile is an error; no byte is lost", async (group) => {
  const source = new HeldSource();
  const stream = new PullStream(source, "Held");
  const view = new Uint8Array(10);
  const receiving = group.startSoon(() =>
    assert.rejects(stream.receiveInto(view), {
      name: "TypeError",
      message: /Held\.receiveInto: the view has no bytes any more/,
    }),
  );
  await waitAllTasksBlocked();
  transfer(view);
  source.asked?.succeed(Uint8Array.of(1, 2, 3, 4, 5));
  await receiving.wait();
  assert.deepEqual(await stream.receive(1), Uint8Array.of(1));
  const into = new Uint8Array(2);
  assert.deepEqual([await stream.receiveInto(into), ...into], [2, 2, 3]);
  const iterator = stream[Symbol.asyncIterator]();
  assert.deepEqual(await iterator.next(), { done: false, value: Uint8Array.of(4, 5) });
  const ending = group.startSoon(() => assert.rejects(stream.receive(), EndOfStream));
  await waitAllTasksBlocked();
  source.asked?.succeed(null);
  await ending.wait();
});

test("receiveInto: a view that has shrunk meanwhile gets what has room; the rest comes next", async (group) => {
  const source = new HeldSource();
  const stream = new PullStream(source, "Held");
  const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
  const receiving = group.startSoon(() => stream.receiveInto(new Uint8Array(buffer)));
  await waitAllTasksBlocked();
  buffer.resize(2);
  source.asked?.succeed(Uint8Array.of(1, 2, 3));
  assert.equal(await receiving.result(), 2);
  assert.deepEqual(await stream.receive(), Uint8Array.of(3));
});
