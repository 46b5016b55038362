import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { run, waitAllTasksBlocked } from "../index.ts";
import { createWirePair, type MemoryWire } from "../testing/wire-pair.ts";
import { WireRecorder } from "../testing/wire-recorder.ts";
import { ChunkQueue } from "./chunk-queue.ts";
import { HandedOverWire } from "./handed-over-wire.ts";
import { WireStream } from "./wire-stream.ts";

const microtasks = async (): Promise<void> => {
  for (let count = 0; count < 10; count++) await Promise.resolve();
};

/** A wire that was handed over with some bytes read ahead, and what is called on the wire below. */
function setUp(ahead = 0, ended = false): { wire: HandedOverWire; log: string[]; raw: MemoryWire } {
  const log: string[] = [];
  const [raw] = createWirePair();
  raw.pause = () => log.push("pause");
  raw.resume = () => log.push("resume");
  const queue = new ChunkQueue();
  if (ahead > 0) queue.push(new Uint8Array(ahead));
  return {
    wire: new HandedOverWire(raw, queue, ended, (bytes) => log.push(`taken ${bytes}`)),
    log,
    raw,
  };
}

describe("HandedOverWire", () => {
  test("gives what was read ahead, after open has returned, then what comes", async () => {
    const { wire, log } = setUp(100);
    const told = new WireRecorder();
    wire.open(told);
    wire.received(new Uint8Array(3));
    assert.deepEqual([told.events, log], [[], []]);
    await told.untilBytes(103);
    wire.received(new Uint8Array(4));
    assert.equal(told.bytes.length, 107);
    assert.deepEqual(log, ["taken 100", "taken 3", "resume", "taken 4"]);
  });

  test("gives the end once, after what was read ahead, also if it came before", async () => {
    for (const isEarly of [true, false]) {
      const { wire } = setUp(100, isEarly);
      const told = new WireRecorder();
      wire.open(told);
      wire.pause();
      if (!isEarly) wire.ended();
      await microtasks();
      assert.deepEqual(told.events, []);
      for (let again = 0; again < 2; again++) {
        wire.resume();
        await microtasks();
      }
      assert.deepEqual(told.events, ["bytes", "ended"]);
    }
  });

  test("what nobody takes is limited", async () => {
    const { wire, log } = setUp();
    wire.received(new Uint8Array(65_535));
    assert.deepEqual(log, []);
    wire.received(new Uint8Array(1));
    assert.deepEqual(log, ["pause"]);
    const told = new WireRecorder();
    wire.open(told);
    wire.pause();
    wire.resume();
    await told.untilBytes(65_536);
    await microtasks();
    assert.equal(log.at(-1), "resume");
  });

  test("gives what came before a failure, also to who has paused, and the failure to who opens later", async () => {
    const { wire } = setUp(100);
    const told = new WireRecorder();
    wire.open(told);
    wire.pause();
    wire.received(new Uint8Array(3));
    await microtasks();
    assert.deepEqual(told.events, []);
    wire.failed(new Error("gone"));
    await microtasks();
    assert.deepEqual([told.events, told.bytes.length], [["bytes", "failed: Error"], 103]);
    const other = setUp(5);
    const late = new WireRecorder();
    other.wire.failed(new Error("gone"));
    await microtasks();
    other.wire.open(late);
    assert.deepEqual(late.events, []);
    await microtasks();
    assert.deepEqual(late.events, ["bytes", "failed: Error"]);
  });

  test("a receiver that closes at once leaves nothing unread", async () => {
    const { wire, log } = setUp(7);
    const told = new WireRecorder();
    told.received = (): void => {
      log.push("received");
      wire.close(false);
    };
    wire.open(told);
    await microtasks();
    assert.deepEqual(log, ["taken 7", "received"]);
  });

  test("passes on what else is told and called; after close nothing", async () => {
    const { wire, raw } = setUp(10);
    const told = new WireRecorder();
    wire.open(told);
    wire.written();
    wire.failed(new Error("gone"));
    wire.written();
    await microtasks();
    assert.deepEqual(told.events, ["written", "bytes", "failed: Error"]);
    assert.equal(wire.details, raw.details);
    wire.end();
    assert.equal(raw.ended, true);
    wire.close(true);
    assert.equal(raw.closed, "abortively");
    const other = setUp(10);
    const nobody = new WireRecorder();
    other.wire.open(nobody);
    other.wire.close(false);
    other.wire.received(new Uint8Array(1));
    other.wire.ended();
    await microtasks();
    assert.deepEqual([nobody.events, other.raw.closed], [[], "orderly"]);
  });

  test("the stream it was taken from passes everything on", async () => {
    await run(async () => {
      const [near, far] = createWirePair();
      const stream = new WireStream(near, "WireStream");
      far.open(new WireRecorder());
      far.write(new Uint8Array(5));
      await microtasks();
      const wire = stream.handOver();
      assert.throws(() => stream.handOver(), { name: "ClosedResourceError" });
      const told = new WireRecorder();
      wire.open(told);
      far.write(new Uint8Array(6));
      await told.untilBytes(11);
      far.end();
      await told.until("ended");
      near.fail(new Error("gone"));
      await told.until("failed: Error");
    });
  });
});

test("WireStream: a handshake that is not done goes on above; not while a task waits for it here", async () => {
  await run(async (group) => {
    const [raw] = createWirePair();
    const details = { ...raw.details, securing: true };
    Object.defineProperty(raw, "details", { value: details });
    const stream = new WireStream(raw, "Stream");
    const waiting = group.startSoon(() => stream.handshake());
    await waitAllTasksBlocked();
    assert.throws(() => stream.handOver(), /another task waits for the handshake of this stream/);
    waiting.cancel();
    await waiting.wait();
    const told = new WireRecorder();
    stream.handOver().open(told);
    stream.secured();
    assert.deepEqual(told.events, ["secured"]);
  });
});
