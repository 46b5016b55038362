import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { BrokenResourceError, EndOfStream } from "../core/errors.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import type { Wire } from "../platform/wire.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";
import { streamFromWire } from "./stream-from-wire.ts";
import { takeWire } from "./take-wire.ts";

const test = onEveryBackend(runnerTest);

test("streamFromWire: a stream over a wire that was taken receives what was read ahead, sends, and ends", async () => {
  const [near, far] = createMemoryStreamPair();
  await near.send(Uint8Array.of(1));
  using stream = streamFromWire(takeWire(far));
  assert.deepEqual([...(await stream.receive())], [1]);
  await stream.send(Uint8Array.of(2));
  assert.deepEqual([...(await near.receive())], [2]);
  await near.sendEof();
  await assert.rejects(stream.receive(), EndOfStream);
  stream.abort();
  await assert.rejects(near.receive(), BrokenResourceError);
});

test("streamFromWire: cancelled at every checkpoint", async () => {
  await cancelEverywhere(async () => {
    const [near, far] = createMemoryStreamPair();
    using stream = streamFromWire(takeWire(far), "named");
    using _near = near;
    await near.send(Uint8Array.of(1));
    await stream.receive();
    await stream.send(Uint8Array.of(2));
    await near.receive();
  });
});

test("streamFromWire: what is no wire is refused", () => {
  assert.throws(() => streamFromWire({} as Wire), /streamFromWire: got .*needs a Wire/);
});
