/** permessage-deflate (RFC 7692) on both sides. */
import assert from "node:assert/strict";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { createMemoryStreamPair } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { hex } from "../protocol/websocket/frames.test.kit.ts";
import type { DeflateParameters } from "../protocol/websocket/negotiate-deflate.ts";
import { flushed, PLAIN, sendRaw } from "./compressed-frames.test.kit.ts";
import { echo, peerOf, runOver } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";

const SEEDS = [1];

const VARIANTS: readonly Partial<DeflateParameters>[] = [
  {},
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  { serverMaxWindowBits: 10, clientMaxWindowBits: 8, clientNoContextTakeover: true },
];

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
  "compression: the examples of RFC 7692 §7.2.3, a ping between fragments with them (aiohttp#12988, aiohttp#13274)",
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
  "compression: a bomb is 1009, and little of it is unpacked (aiohttp#11898)",
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
  "compression: the limit is of one message, and exact",
  async (group) => {
    let received = 0;
    const peer = peerOf(
      group,
      async (socket) => {
        for (; received < 5; received++) assert.equal((await socket.receive()).length, 100_000);
        await assert.rejects(
          socket.receive(),
          (error) => error instanceof WebSocketClosedError && error.code === 1009,
        );
      },
      { deflate: PLAIN, messageBytesMax: 100_000 },
    );
    for (let index = 0; index < 5; index++)
      await sendRaw(peer, 0xc2, flushed(new Uint8Array(100_000)));
    await sendRaw(peer, 0xc2, flushed(new Uint8Array(100_001)));
    assert.equal(await peer.next(), "close 1009");
    assert.equal(received, 5);
    peer.stream.close();
  },
  SEEDS,
);

simTest(
  "compression: without context takeover no message refers to one before it, whole or in pieces",
  async (group) => {
    const text = "abcdefgh ".repeat(3000);
    const deflate = { ...PLAIN, serverNoContextTakeover: true };
    const peer = peerOf(
      group,
      async (socket) => {
        await socket.send(text);
        await socket.sendStream("text", [text]);
        await socket.sendStream("text", [text.slice(1), "h"]);
        await socket.send("abcdefgh abcdefgh");
      },
      { deflate, compression: { messageBytesMin: 0 } },
    );
    const texts: string[] = [];
    let payload: number[] = [];
    while (texts.length < 4) {
      const event = await peer.event();
      assert.ok(typeof event !== "string" && event.isCompressed);
      payload.push(...event.bytes);
      if (!event.isLast) continue;
      // Each by itself.
      const options = { finishFlush: constants.Z_SYNC_FLUSH };
      const whole = Uint8Array.from([...payload, 0, 0, 0xff, 0xff]);
      texts.push(inflateRawSync(whole, options).toString());
      payload = [];
    }
    assert.deepEqual(texts, [text, text, `${text.slice(1)}h`, "abcdefgh abcdefgh"]);
    peer.stream.close();
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
  "compression: RSV1 where it was not agreed upon is 1002 (aiohttp#12976)",
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
