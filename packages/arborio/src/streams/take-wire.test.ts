import assert from "node:assert/strict";
import { test } from "node:test";
import { ClosedResourceError, run, waitAllTasksBlocked } from "../index.ts";
import { takeWire, wallNow, type WireReceiver } from "../lowlevel.ts";
import { simulator } from "../sim.ts";
import { createMemoryStreamPair, StapledByteStream } from "../streams.ts";
import { now, sleep } from "../sync/timeouts.ts";

/** Writes down what a wire tells. */
class Log implements WireReceiver {
  readonly lines: string[] = [];
  received(bytes: Uint8Array): void {
    this.lines.push(`received ${bytes.join()}`);
  }
  ended(): void {
    this.lines.push("ended");
  }
  written(): void {
    this.lines.push("written");
  }
  failed(error: Error): void {
    this.lines.push(`failed ${error.name}`);
  }
}

test("takeWire: what was read ahead comes first, and the stream is closed for others", () =>
  run(
    async () => {
      const [near, far] = createMemoryStreamPair();
      await near.send(new Uint8Array([1, 2]));
      const wire = takeWire(far);
      await assert.rejects(far.receive(), ClosedResourceError);
      const log = new Log();
      wire.open(log);
      await near.send(new Uint8Array([3]));
      await near.sendEof();
      await sleep(1);
      assert.deepEqual(log.lines, ["received 1,2", "received 3", "ended"]);
      wire.close(false);
    },
    { backend: simulator({ seed: 1 }) },
  ));

test("takeWire: a stream without a wire gets one that works by receive and send", () =>
  run(async () => {
    const [near, far] = createMemoryStreamPair();
    const log = new Log();
    const wire = takeWire(new StapledByteStream(far, far));
    wire.open(log);
    assert.equal(wire.write(new Uint8Array([7])), false);
    assert.deepEqual(await near.receive(), new Uint8Array([7]));
    await near.send(new Uint8Array([8]));
    await waitAllTasksBlocked();
    assert.deepEqual(log.lines, ["written", "received 8"]);
    wire.close(false);
    near.close();
  }));

test("takeWire: what is no stream is refused", () => {
  assert.throws(
    () => takeWire({} as never),
    /takeWire: got an object of Object, needs a ByteStream/,
  );
});

test("wallNow: a simulated world begins with the year 2000, and its time of day moves with its clock", () =>
  run(
    async () => {
      assert.equal(new Date(wallNow()).toISOString(), "2000-01-01T00:00:00.000Z");
      const before = now();
      await sleep(1500);
      assert.equal(wallNow() - 946_684_800_000, Math.floor(before + 1500));
    },
    { backend: simulator({ seed: 1 }) },
  ));

test("wallNow: on a host it is the host's", () => {
  assert.ok(Math.abs(wallNow() - Date.now()) < 60_000);
});
