/** permessage-deflate (RFC 7692) on both sides. */
import assert from "node:assert/strict";
import { constants, deflateRawSync } from "node:zlib";
import { checkpoint, moveOnAfter, now, sleep } from "arborio";
import { createMemoryStreamPair } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { hex } from "../protocol/websocket/frames.test.kit.ts";
import type { DeflateParameters } from "../protocol/websocket/negotiate-deflate.ts";
import { echo, peerOf, type RawPeer, runOver } from "./raw-peer.test.kit.ts";
import type { ReceivedMessage } from "./received-message.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";

const SEEDS = [1];

const PLAIN: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const VARIANTS: readonly Partial<DeflateParameters>[] = [
  {},
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  { serverMaxWindowBits: 10, clientMaxWindowBits: 8, clientNoContextTakeover: true },
];

/** Sends frames whose first byte is given: with RSV1 (40), or without. */
async function sendRaw(peer: RawPeer, first: number, payload: Uint8Array): Promise<void> {
  const frame = peer.frame(2, payload);
  frame[0] = first;
  await peer.stream.send(frame);
}

/** A message, compressed by itself: ended by a flush, whose last bytes are left out. */
function flushed(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

for (const variant of VARIANTS) {
  simTest(
    `compression: two of ours with ${JSON.stringify(variant)}, texts and bytes of all sizes`,
    async (group) => {
      const deflate = { ...PLAIN, ...variant };
      const [left, right] = createMemoryStreamPair();
      group.startSoon(() =>
        runOver(left, echo, { deflate, compression: true, fragmentBytesMax: 5000 }),
      );
      await runOver(
        right,
        async (socket) => {
          for (const length of [0, 1, 127, 128, 1000, 40_000, 300_000]) {
            const text = "abcdefgh ".repeat(length / 9 + 1).slice(0, length);
            group.startSoon(() => socket.send(text));
            assert.equal(await socket.receive(), text);
            const bytes = Uint8Array.from({ length }, (_, index) => (index * index) >> 3);
            group.startSoon(() =>
              socket.sendStream("binary", [bytes.subarray(0, 100), bytes.subarray(100)]),
            );
            assert.deepEqual(await socket.receive(), bytes);
          }
        },
        { role: "client", deflate, compression: { messageBytesMin: 0 } },
      );
    },
    SEEDS,
  );
}

simTest(
  "compression: the examples of RFC 7692 §7.2.3",
  async (group) => {
    const peer = peerOf(
      group,
      async (socket) => {
        for (let index = 0; index < 6; index++) assert.equal(await socket.receive(), "Hello");
        assert.equal(await socket.receive(), "");
        assert.equal(await socket.receive(), "Hello");
      },
      { deflate: PLAIN },
    );
    // One block; in two fragments, with a ping between them; without compression; referring to the message before; two blocks.
    await sendRaw(peer, 0xc1, hex("f2 48 cd c9 c9 07 00"));
    await sendRaw(peer, 0x41, hex("f2 48 cd"));
    await sendRaw(peer, 0x89, hex("2a"));
    assert.equal(await peer.next(), "pong 42");
    await sendRaw(peer, 0x80, hex("c9 c9 07 00"));
    await sendRaw(peer, 0x81, new TextEncoder().encode("Hello"));
    await sendRaw(peer, 0xc1, hex("f2 00 11 00 00"));
    await sendRaw(peer, 0xc1, hex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00"));
    // A block that says that it is the last one.
    await sendRaw(peer, 0xc1, hex("f3 48 cd c9 c9 07 00 00"));
    await sendRaw(peer, 0xc1, hex("00"));
    await sendRaw(peer, 0xc1, hex("f2 48 cd c9 c9 07 00"));
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
  SEEDS,
);

simTest(
  "compression: empty fragments of a compressed message",
  async (group) => {
    const peer = peerOf(group, echo, { deflate: PLAIN });
    await sendRaw(peer, 0x41, new Uint8Array(0));
    await sendRaw(peer, 0x00, hex("f2 48 cd c9 c9 07 00"));
    await sendRaw(peer, 0x80, new Uint8Array(0));
    assert.equal(await peer.next(), "text Hello");
    peer.stream.close();
  },
  SEEDS,
);

simTest(
  "compression: a bomb is 1009, and little of it is unpacked",
  async (group) => {
    const bomb = deflateRawSync(new Uint8Array(200_000_000)).subarray(0, -6);
    for (const kind of [0xc1, 0xc2]) {
      const peer = peerOf(
        group,
        async (socket) => {
          await assert.rejects(socket.receive(), (error) => {
            return error instanceof WebSocketClosedError && error.code === 1009 && !error.wasClean;
          });
        },
        { deflate: PLAIN, messageBytesMax: 1_000_000 },
      );
      await sendRaw(peer, kind, bomb);
      assert.equal(await peer.next(), "close 1009");
      peer.stream.close();
    }
  },
  SEEDS,
);

simTest(
  "compression: what is damaged is 1007, and so is compressed text that is not UTF-8",
  async (group) => {
    for (const payload of [hex("ff ff ff ff"), deflateRawSync(Uint8Array.of(0x61, 0xff))]) {
      const peer = peerOf(
        group,
        async (socket) => {
          await assert.rejects(socket.receive(), (error) => {
            return error instanceof WebSocketClosedError && error.code === 1007;
          });
        },
        { deflate: PLAIN },
      );
      await sendRaw(peer, 0xc1, payload);
      assert.equal(await peer.next(), "close 1007");
      peer.stream.close();
    }
  },
  SEEDS,
);

simTest(
  "compression: RSV1 where it was not agreed upon is 1002",
  async (group) => {
    const peer = peerOf(group, echo);
    await sendRaw(peer, 0xc1, hex("f2 48 cd c9 c9 07 00"));
    assert.equal(await peer.next(), "close 1002");
    peer.stream.close();
  },
  SEEDS,
);

simTest(
  "compression: small messages, and a window of 8 bits, are sent as they are",
  async (group) => {
    for (const [clientMaxWindowBits, length, wanted] of [
      [15, 127, false],
      [15, 128, true],
      [8, 1000, false],
    ] as const) {
      const deflate = { ...PLAIN, clientMaxWindowBits };
      const peer = peerOf(group, (socket) => socket.send("x".repeat(length)), {
        role: "client",
        deflate,
        compression: true,
      });
      const event = await peer.event();
      assert.ok(typeof event !== "string");
      assert.equal(event.isCompressed, wanted);
      peer.stream.close();
    }
  },
  SEEDS,
);

simTest(
  "compression: cancelled in the middle, receiving has lost nothing, and sending goes on",
  async (group) => {
    const text = "some text that repeats ".repeat(10_000);
    const [left, right] = createMemoryStreamPair({ capacity: 1000 });
    group.startSoon(() => runOver(left, echo, { deflate: PLAIN, compression: true }));
    await runOver(
      right,
      async (socket) => {
        let sent = 0;
        for (let round = 0; round < 5; round++) {
          const isSent = await moveOnAfter(round, () => socket.send(text).then(() => true));
          if (isSent === true) sent += 1;
        }
        await socket.send("the end");
        let received = 0;
        for (const start = now(); now() - start < 60_000;) {
          const message = await moveOnAfter(1, () => socket.receive());
          if (message === "the end") break;
          if (message === undefined) continue;
          assert.equal(message, text);
          received += 1;
        }
        assert.ok(received >= sent, `${sent} were sent, ${received} came back`);
      },
      { role: "client", deflate: PLAIN, compression: true },
    );
  },
  SEEDS,
);

simTest(
  "compression: what was compressed of a message that failed does not go out with the next",
  async (group) => {
    const [left, right] = createMemoryStreamPair();
    const options = { deflate: PLAIN, compression: true } as const;
    group.startSoon(() => runOver(left, echo, options));
    async function* failing(): AsyncGenerator<string> {
      yield "of the failed one ";
      throw new RangeError("the source failed");
    }
    await runOver(
      right,
      async (socket) => {
        for (const text of ["first".repeat(100), "x".repeat(200)]) {
          await assert.rejects(socket.sendStream("text", failing()), RangeError);
          await socket.send(text);
          assert.equal(await socket.receive(), text);
        }
      },
      { ...options, role: "client" },
    );
  },
  SEEDS,
);

simTest(
  "compression: who goes on receiving when the WebSocket is over is told that it is closed",
  async (group) => {
    const [left, right] = createMemoryStreamPair();
    const options = { deflate: PLAIN, compression: true } as const;
    group.startSoon(() =>
      runOver(left, (socket) => socket.send("some text ".repeat(100_000)), options),
    );
    let socket: WebSocketConnection | undefined;
    let message: ReceivedMessage | undefined;
    await runOver(
      right,
      async (own) => {
        socket = own;
        message = await own.receiveStream();
        await message.receive();
      },
      { ...options, role: "client" },
    );
    for (let time = 0; time < 2; time++) {
      await assert.rejects(async () => await message?.receive(), WebSocketClosedError);
      await assert.rejects(async () => await socket?.receive(), WebSocketClosedError);
      await assert.rejects(async () => await socket?.receiveStream(), WebSocketClosedError);
    }
  },
  SEEDS,
);

simTest(
  "compression: who sends or receives when the WebSocket is cut is told that it is closed",
  async (group) => {
    const options = { deflate: PLAIN, compression: true } as const;
    const texts = ["a", "b"].map((text) => text.repeat(200_000));
    for (let turns = 5; turns < 20; turns++) {
      const [left, right] = createMemoryStreamPair();
      const errors: unknown[] = [];
      const startTalking = (socket: WebSocketConnection): void => {
        const talks = [
          async () => {
            for (;;) await socket.receive();
          },
          async () => {
            for (;;) await socket.sendStream("text", texts);
          },
        ];
        // Not in a task of the WebSocket's own.
        for (const talk of talks)
          group.startSoon(() => talk().catch((error: unknown) => void errors.push(error)));
      };
      group.startSoon(() =>
        runOver(
          left,
          async (socket) => {
            startTalking(socket);
            await sleep(10_000);
          },
          options,
        ),
      );
      await runOver(
        right,
        async (socket) => {
          startTalking(socket);
          for (let turn = 0; turn < turns; turn++) await checkpoint();
          socket.abort();
        },
        { ...options, role: "client" },
      );
      await sleep(20_000);
      assert.equal(errors.length, 4);
      for (const error of errors) assert.ok(error instanceof WebSocketClosedError, String(error));
    }
  },
  SEEDS,
);

simTest(
  "compression: a message that is being decompressed when a close comes is answered before it",
  async (group) => {
    for (let round = 0; round < 5; round++) {
      const peer = peerOf(
        group,
        async (socket) => {
          const { length } = await socket.receive();
          await socket.send(`${length} bytes`);
          await assert.rejects(socket.receive(), WebSocketClosedError);
          assert.deepEqual([socket.closed?.code, socket.closed?.wasClean], [1000, true]);
        },
        { deflate: PLAIN, capacity: 100_000 },
      );
      await sendRaw(peer, 0xc2, flushed(new Uint8Array(3_000_000)));
      await peer.close(1000);
      assert.deepEqual(await peer.rest(), ["text 3000000 bytes", "close 1000", "end"]);
    }
  },
  [1, 2, 3],
);

simTest(
  "compression: a close behind half a message, or behind one that nobody reads, is answered all the same",
  async (group) => {
    const start = now();
    for (const [first, wanted] of [
      [0x42, 0],
      [0xc2, 1000],
    ] as const) {
      const peer = peerOf(
        group,
        (socket) =>
          socket.receive().then(
            () => sleep(10_000),
            () => {},
          ),
        {
          deflate: PLAIN,
        },
      );
      await sendRaw(peer, first, flushed(new Uint8Array(1000)));
      await sleep(10);
      const closed = now();
      await peer.close(1000);
      assert.equal(await peer.next(), "close 1000");
      assert.ok(Math.abs(now() - closed - wanted) <= 10, `${now() - start} ms`);
      peer.stream.close();
    }
  },
);

simTest(
  "compression: what is damaged is not taken for the end in order that came behind it",
  async (group) => {
    const closing = async (socket: WebSocketConnection): Promise<void> => {
      // Sent first: then a close frame of the other side is the end, whatever came before it.
      await assert.rejects(
        async () => {
          for await (const _ of socket) await sleep(3000);
        },
        (error) => error instanceof WebSocketClosedError && error.code === 1007 && !error.wasClean,
      );
      assert.equal(socket.closed?.code, 1007);
    };
    const peer = peerOf(group, closing, { deflate: PLAIN });
    await sendRaw(peer, 0xc1, hex("f2 48 cd c9 c9 07 00"));
    await sendRaw(peer, 0xc1, hex("ff ff ff ff"));
    await peer.close(1000);
    // Nobody asked in time: it was answered as an end in order.
    assert.deepEqual(await peer.rest(), ["close 1000", "end"]);
  },
);
