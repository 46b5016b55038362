/** permessage-deflate when something ends, fails or is cancelled in the middle. */
import assert from "node:assert/strict";
import { checkpoint, moveOnAfter, now, sleep } from "arborio";
import { createMemoryStreamPair } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { hex } from "../protocol/websocket/frames.test.kit.ts";
import { flushed, PLAIN, sendRaw } from "./compressed-frames.test.kit.ts";
import { echo, peerOf, runOver } from "./raw-peer.test.kit.ts";
import type { ReceivedMessage } from "./received-message.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";

const SEEDS = [1];

simTest(
  "compression: cancelled in the middle, receiving has lost nothing, and sending goes on (aiohttp#11725)",
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
