import assert from "node:assert/strict";
import { test } from "node:test";
import "../platform/host.ts";
import type { WireReceiver } from "../platform/wire.ts";
import { createMemoryWires, type MemoryWire } from "./memory-wire.ts";

const settings = { capacityBytes: 4, held: false };

/** Writes down what it is told. */
class Log implements WireReceiver {
  readonly told: string[] = [];
  readonly onReceived: (bytes: Uint8Array) => void;

  constructor(onReceived: (bytes: Uint8Array) => void = () => {}) {
    this.onReceived = onReceived;
  }

  received(bytes: Uint8Array): void {
    this.told.push(`received ${bytes.join(" ")}`);
    this.onReceived(bytes);
  }
  ended(): void {
    this.told.push("ended");
  }
  written(): void {
    this.told.push("written");
  }
  failed(error: Error): void {
    this.told.push(`failed ${(error as { systemCode?: string }).systemCode}`);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function pair(onReceived?: (wire: MemoryWire) => void): [MemoryWire, Log, MemoryWire, Log] {
  const [left, right] = createMemoryWires(settings);
  const leftLog = new Log();
  const rightLog = new Log((bytes) => {
    right.taken(bytes.length);
    onReceived?.(right);
  });
  left.open(leftLog);
  right.open(rightLog);
  return [left, leftLog, right, rightLog];
}

test("MemoryWire: tells nothing from within a call, and nothing before it is open", async () => {
  const [left, right] = createMemoryWires(settings);
  const log = new Log();
  left.open(new Log());
  assert.equal(left.write(Uint8Array.of(1)), true);
  left.end();
  await turn();
  right.open(log);
  assert.deepEqual(log.told, []);
  await turn();
  assert.deepEqual(log.told, ["received 1", "ended"]);
});

test("MemoryWire.write: is told that there is room when the other side has taken enough", async () => {
  const [left, leftLog, right, rightLog] = pair();
  right.pause();
  assert.equal(left.write(Uint8Array.of(1, 2, 3, 4)), true);
  assert.equal(left.write(Uint8Array.of(5)), false);
  await turn();
  assert.deepEqual([leftLog.told, rightLog.told], [[], []]);
  right.resume();
  assert.deepEqual(leftLog.told, []);
  await turn();
  assert.deepEqual(
    [leftLog.told, rightLog.told.join(", ")],
    [["written"], "received 1 2 3 4, received 5"],
  );
});

test("MemoryWire: a failure does not wait for who has paused; the bytes come first", async () => {
  const [left, , right, rightLog] = pair();
  right.pause();
  left.write(Uint8Array.of(1));
  left.end();
  await turn();
  assert.deepEqual(rightLog.told, []);
  left.close(true);
  await turn();
  assert.deepEqual(rightLog.told, ["received 1", "ended", "failed ECONNRESET"]);
  assert.equal(right.write(Uint8Array.of(1)), false);
  await turn();
  assert.equal(rightLog.told.length, 3, "failed is told once");
});

test("MemoryWire: a receiver that closes while it is told is told nothing more", async () => {
  const [left, leftLog, , rightLog] = pair((right) => right.close(false));
  left.write(Uint8Array.of(1));
  left.end();
  await turn();
  assert.deepEqual(rightLog.told, ["received 1"]);
  assert.deepEqual(leftLog.told, ["ended"]);
});

test("MemoryWire: closing with bytes that were not delivered is a failure for the other side", async () => {
  const [left, leftLog, right] = pair();
  right.pause();
  left.write(Uint8Array.of(1));
  await turn();
  right.close(false);
  right.close(true);
  await turn();
  assert.deepEqual(leftLog.told, ["failed ECONNRESET"]);
  assert.equal(right.details.securing, false);
  right.details.setOptions({ noDelay: true });
});
