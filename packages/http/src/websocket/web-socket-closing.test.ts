/** How WebSockets end: in order, at once, late, never. */
import assert from "node:assert/strict";
import { CancelScope, moveOnAfter, now, sleep } from "arborio";
import { createMemoryStreamPair } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { echo, peerOf, RawPeer, runOver } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";

/** What is known of the end, in short. */
function endOf(socket: WebSocketConnection): unknown[] {
  const { code, reason, wasClean } = socket.closed ?? {};
  return [code, reason, wasClean];
}

simTest(
  "closing: the other side's close is answered with its code, and ends receiving",
  async (group) => {
    for (const [code, reason] of [
      [1000, ""],
      [1001, "moved"],
      [4999, "Grüße"],
    ] as const) {
      const peer = peerOf(group, async (socket) => {
        for await (const _ of socket) assert.fail("there is no message");
        assert.deepEqual(endOf(socket), [code, reason, true]);
        await assert.rejects(socket.receive(), WebSocketClosedError);
        await assert.rejects(socket.send("late"), WebSocketClosedError);
        await assert.rejects(socket.ping(), WebSocketClosedError);
      });
      await peer.close(code, reason);
      assert.deepEqual(await peer.rest(), [`close ${code}`, "end"]);
    }
  },
);

simTest("closing: a close frame without a code is answered by one", async (group) => {
  const peer = peerOf(group, async (socket) => {
    await assert.rejects(socket.receive(), (error) => {
      return error instanceof WebSocketClosedError && error.code === 1005 && error.wasClean;
    });
  });
  await peer.send(8);
  assert.deepEqual(await peer.rest(), ["close", "end"]);
});

simTest(
  "closing: messages before a close frame are received and answered, those behind it are not",
  async (group) => {
    const peer = peerOf(group, echo);
    const frames = [
      peer.frame(1, "one"),
      peer.frame(1, "two"),
      peer.frame(8),
      peer.frame(1, "three"),
      peer.frame(9),
    ];
    for (const frame of frames) await peer.stream.send(frame);
    assert.deepEqual(await peer.rest(), ["text one", "text two", "close", "end"]);
  },
);

simTest(
  "closing: the answer of who is slow comes before the close, of who is too slow not",
  async (group) => {
    for (const [answerMs, wanted] of [
      [500, ["text answer", "close 1000", "end"]],
      [5000, ["close 1000", "end"]],
    ] as const) {
      const peer = peerOf(group, async (socket) => {
        await socket.receive();
        await sleep(answerMs);
        await socket.send("answer");
      });
      await peer.send(1, "question");
      await peer.close(1000);
      const start = now();
      assert.deepEqual(await peer.rest(), wanted);
      assert.ok(now() - start <= 1100);
    }
  },
);

simTest("closing: a broken rule comes after the good messages before it", async (group) => {
  const peer = peerOf(group, echo);
  await peer.send(1, "good");
  await peer.send(3, "bad");
  await peer.send(9);
  assert.deepEqual(await peer.rest(), ["text good", "close 1002", "end"]);
});

simTest("closing: invalid text is 1007 at its first bad byte, not at its end", async (group) => {
  const peer = peerOf(group, async (socket) => {
    await assert.rejects(socket.receive(), (error) => {
      return error instanceof WebSocketClosedError && error.code === 1007 && !error.wasClean;
    });
  });
  // The frame goes on, and so does the message.
  await peer.stream.send(
    peer.frame(1, Uint8Array.of(0x61, 0xed, 0xa0, 0x80, 0x61, 0x61), false).subarray(0, 9),
  );
  assert.equal(await peer.next(), "close 1007");
  peer.stream.close();
});

simTest("closing: both sides at once", async (group) => {
  const peer = peerOf(group, async (socket) => {
    await socket.close(1000, "mine");
    assert.deepEqual(endOf(socket), [1001, "yours", true]);
  });
  await peer.close(1001, "yours");
  assert.deepEqual(await peer.rest(), ["close 1000 mine", "end"]);
});

simTest("closing: two of ours at once", async (group) => {
  for (let round = 0; round < 10; round++) {
    const [left, right] = createMemoryStreamPair();
    const ends: unknown[] = [];
    for (const [stream, role] of [
      [left, "server"],
      [right, "client"],
    ] as const) {
      group.startSoon(() =>
        runOver(
          stream,
          async (socket) => {
            await socket.close(1000, role);
            ends.push([role, ...endOf(socket)]);
          },
          { role },
        ),
      );
    }
    await sleep(20);
    assert.deepEqual(
      ends.toSorted((one, other) => String(one).localeCompare(String(other))),
      [
        ["client", 1000, "server", true],
        ["server", 1000, "client", true],
      ],
    );
  }
});

