import assert from "node:assert/strict";
import { describe, test as nodeTest } from "node:test";
import { ClosedResourceError, now, run, sleep } from "../index.ts";
import { simulator } from "../sim.ts";
import { byteStreamConformance } from "../testing/byte-stream-conformance/index.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { ForeignStream } from "../testing/foreign-stream.ts";
import { WireRecorder } from "../testing/wire-recorder.ts";
import { createMemoryStreamPair, type MemoryStream } from "./memory-stream.ts";
import { StreamWire } from "./stream-wire.ts";
import { WireStream } from "./wire-stream.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

describe("StreamWire", () => {
  byteStreamConformance(test, {
    name: "a stream over a wire over a stream",
    makePair() {
      const [left, right] = createMemoryStreamPair({ capacity: 1000 });
      return [left, right].map(
        (end) => new WireStream(new StreamWire(new ForeignStream(end)), "WireStream"),
      ) as [WireStream, WireStream];
    },
    bufferedBytesMax: 262_144,
  });

  function open(): { wire: StreamWire; told: WireRecorder; near: MemoryStream; far: MemoryStream } {
    const [near, far] = createMemoryStreamPair({ capacity: 1000 });
    const wire = new StreamWire(near);
    const told = new WireRecorder();
    wire.open(told);
    return { wire, told, near, far };
  }

  async function isClosed(stream: MemoryStream): Promise<boolean> {
    try {
      await stream.send(new Uint8Array(0));
      return false;
    } catch (error) {
      return error instanceof ClosedResourceError;
    }
  }

  test("close waits for the write before it", async () => {
    const { wire, told, near, far } = open();
    assert.equal(wire.write(new Uint8Array(200_000)), false);
    wire.close(false);
    wire.close(true);
    let count = 0;
    for await (const chunk of far) count += chunk.length;
    assert.equal(count, 200_000);
    await sleep(1);
    assert.deepEqual([await isClosed(near), told.events], [true, []]);
  });

  test("close abortively waits for nothing", async () => {
    const { wire, told, near } = open();
    wire.write(new Uint8Array(200_000));
    wire.close(true);
    assert.deepEqual([await isClosed(near), told.events], [true, []]);
  });

  test("end waits for the write before it; the other direction goes on", async () => {
    const { wire, told, far } = open();
    wire.write(new Uint8Array(2000));
    wire.end();
    let count = 0;
    for await (const chunk of far) count += chunk.length;
    assert.equal(count, 2000);
    await far.send(new Uint8Array(3));
    await told.untilBytes(3);
    wire.close(false);
  });

  test("nothing is received that was not asked for but one chunk", async () => {
    const { wire, told, far } = open();
    wire.pause();
    await far.send(new Uint8Array(1000));
    await sleep(1);
    assert.equal(told.bytes.length, 1000);
    let isSent = false;
    void far.send(new Uint8Array(100_000)).then(
      () => (isSent = true),
      () => {},
    );
    await sleep(1);
    assert.deepEqual([told.bytes.length, isSent], [1000, false]);
    wire.resume();
    await told.untilBytes(101_000);
    wire.close(false);
  });

  void nodeTest("close does not wait for a write for ever", async () => {
    await run(
      async () => {
        const { wire, near, far } = open();
        wire.write(new Uint8Array(200_000));
        await sleep(5);
        wire.close(false);
        await sleep(9999);
        assert.equal(await isClosed(near), false);
        await sleep(2);
        assert.equal(await isClosed(near), true);
        await assert.rejects(
          async () => {
            for (;;) await far.receive();
          },
          { name: "BrokenResourceError" },
        );
        assert.ok(now() < 10_100);
      },
      { backend: simulator(), signals: [] },
    );
  });

  test("close gives the stream back after a send that failed", async () => {
    const { wire, told, near, far } = open();
    far.close();
    wire.write(new Uint8Array(1));
    await told.when(() => told.error !== undefined);
    assert.equal(await isClosed(near), false);
    wire.close(false);
    assert.equal(await isClosed(near), true);
  });

  test("close waits for a sendEof that has something to send, and closes after one that failed", async () => {
    for (const failure of [undefined, new Error("no")]) {
      const [near, far] = createMemoryStreamPair();
      const ending = new ForeignStream(near);
      ending.sendEof = async () => {
        await near.send(new Uint8Array(3));
        await sleep(1);
        if (failure !== undefined) throw failure;
        await near.send(new Uint8Array(4));
        await near.sendEof();
      };
      const wire = new StreamWire(ending);
      wire.open(new WireRecorder());
      wire.end();
      wire.close(false);
      let count = 0;
      for await (const chunk of far) count += chunk.length;
      assert.equal(count, failure === undefined ? 7 : 3);
      await sleep(1);
      assert.equal(await isClosed(near), true);
    }
  });

  void nodeTest("a wire that nobody closed is failed with its run", async () => {
    let told = new WireRecorder();
    await run(async () => {
      ({ told } = open());
      await sleep(1);
    });
    await told.when(() => told.error !== undefined);
    assert.equal(told.events.length, 1);
  });
});
