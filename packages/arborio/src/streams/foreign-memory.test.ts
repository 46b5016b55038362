import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test as nodeTest } from "node:test";
import { sleep } from "../index.ts";
import {
  BufferedByteReceiveStream,
  type ByteReceiveStream,
  createMemoryStreamPair,
  fromIterable,
  fromNodeReadable,
  fromReadableStream,
  fromWritableStream,
  toReadableStream,
} from "../streams.ts";
import { onEveryBackend } from "../testing/every-backend.ts";

const test = onEveryBackend(nodeTest);

/** More than is collected with its neighbours. */
const LARGE_BYTES = 4000;

async function countOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  return (await new Response(stream).arrayBuffer()).byteLength;
}

async function firstBytes(stream: ByteReceiveStream): Promise<unknown[]> {
  const first: unknown[] = [];
  for await (const chunk of stream) {
    assert.equal(Object.getPrototypeOf(chunk), Uint8Array.prototype);
    first.push(chunk[0]);
  }
  return first;
}

describe("memory of what comes from others", () => {
  for (const size of [1, LARGE_BYTES]) {
    test(`fromIterable: a generator may fill the same ${size} bytes again, of any class`, async () => {
      for (const memory of [new Uint8Array(size), Buffer.alloc(size)]) {
        const stream = fromIterable(
          (function* () {
            for (let turn = 1; turn <= 3; turn++) {
              memory.fill(turn);
              // Between small ones, a large chunk is kept as it is.
              yield memory;
              if (size === 1) yield new Uint8Array(LARGE_BYTES).fill(turn);
            }
          })(),
        );
        // It reads ahead meanwhile.
        await sleep(1);
        assert.deepEqual(await firstBytes(stream), size === 1 ? [1, 1, 2, 2, 3, 3] : [1, 2, 3]);
      }
    });
  }

  test("fromIterable: the same chunk several times, and whoever receives changes it or transfers it", async () => {
    const block = new Uint8Array(LARGE_BYTES).fill(7);
    const stream = fromIterable([block, block]);
    (await stream.receive()).fill(9);
    assert.deepEqual([block[0], (await stream.receive())[0]], [7, 7]);
    assert.equal(
      await countOf(toReadableStream(fromIterable(Array(5).fill(block)))),
      5 * LARGE_BYTES,
    );
    assert.equal(block.length, LARGE_BYTES);
  });

  test("fromReadableStream: the other half of a tee keeps its bytes", async () => {
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let turn = 0; turn < 3; turn++) controller.enqueue(new Uint8Array(LARGE_BYTES));
        controller.close();
      },
    });
    const [one, other] = source.tee();
    assert.equal(await countOf(toReadableStream(fromReadableStream(one))), 3 * LARGE_BYTES);
    assert.equal(await countOf(other), 3 * LARGE_BYTES);
  });

  test("fromNodeReadable: what others wrote into a PassThrough is still theirs", async () => {
    const through = new PassThrough();
    const block = new Uint8Array(LARGE_BYTES);
    for (let turn = 0; turn < 3; turn++) through.write(block);
    through.end();
    assert.equal(await countOf(toReadableStream(fromNodeReadable(through))), 3 * LARGE_BYTES);
    assert.equal(block.length, LARGE_BYTES);
  });

  test("fromWritableStream: a Buffer that was sent may be changed, also while the sink keeps it", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
      undefined,
      { highWaterMark: 2 },
      { highWaterMark: 2 },
    );
    const sender = fromWritableStream(writable);
    const buffer = Buffer.alloc(2, 1);
    await sender.send(buffer);
    buffer.fill(2);
    const { value } = await readable.getReader().read();
    assert.deepEqual([...(value ?? [])], [1, 1]);
  });

  /** Ways to receive a part of what was sent. */
  const parts: Record<string, (stream: ByteReceiveStream) => Promise<Uint8Array>> = {
    "of what waits": async (stream) => {
      await sleep(1);
      return stream.receive(LARGE_BYTES / 2);
    },
    "of what comes": (stream) => stream.receive(LARGE_BYTES / 2),
    "of what is buffered": (stream) =>
      (stream as BufferedByteReceiveStream).receiveExactly(LARGE_BYTES / 2),
  };
  for (const [which, receive] of Object.entries(parts)) {
    test(`whoever received a part ${which} may transfer it: the rest keeps its bytes`, async () => {
      const [near, far] = createMemoryStreamPair();
      const stream = which.endsWith("buffered") ? new BufferedByteReceiveStream(far) : far;
      const receiving = receive(stream);
      await near.send(new Uint8Array(LARGE_BYTES).fill(7));
      const part = await receiving;
      structuredClone(part.buffer, { transfer: [part.buffer as ArrayBuffer] });
      await near.sendEof();
      const rest: number[] = [];
      for await (const chunk of stream) rest.push(...chunk);
      assert.deepEqual(rest, Array(LARGE_BYTES / 2).fill(7));
    });
  }
});