simTest("closing: a peer that never answers is cut off after closeMs", async (group) => {
  const start = now();
  const peer = peerOf(
    group,
    async (socket) => {
      await socket.close();
      assert.deepEqual(endOf(socket), [1006, "", false]);
      assert.equal(now() - start, 3000);
    },
    { closeMs: 3000 },
  );
  // It goes on sending, which does not keep it.
  group.startSoon(async () => {
    for (let index = 0; index < 10; index++) {
      await sleep(500);
      if (
        await moveOnAfter(100, () =>
          peer.send(1, "on and on").then(
            () => false,
            () => true,
          ),
        )
      )
        return;
    }
  });
  assert.equal(await peer.next(), "close 1000");
  assert.notEqual(await peer.next(), "text");
});

simTest("closing: a peer that answers, and does not end the connection, neither", async (group) => {
  const start = now();
  const peer = peerOf(
    group,
    async (socket) => {
      await socket.close();
      assert.deepEqual(endOf(socket), [1000, "", true]);
      assert.equal(now() - start, 3000);
    },
    { role: "client", closeMs: 3000 },
  );
  assert.equal(await peer.next(), "close 1000");
  await peer.close(1000);
  assert.equal(await peer.next(), "end");
});

simTest("closing: a connection that ends, or breaks, without a close frame", async (group) => {
  for (const how of ["end", "break"] as const) {
    const peer = peerOf(group, async (socket) => {
      assert.equal(await socket.receive(), "before");
      await assert.rejects(
        async () => {
          for await (const _ of socket) assert.fail("there is no message");
        },
        (error) => error instanceof WebSocketClosedError && error.code === 1006 && !error.wasClean,
      );
    });
    await peer.send(1, "before");
    await sleep(1);
    if (how === "end") peer.stream.close();
    else peer.stream.abort?.();
    await sleep(5);
  }
});

simTest("closing: sends that wait when the connection breaks learn it", async (group) => {
  const failures: unknown[] = [];
  const peer = peerOf(
    group,
    async (socket) => {
      const send = (): Promise<void> =>
        socket.send("x".repeat(500)).catch((error: unknown) => void failures.push(error));
      await Promise.all([
        send(),
        send(),
        socket.ping().catch((error: unknown) => void failures.push(error)),
      ]);
    },
    { capacity: 100 },
  );
  await sleep(5);
  peer.stream.close();
  await sleep(5);
  assert.equal(failures.length, 3);
  assert.ok(
    failures.every((error) => error instanceof WebSocketClosedError && error.code === 1006),
  );
});

simTest("closing: a body that fails is 1011, and its error is thrown", async () => {
  const [near, far] = createMemoryStreamPair();
  await assert.rejects(async () => {
    const running = runOver(
      far,
      async () => {
        throw new Error("mine");
      },
      { closeMs: 10 },
    );
    await running;
  }, /^Error: mine$/);
  near.close();
});

simTest("closing: a body that ends because the other side has gone did not fail", async (group) => {
  const peer = peerOf(group, async (socket) => {
    for (;;) await socket.receive();
  });
  await peer.close(1001);
  assert.deepEqual(await peer.rest(), ["close 1001", "end"]);
});

simTest(
  "closing: cancelled, the other side is told 1001, and nobody waits for it",
  async (group) => {
    const scope = new CancelScope();
    const [near, far] = createMemoryStreamPair();
    const start = now();
    group.startSoon(async () => {
      await scope.run(() => runOver(far, echo));
      assert.ok(now() - start <= 20);
    });
    const peer = new RawPeer(near, "client");
    await sleep(10);
    scope.cancel();
    assert.deepEqual(await peer.rest(), ["close 1001", "end"]);
  },
);

simTest(
  "closing: a shutdown tells the other side 1001, and what it still sends is received",
  async (group) => {
    const scope = new CancelScope();
    const [near, far] = createMemoryStreamPair();
    const received: unknown[] = [];
    group.startSoon(() =>
      scope.run(() =>
        runOver(far, async (socket) => {
          for await (const message of socket) received.push(message);
          received.push(...endOf(socket));
        }),
      ),
    );
    const peer = new RawPeer(near, "client");
    await sleep(10);
    scope.shutdown({ graceMs: 1000 });
    assert.equal(await peer.next(), "close 1001");
    await peer.send(1, "the last one");
    await peer.close(1001);
    assert.equal(await peer.next(), "end");
    assert.deepEqual(received, ["the last one", 1001, "", true]);
  },
);

simTest("closing: a close that is cancelled cuts the connection", async (group) => {
  const peer = peerOf(group, async (socket) => {
    await moveOnAfter(50, () => socket.close());
    assert.deepEqual(endOf(socket), [1006, "", false]);
  });
  assert.equal(await peer.next(), "close 1000");
  assert.equal(await peer.next(), "reset");
});

simTest("closing: abort cuts the connection", async (group) => {
  const peer = peerOf(group, async (socket) => {
    await Promise.resolve(socket.abort());
    assert.deepEqual(endOf(socket), [1006, "", false]);
    await socket.close();
  });
  assert.equal(await peer.next(), "reset");
});
