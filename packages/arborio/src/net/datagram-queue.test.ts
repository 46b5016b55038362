import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Datagram,
  DatagramQueue,
  type QueueLimits,
  queueLimits,
  STOPPING,
} from "./datagram-queue.ts";

const ADDRESS = { host: "127.0.0.1", port: 1 };

function datagram(bytes: number): Datagram {
  return { data: new Uint8Array(bytes), address: ADDRESS };
}

/** Adds datagrams of these sizes, and tells the sizes that are kept. */
function keep(queue: DatagramQueue, ...sizes: number[]): number[] {
  for (const size of sizes) queue.add(datagram(size));
  const kept: number[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) kept.push(one.data.length);
  return kept;
}

test("DatagramQueue: drop-oldest makes room for what comes, by number and by bytes", () => {
  const byNumber = new DatagramQueue({ datagrams: 2, bytes: 100, overflow: "drop-oldest" });
  assert.deepEqual([keep(byNumber, 1, 2, 3, 4), byNumber.dropped], [[3, 4], 2]);
  const byBytes = new DatagramQueue({ datagrams: 9, bytes: 100, overflow: "drop-oldest" });
  assert.deepEqual([keep(byBytes, 40, 30, 30, 60), byBytes.dropped], [[30, 60], 2]);
});

test("DatagramQueue: drop-newest keeps what is there, by number and by bytes; a smaller one may still find room", () => {
  const byNumber = new DatagramQueue({ datagrams: 2, bytes: 100, overflow: "drop-newest" });
  assert.deepEqual([keep(byNumber, 1, 2, 3, 4), byNumber.dropped], [[1, 2], 2]);
  const byBytes = new DatagramQueue({ datagrams: 9, bytes: 100, overflow: "drop-newest" });
  assert.deepEqual([keep(byBytes, 40, 30, 60, 30), byBytes.dropped], [[40, 30, 30], 1]);
});

test("DatagramQueue: empty datagrams count as datagrams", () => {
  const queue = new DatagramQueue({ datagrams: 3, bytes: 100, overflow: "drop-newest" });
  assert.deepEqual([keep(queue, 0, 0, 0, 0), queue.dropped], [[0, 0, 0], 1]);
});

test("DatagramQueue: where reading can stop it is full at its limits, and drops nothing", () => {
  const queue = new DatagramQueue({ datagrams: 2, bytes: 100, overflow: "stop" });
  queue.add(datagram(1));
  assert.equal(queue.isFull, false);
  queue.add(datagram(1));
  assert.equal(queue.isFull, true);
  queue.take();
  assert.equal(queue.isFull, false);
  queue.add(datagram(99));
  assert.deepEqual([queue.isFull, keep(queue, 500), queue.dropped], [true, [1, 99, 500], 0]);
});

test("DatagramQueue: where reading turns out not to stop, what comes is dropped", () => {
  const queue = new DatagramQueue({ datagrams: 2, bytes: 100, overflow: "stop" });
  queue.dropInstead();
  assert.deepEqual([keep(queue, 1, 2, 3), queue.dropped, queue.isFull], [[1, 2], 1, false]);
});

test("DatagramQueue: against a model, keeps the newest or the oldest that fit, and loses count of none", () => {
  const overflow = fc.constantFrom("drop-oldest" as const, "drop-newest" as const);
  const steps = fc.array(fc.oneof(fc.nat({ max: 50 }), fc.constant("take" as const)), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(overflow, steps, (policy, actions) => {
      const limits: QueueLimits = { datagrams: 4, bytes: 100, overflow: policy };
      const queue = new DatagramQueue(limits);
      let model: number[] = [];
      let dropped = 0;
      const sum = (): number => model.reduce((total, size) => total + size, 0);
      const fits = (size: number): boolean => model.length < 4 && sum() + size <= 100;
      for (const action of actions) {
        if (action === "take") {
          assert.equal(queue.take()?.data.length, model.shift());
        } else {
          queue.add(datagram(action));
          if (policy === "drop-oldest") {
            for (; !fits(action); dropped += 1) model = model.slice(1);
          }
          if (fits(action)) model.push(action);
          else dropped += 1;
        }
        assert.deepEqual([queue.size, queue.bytes, queue.dropped], [model.length, sum(), dropped]);
      }
    }),
  );
});

test("DatagramQueue: its limits have defaults, and refuse what is none", () => {
  assert.deepEqual(queueLimits("f", {}), { ...STOPPING, overflow: "drop-oldest" });
  const refused = (options: object, error: { name: string; message: RegExp }): void =>
    assert.throws(() => queueLimits("openUdp", options), error);
  const range = (message: RegExp): { name: string; message: RegExp } => ({
    name: "RangeError",
    message,
  });
  refused({ queueDatagrams: 0 }, range(/^openUdp\(\{ queueDatagrams \}\): got 0, needs/));
  refused({ queueDatagrams: Infinity }, range(/got Infinity/));
  refused({ queueBytes: 65_535 }, range(/^openUdp\(\{ queueBytes \}\): got 65535, needs/));
  refused({ overflow: "block" }, range(/got "block", needs "drop-oldest" or "drop-newest"/));
  refused({ queueBytes: "1" }, { name: "TypeError", message: /got "1"/ });
});
