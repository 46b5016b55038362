/** What happens rarely: what breaking the code on purpose showed to be needed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BusyResourceError, CancelScope, moveOnAfter, now, sleep, taskGroup } from "arborio";
import type { Wire } from "arborio/lowlevel";
import { createMemoryStreamPair } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import { encodeFrame } from "../protocol/websocket/encode-frame.ts";
import { joined } from "../protocol/websocket/frames.test.kit.ts";
import { FrameInlet } from "./frame-inlet.ts";
import { echo, peerOf, RawPeer, runOver } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";
import { WebSocketCore } from "./web-socket-core.ts";

simTest(
  "sending: what a slow connection still reads is not overwritten by a quick one",
  async (group) => {
    const slow = peerOf(group, (socket) => socket.send("a".repeat(100)), { capacity: 10 });
    await sleep(1);
    const quick = peerOf(group, (socket) => socket.send("b".repeat(100)));
    assert.equal(await quick.next(), `text ${"b".repeat(100)}`);
    assert.equal(await slow.next(), `text ${"a".repeat(100)}`);
    slow.stream.close();
    quick.stream.close();
  },
);

simTest("sending: a task that sends again comes behind one that waits", async (group) => {
  const peer = peerOf(
    group,
    async (socket) => {
      group.startSoon(async () => {
        await sleep(1);
        await socket.send("B");
      });
      await socket.sendStream("text", ["A".repeat(100), "1"]);
      await socket.send("A2");
    },
    { capacity: 20 },
  );
  await sleep(5);
  assert.equal(await peer.next(), `text ${"A".repeat(100)}1`);
  assert.equal(await peer.next(), "text B");
  assert.equal(await peer.next(), "text A2");
  peer.stream.close();
});

simTest(
  "sending: messages, pings and pongs of many tasks, over little room, are never mixed",
  async (group) => {
    const [left, right] = createMemoryStreamPair({ capacity: 3 });
    const busy = async (socket: WebSocketConnection): Promise<void> => {
      await taskGroup(async (inner) => {
        for (let index = 0; index < 5; index++) {
          inner.startSoon(() => socket.send(String(index).repeat(50)));
          inner.startSoon(() => socket.ping());
        }
        const seen: unknown[] = [];
        for (let index = 0; index < 5; index++) seen.push(await socket.receive());
        assert.deepEqual(
          seen.map(String).toSorted((one, other) => one.localeCompare(other)),
          ["0", "1", "2", "3", "4"].map((digit) => digit.repeat(50)),
        );
      });
    };
    group.startSoon(() => runOver(left, busy));
    await runOver(right, busy, { role: "client" });
  },
);

simTest(
  "sending: a ping is not lost among the answers to very many of the other side's",
  async (group) => {
    let isAnswered = false;
    const peer = peerOf(
      group,
      async (socket) => {
        group.startSoon(() => socket.send("x".repeat(500)));
        await sleep(1);
        await socket.ping();
        isAnswered = true;
      },
      { capacity: 100 },
    );
    await sleep(10);
    for (let index = 0; index < 50; index++) await peer.send(9, Uint8Array.of(index));
    await sleep(10);
    assert.equal(await peer.next(), `text ${"x".repeat(500)}`);
    const pongs: string[] = [];
    let seen = await peer.next();
    for (; seen.startsWith("pong "); seen = await peer.next()) pongs.push(seen);
    assert.deepEqual(
      pongs,
      Array.from({ length: 32 }, (_, index) => `pong ${index + 18}`),
    );
    assert.match(seen, /^ping (\d+,){7}\d+$/);
    await peer.send(10, Uint8Array.from(seen.slice("ping ".length).split(","), Number));
    assert.equal(await moveOnAfter(100, () => peer.next()), "close 1000");
    assert.ok(isAnswered);
    peer.stream.close();
  },
);

simTest("receiving: many messages that came at once are all received", async (group) => {
  const peer = peerOf(group, echo);
  const frames = Array.from({ length: 100 }, (_, index) => peer.frame(1, String(index)));
  await peer.stream.send(joined(frames));
  for (let index = 0; index < 100; index++) assert.equal(await peer.next(), `text ${index}`);
  await peer.close(1000);
  await peer.rest();
  peer.stream.close();
});

simTest("receiving: bytes are the receiver's, with their memory", async (group) => {
  const peer = peerOf(group, async (socket) => {
    for (let index = 0; index < 2; index++) {
      const bytes = await socket.receive();
      assert.ok(typeof bytes !== "string" && bytes.buffer.byteLength === bytes.length);
    }
    const stream = await socket.receiveStream();
    const chunk = await stream.receive();
    assert.equal(chunk.buffer.byteLength, chunk.length);
  });
  await peer.stream.send(joined([1, 2, 3].map((byte) => peer.frame(2, Uint8Array.of(byte, byte)))));
  assert.equal(await peer.next(), "close 1000");
  peer.stream.close();
});

simTest(
  "receiving: who waits gets the first of what comes at once, in order, and may answer it before the close behind it",
  async (group) => {
    const seen: unknown[] = [];
    const peer = peerOf(group, async (socket) => {
      for await (const message of socket) {
        seen.push(message);
        await socket.send(`${String(message)}!`);
      }
      seen.push(socket.closed?.code);
    });
    await sleep(1);
    const frames = ["a", "b", "é", "c"].map((text) => peer.frame(1, text));
    await peer.stream.send(joined([...frames, peer.frame(8, encodeClose(1001, ""))]));
    for (const text of ["a!", "b!", "é!", "c!"]) assert.equal(await peer.next(), `text ${text}`);
    assert.equal(await peer.next(), "close 1001");
    assert.deepEqual(seen, ["a", "b", "é", "c", 1001]);
    peer.stream.close();
  },
);

simTest(
  "receiving: a wait that was cancelled takes nothing, what comes later is the next one's",
  async (group) => {
    const seen: unknown[] = [];
    const peer = peerOf(group, async (socket) => {
      seen.push(await moveOnAfter(10, () => socket.receive()));
      await sleep(100);
      seen.push(await socket.receive());
      const twice = socket.receive();
      await assert.rejects(socket.receive(), BusyResourceError);
      seen.push(await twice);
    });
    await sleep(50);
    await peer.send(1, "late");
    await sleep(100);
    await peer.send(1, "later");
    assert.equal(await peer.next(), "close 1000");
    assert.deepEqual(seen, [undefined, "late", "later"]);
    peer.stream.close();
  },
);

void test("FrameInlet: a byte that is kept does not keep 64 KiB", () => {
  const inlet = new FrameInlet({ role: "client" }, { pinged() {}, ponged() {} });
  const memory = new Uint8Array(65_536);
  memory.set([0x82, 1, 7]);
  inlet.push(memory.subarray(0, 3));
  inlet.parse(false);
  const piece = inlet.take();
  assert.deepEqual(piece?.bytes, Uint8Array.of(7));
  assert.ok(piece.bytes.buffer.byteLength < 1024);
});

void test("FrameInlet: keeps few bytes, however large the pieces are", () => {
  const inlet = new FrameInlet({ role: "client" }, { pinged() {}, ponged() {} });
  const frame = encodeFrame({ opcode: 2 }, new Uint8Array(40_000));
  for (const isFull of [false, true]) {
    inlet.push(frame.slice());
    inlet.parse(false);
    assert.equal(inlet.isFull, isFull);
  }
  inlet.take();
  assert.equal(inlet.isFull, false);
});

void test("WebSocketCore: what comes behind the end is not kept, however much it is", () => {
  for (const end of [Uint8Array.of(0x88, 0), Uint8Array.of(0x83, 0)]) {
    const core = new WebSocketCore(
      {
        details: {} as Wire["details"],
        open() {},
        pause() {},
        resume() {},
        write: () => true,
        end() {},
        close() {},
      },
      { role: "client", messageBytesMax: 100, allowsCompressed: false },
    );
    core.received(joined([Uint8Array.of(0x81, 1, 0x61), end]));
    assert.ok(core.isDeferred);
    const before = core.inlet.isUsedUp;
    core.received(new Uint8Array(1000));
    assert.equal(core.inlet.isUsedUp, before);
    core.settle();
    core.received(new Uint8Array(1000));
    assert.equal(core.inlet.isUsedUp, before);
  }
});

void test("FrameInlet: keeps few pieces, however small they are", () => {
  const inlet = new FrameInlet({ role: "client" }, { pinged() {}, ponged() {} });
  inlet.push(joined(Array.from({ length: 10_000 }, () => Uint8Array.of(0x82, 1, 7))));
  inlet.parse(true);
  assert.ok(inlet.isFull);
  let taken = 0;
  while (inlet.take() !== undefined) taken += 1;
  assert.equal(taken, 10_000);
});

simTest(
  "closing: what comes before the answer to our close is passed over, however much it is",
  async (group) => {
    const start = now();
    const peer = peerOf(group, async (socket) => {
      await socket.close();
      assert.equal(socket.closed?.wasClean, true);
      assert.ok(now() - start < 1000);
    });
    assert.equal(await peer.next(), "close 1000");
    for (let index = 0; index < 100; index++) await peer.send(1, "late");
    await peer.send(9);
    await peer.close(1000);
    // No pong: nothing is sent behind a close frame.
    assert.equal(await peer.next(), "end");
    peer.stream.close();
  },
);

simTest(
  "closing: an end that could not be told at once is told when the other side reads",
  async (group) => {
    const peer = peerOf(group, (socket) => socket.send(new Uint8Array(1000)), { capacity: 100 });
    await sleep(1);
    await peer.send(3);
    const start = now();
    assert.match(await peer.next(), /^binary/);
    assert.equal(await peer.next(), "close 1002");
    assert.equal(await peer.next(), "end");
    assert.ok(now() - start < 100);
    peer.stream.close();
  },
);

simTest(
  "closing: a client that sends its close and goes at once has closed in order",
  async (group) => {
    const peer = peerOf(group, async (socket) => {
      assert.equal(await socket.receive(), "the last");
      await sleep(100);
      await assert.rejects(socket.receive());
      assert.deepEqual([socket.closed?.code, socket.closed?.wasClean], [1001, true]);
    });
    await peer.send(1, "the last");
    await peer.close(1001);
    await sleep(10);
    peer.stream.close();
  },
);

simTest(
  "closing: a close frame far behind what was received counts, though the connection breaks then",
  async (group) => {
    for (const how of ["end", "break"] as const) {
      const peer = peerOf(group, async (socket) => {
        await sleep(100);
        for (let index = 0; index < 100; index++)
          assert.equal(await socket.receive(), String(index));
        await assert.rejects(socket.receive(), WebSocketClosedError);
        assert.deepEqual([socket.closed?.code, socket.closed?.wasClean], [1001, true]);
      });
      const frames = Array.from({ length: 100 }, (_, index) => peer.frame(1, String(index)));
      await peer.stream.send(joined([...frames, peer.frame(8, encodeClose(1001, ""))]));
      await sleep(10);
      if (how === "end") peer.stream.close();
      else peer.stream.abort?.();
      await sleep(100);
    }
  },
);

simTest(
  "closing: a shutdown ends the connection once the other side has answered, though the body is busy",
  async (group) => {
    const scope = new CancelScope();
    const [near, far] = createMemoryStreamPair();
    group.startSoon(() =>
      scope.run(() =>
        runOver(far, async (socket) => {
          await socket.receive();
          await sleep(5000);
        }),
      ),
    );
    const peer = new RawPeer(near, "client");
    await peer.send(1, "work");
    await sleep(10);
    scope.shutdown({ graceMs: 10_000 });
    assert.equal(await peer.next(), "close 1001");
    await peer.close(1001);
    assert.equal(await moveOnAfter(100, () => peer.next()), "end");
    near.close();
  },
);
