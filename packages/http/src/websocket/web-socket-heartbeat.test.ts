/** Signs of life: who gives none is found, and nobody else. */
import assert from "node:assert/strict";
import { moveOnAfter, now, sleep } from "arborio";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { peerOf } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";

/** What is known of the end, in short. */
function endOf(socket: WebSocketConnection): unknown[] {
  const { code, reason, wasClean } = socket.closed ?? {};
  return [code, reason, wasClean];
}

simTest(
  "heartbeat: a peer that is silent is asked, and cut off if it does not answer, which ends receiving (aiohttp#5860)",
  async (group) => {
    const start = now();
    const peer = peerOf(
      group,
      async (socket) => {
        await assert.rejects(socket.receive(), /gave no sign of life for 1500 ms/);
        assert.equal(now() - start, 3000 + 500);
      },
      { heartbeatMs: 1000 },
    );
    for (let index = 0; index < 3; index++) {
      assert.equal(await peer.next(), "ping ");
      assert.equal(now() - start, 1000 * (index + 1));
      if (index < 2) await peer.send(10);
    }
    assert.equal(await peer.next(), "reset");
  },
);

simTest(
  "heartbeat: any byte is a sign of life, also of a large frame that trickles in (aiohttp#12030)",
  async (group) => {
    const peer = peerOf(
      group,
      async (socket) => {
        assert.equal(await socket.receive(), "x".repeat(125));
      },
      { heartbeatMs: 1000 },
    );
    for (const byte of peer.frame(1, "x".repeat(125))) {
      await sleep(900);
      await peer.stream.send(Uint8Array.of(byte));
    }
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
);

simTest("heartbeat: who reads slowly lives; who is not read is not asked", async (group) => {
  const peer = peerOf(
    group,
    async (socket) => {
      await socket.send(new Uint8Array(1000));
      // More than is read ahead: this side does not hear the other one now.
      await sleep(100_000);
      for await (const message of socket) assert.equal(message.length, 1000);
      assert.deepEqual(endOf(socket), [1000, "", true]);
    },
    { heartbeatMs: 4000, capacity: 100 },
  );
  group.startSoon(async () => {
    for (let index = 0; index < 100; index++) await peer.send(2, new Uint8Array(1000));
    await peer.close(1000);
  });
  for (let index = 0; index < 20; index++) {
    await peer.stream.receive(50);
    // All of the frame in 5 s: more than a period, and less than one with the time for an answer.
    await sleep(250);
  }
  const seen = await peer.stream.receive(4);
  assert.ok(seen.length > 0);
  for await (const _ of peer.stream);
});

simTest("heartbeat: who takes a large message slowly lives", async (group) => {
  const message = new Uint8Array(1_000_000);
  const peer = peerOf(
    group,
    async (socket) => {
      await socket.send(message);
      await socket.send("done");
    },
    { heartbeatMs: 4000, capacity: 1000 },
  );
  for (let taken = 0; taken < message.length;) {
    // 20 kB/s: 50 s for all of it.
    await sleep(100);
    for (let step = 0; step < 20 && taken < message.length; step++) {
      const chunk = await peer.stream.receive(100);
      taken += chunk.length;
    }
  }
  peer.stream.close();
});

simTest("heartbeat: nobody is asked while this side does not read", async (group) => {
  const peer = peerOf(
    group,
    async (socket) => {
      await sleep(60_000);
      for await (const message of socket) assert.equal(message, "waiting");
    },
    { heartbeatMs: 1000 },
  );
  for (let index = 0; index < 20; index++) await peer.send(1, "waiting");
  assert.equal(await moveOnAfter(59_000, () => peer.next()), undefined);
  await peer.close(1000);
  assert.equal(await peer.next(), "close 1000");
  peer.stream.close();
});

simTest("heartbeat: who falls silent in the middle of a large frame is cut off", async (group) => {
  const start = now();
  const peer = peerOf(
    group,
    async (socket) => {
      await assert.rejects(
        socket.receive(),
        (error) => error instanceof WebSocketClosedError && error.code === 1006,
      );
      // Something came in the first two periods, nothing in the third; then half a one for the answer.
      assert.equal(now() - start, 3000 + 500);
    },
    { heartbeatMs: 1000 },
  );
  const frame = peer.frame(2, new Uint8Array(1_000_000));
  for (let piece = 0; piece < 2; piece++) {
    await sleep(900);
    await peer.stream.send(frame.subarray(piece * 100, piece * 100 + 100));
  }
  assert.equal(await peer.next(), "ping ");
  assert.equal(await peer.next(), "reset");
});

for (const how of ["close", "break", "the other side closes"] as const) {
  simTest(
    `heartbeat: an end while a sign of life is waited for is not held up: ${how}`,
    async (group) => {
      const peer = peerOf(
        group,
        async (socket) => {
          await sleep(1010);
          const start = now();
          await socket.close();
          // Of its own close it waits for the answer.
          assert.ok(now() - start <= (how === "close" ? 100 : 5), `${now() - start} ms`);
        },
        { heartbeatMs: 1000, pongMs: 5000, closeMs: 100 },
      );
      assert.equal(await peer.next(), "ping ");
      if (how === "break") peer.stream.abort?.();
      if (how === "the other side closes") {
        await peer.close(1000);
        assert.equal(await peer.next(), "close 1000");
        peer.stream.close();
      }
      if (how === "close") assert.deepEqual(await peer.rest(), ["close 1000", "end"]);
    },
  );
}

simTest(
  "heartbeat: who sends and takes nothing is cut off, though this side does not read while its send waits",
  async (group) => {
    const start = now();
    let isOver = false;
    const peer = peerOf(
      group,
      async (socket) => {
        await assert.rejects(async () => {
          for await (const message of socket) await socket.send(message);
        }, WebSocketClosedError);
        assert.ok(now() - start <= 2 * 1000 + 500, `${now() - start} ms`);
        isOver = true;
      },
      { heartbeatMs: 1000, capacity: 1000 },
    );
    group.startSoon(async () => {
      for (let index = 0; index < 100; index++)
        if (
          !(await peer.send(2, new Uint8Array(900)).then(
            () => true,
            () => false,
          ))
        )
          return;
    });
    await sleep(10_000);
    assert.ok(isOver);
    peer.stream.close();
  },
);
