/** What messages go through: compression that is cut in the middle, and masks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { CancelScope, checkpoint, run, waitAllTasksBlocked } from "arborio";
import { takeWire } from "arborio/lowlevel";
import { createMemoryStreamPair } from "arborio/streams";
import { encodeFrame } from "../protocol/websocket/encode-frame.ts";
import { Deflater } from "./deflater.ts";
import { Inflater } from "./inflater.ts";
import { MaskSource } from "./mask-source.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { MessageSender } from "./message-sender.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import { WebSocketCore } from "./web-socket-core.ts";

const SETTINGS = { windowBits: 15, noContextTakeover: false, level: undefined } as const;

/** Does not repeat within a window. */
const LARGE: Uint8Array = Uint8Array.from(
  { length: 300_000 },
  (_, index) => Math.imul(index ^ (index >> 7), 2_246_822_519) >>> 13,
);

async function inflated(inflater: Inflater, bytes: Uint8Array): Promise<number[]> {
  const all: number[] = [];
  inflater.write(bytes, true);
  for (let piece = await inflater.read(); piece !== undefined; piece = await inflater.read())
    for (const byte of piece) all.push(byte);
  return all;
}

void test("Inflater: a cancellation waits for the piece, and nothing of it is lost", async () => {
  await run(
    async () => {
      const deflater = new Deflater(SETTINGS);
      const inflater = new Inflater(SETTINGS);
      inflater.write(await deflater.compress(LARGE, true, true), true);
      let bytes = 0;
      const scope = new CancelScope();
      await scope.run(async () => {
        const reading = inflater.read();
        scope.cancel();
        bytes += (await reading)?.length ?? 0;
      });
      assert.ok(bytes > 0);
      for (let piece = await inflater.read(); piece !== undefined; piece = await inflater.read())
        bytes += piece.length;
      assert.equal(bytes, LARGE.length);
      deflater.close();
      inflater.close();
    },
    { signals: [] },
  );
});

void test("Deflater: what was compressed and cancelled is forgotten, and the messages behind it are right", async () => {
  await run(
    async () => {
      const deflater = new Deflater(SETTINGS);
      const inflater = new Inflater(SETTINGS);
      const hello = new TextEncoder().encode("hello, hello, hello");
      assert.deepEqual(await inflated(inflater, await deflater.compress(hello, true, true)), [
        ...hello,
      ]);
      const scope = new CancelScope();
      await scope.run(async () => {
        const compressing = deflater.compress(LARGE, true, true);
        scope.cancel();
        await compressing;
      });
      assert.ok(scope.cancelledCaught);
      for (let count = 0; count < 2; count++)
        assert.deepEqual(await inflated(inflater, await deflater.compress(hello, true, true)), [
          ...hello,
        ]);
      deflater.close();
      inflater.close();
    },
    { signals: [] },
  );
});

void test("MessageSender, MessageReceiver: who waits for a codec when the WebSocket ends is told that it is closed", async () => {
  await run(
    async (group) => {
      const [near] = createMemoryStreamPair();
      const settings = {
        role: "server",
        messageBytesMax: Infinity,
        allowsCompressed: true,
      } as const;
      const core = new WebSocketCore(takeWire(near), settings);
      const deflater = new Deflater(SETTINGS);
      const sender = new MessageSender(core, {
        fragmentBytesMax: Infinity,
        deflater,
        compressedBytesMin: 0,
      });
      const receiver = new MessageReceiver(core, Infinity, new Inflater(SETTINGS));
      const payload = new Uint8Array(deflateRawSync(LARGE)).subarray(0, -4);
      const mask = Uint8Array.of(1, 2, 3, 4);
      core.received(encodeFrame({ opcode: 2, isCompressed: true, mask }, payload));
      const told: string[] = [];
      const start = (name: string, operation: () => Promise<unknown>): void => {
        group.startSoon(async () => {
          await assert.rejects(operation, WebSocketClosedError);
          told.push(name);
        });
      };
      start("send", () => sender.send(LARGE));
      start("receive", () => receiver.receive());
      // Both have begun, and wait for a thread.
      await checkpoint();
      await checkpoint();
      core.drop("the end of the test");
      sender.close();
      receiver.close();
      await waitAllTasksBlocked();
      assert.deepEqual(told.toSorted(), ["receive", "send"]);
    },
    { signals: [] },
  );
});

void test("MaskSource: each mask is four bytes, and another one", async () => {
  await run(
    () => {
      const masks = new MaskSource();
      const seen = new Set(Array.from({ length: 3000 }, () => masks.next().join()));
      // Two of them are the same once in a thousand runs.
      assert.ok(seen.size >= 2998);
      assert.equal(masks.next().length, 4);
      return Promise.resolve();
    },
    { signals: [] },
  );
});
