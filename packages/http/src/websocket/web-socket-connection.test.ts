import assert from "node:assert/strict";
import { BusyResourceError, moveOnAfter, now, sleep, taskGroup } from "arborio";
import { createMemoryStreamPair } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { echo, peerOf, RawPeer, runOver } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";

for (const role of ["server", "client"] as const) {
  simTest(
    `WebSocketConnection: as ${role}, echoes texts and bytes of every length`,
    async (group) => {
      const peer = peerOf(group, echo, { role });
      for (const length of [0, 1, 125, 126, 127, 4000, 65_535, 65_536]) {
        const bytes = Uint8Array.from({ length }, (_, index) => index);
        group.startSoon(() => peer.send(2, bytes));
        assert.equal(await peer.next(), `binary ${bytes.join()}`);
      }
      for (const text of ["", "hello", "Grüße \u{1F600}", "\u{FEFF}x", "ü".repeat(30_000)]) {
        group.startSoon(() => peer.send(1, text));
        assert.equal(await peer.next(), `text ${text.replace("\u{FEFF}", "")}`);
      }
      await peer.close(1000, "bye");
      assert.equal(await peer.next(), "close 1000");
      if (role === "client") peer.stream.close();
      else assert.equal(await peer.next(), "end");
    },
  );

  simTest(`WebSocketConnection: two of ours, the other one being ${role}`, async (group) => {
    const [left, right] = createMemoryStreamPair();
    const outcomes: (WebSocketClosedError | undefined)[] = [];
    group.startSoon(() =>
      runOver(
        left,
        async (socket) => {
          await echo(socket);
          outcomes.push(socket.closed);
        },
        { role: role === "server" ? "client" : "server" },
      ),
    );
    await runOver(
      right,
      async (socket) => {
        await socket.send("hello");
        assert.equal(await socket.receive(), "hello");
        await socket.send(Uint8Array.of(1, 2, 3));
        assert.deepEqual(await socket.receive(), Uint8Array.of(1, 2, 3));
        assert.equal(typeof (await socket.ping()), "number");
        await socket.close(3000, "enough");
        outcomes.push(socket.closed);
      },
      { role },
    );
    assert.deepEqual(
      outcomes.map((outcome) => [outcome?.code, outcome?.reason, outcome?.wasClean]),
      [
        [3000, "enough", true],
        [3000, "", true],
      ],
    );
  });
}

simTest("WebSocketConnection: what cannot be sent is refused before anything is", async (group) => {
  const peer = peerOf(group, async (socket) => {
    await assert.rejects(socket.send(7 as never), /got number, needs a text or bytes/);
    await assert.rejects(socket.send(null as never), /got null/);
    await assert.rejects(socket.close(1005), RangeError);
    await assert.rejects(socket.close(1000, "x".repeat(124)), RangeError);
    await assert.rejects(socket.sendStream("other" as never, []), TypeError);
    await assert.rejects(socket.sendStream("text", [Uint8Array.of(1)]), /needs text/);
    await assert.rejects(socket.sendStream("binary", ["x"]), /needs bytes/);
    await socket.send("good");
  });
  assert.equal(await peer.next(), "text good");
  assert.equal(await peer.next(), "close 1000");
  await peer.close(1000);
  assert.equal(await peer.next(), "end");
});

simTest(
  "WebSocketConnection: a second receiver is told so, and the first goes on",
  async (group) => {
    const peer = peerOf(group, async (socket) => {
      await taskGroup(async (inner) => {
        inner.startSoon(async () => assert.equal(await socket.receive(), "one"));
        await sleep(1);
        await assert.rejects(socket.receive(), BusyResourceError);
        await assert.rejects(socket.receiveStream(), BusyResourceError);
        await socket.send("go");
      });
    });
    assert.equal(await peer.next(), "text go");
    await peer.send(1, "one");
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
);

simTest(
  "WebSocketConnection: tasks that send take turns, and frames are never mixed",
  async (group) => {
    const peer = peerOf(
      group,
      async (socket) => {
        await taskGroup(async (inner) => {
          for (let index = 0; index < 5; index++)
            inner.startSoon(() => socket.send(String(index).repeat(3000)));
          inner.startSoon(() => socket.sendStream("text", ["s".repeat(2000), "t".repeat(2000)]));
        });
      },
      { capacity: 100, fragmentBytesMax: 700 },
    );
    const seen = new Set<string>();
    for (let index = 0; index < 6; index++) seen.add(await peer.next());
    const wanted = ["0", "1", "2", "3", "4"].map((digit) => `text ${digit.repeat(3000)}`);
    assert.deepEqual(seen, new Set([...wanted, `text ${"s".repeat(2000)}${"t".repeat(2000)}`]));
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
);

simTest("WebSocketConnection: send waits while the other side does not read", async (group) => {
  let sent = 0;
  const peer = peerOf(
    group,
    async (socket) => {
      for (; sent < 100; sent++) await socket.send(new Uint8Array(1000));
    },
    { capacity: 4000, heartbeatMs: Infinity },
  );
  await sleep(1000);
  assert.ok(sent <= 5, `${sent} messages were sent that nobody has read`);
  for (let index = 0; index < 100; index++) await peer.next();
  assert.equal(sent, 100);
  await peer.close(1000);
  await peer.rest();
});

simTest(
  "WebSocketConnection: who does not receive holds up the sender, with little kept",
  async (group) => {
    let go = false;
    const received: number[] = [];
    const peer = peerOf(
      group,
      async (socket) => {
        while (!go) await sleep(10);
        for await (const message of socket) received.push(message.length);
      },
      { capacity: 10_000, heartbeatMs: Infinity },
    );
    let sent = 0;
    group.startSoon(async () => {
      for (; sent < 300; sent++) await peer.send(2, new Uint8Array(1000));
      await peer.close(1000);
    });
    await sleep(1000);
    assert.ok(sent < 150, `${sent} kB were taken that nobody has received`);
    go = true;
    assert.equal(await peer.next(), "close 1000");
    assert.deepEqual(
      received,
      Array.from({ length: 300 }, () => 1000),
    );
  },
);

simTest(
  "WebSocketConnection: pings are answered while nobody receives, also behind messages",
  async (group) => {
    const peer = peerOf(group, () => sleep(1000));
    await peer.send(1, "unread");
    await peer.send(9, Uint8Array.of(7));
    assert.equal(await peer.next(), "pong 7");
    for (let index = 0; index < 10; index++) await peer.send(9, Uint8Array.of(index));
    for (let index = 0; index < 10; index++) assert.equal(await peer.next(), `pong ${index}`);
    await peer.rest();
  },
);

simTest("WebSocketConnection: pongs that cannot be sent are few", async (group) => {
  const peer = peerOf(group, (socket) => socket.send(new Uint8Array(1000)), {
    capacity: 500,
    closeMs: 100,
  });
  await sleep(1);
  const pings = Array.from({ length: 100 }, (_, index) => peer.frame(9, Uint8Array.of(index)));
  for (const ping of pings) await peer.stream.send(ping);
  await sleep(1);
  assert.match(await peer.next(), /^binary/);
  const pongs = (await peer.rest()).filter((seen) => seen.startsWith("pong"));
  assert.equal(pongs.length, 32);
  assert.equal(pongs.at(-1), "pong 99");
});

simTest("WebSocketConnection: fragmentBytesMax cuts messages", async (group) => {
  const peer = peerOf(group, (socket) => socket.send("abcdefghij"), { fragmentBytesMax: 4 });
  const pieces: string[] = [];
  for (let index = 0; index < 3; index++) {
    const event = await peer.event();
    if (typeof event !== "string") pieces.push(new TextDecoder().decode(event.bytes));
  }
  assert.deepEqual(pieces, ["abcd", "efgh", "ij"]);
  peer.stream.close();
});

simTest("WebSocketConnection: ping tells how long it took, and an end meanwhile", async (group) => {
  const peer = peerOf(group, async (socket) => {
    const start = now();
    assert.equal(await socket.ping(), now() - start);
    await socket.send("pinged");
    await assert.rejects(socket.ping(), WebSocketClosedError);
  });
  const ping = await peer.event();
  assert.ok(typeof ping !== "string" && ping.kind === "ping");
  await sleep(50);
  // Nobody has asked for this one.
  await peer.send(10, "other");
  await peer.send(10, ping.bytes);
  assert.equal(await peer.next(), "text pinged");
  await peer.event();
  await peer.close(1000);
  assert.equal(await peer.next(), "close 1000");
});

simTest(
  "WebSocketConnection: a message above messageBytesMax is 1009, the same over fragments",
  async (group) => {
    for (const fragments of [["x".repeat(101)], ["x".repeat(60), "x".repeat(41)]]) {
      const peer = peerOf(
        group,
        async (socket) => {
          assert.equal(await socket.receive(), "x".repeat(100));
          await assert.rejects(
            socket.receive(),
            (error) =>
              error instanceof WebSocketClosedError && error.code === 1009 && !error.wasClean,
          );
        },
        { messageBytesMax: 100 },
      );
      await peer.send(1, "x".repeat(100));
      for (const [index, fragment] of fragments.entries())
        await peer.send(index === 0 ? 1 : 0, fragment, index === fragments.length - 1);
      assert.equal(await peer.next(), "close 1009");
      assert.equal(await peer.next(), "end");
    }
  },
);

simTest(
  "WebSocketConnection: a receive that is cancelled has lost nothing, not even half a message",
  async (group) => {
    const peer = peerOf(group, async (socket) => {
      assert.equal(await moveOnAfter(10, () => socket.receive()), undefined);
      await socket.send("cut");
      assert.equal(await socket.receive(), "hello");
      assert.equal(await moveOnAfter(10, () => socket.receive()), undefined);
      await socket.send("cut again");
      const message = await socket.receiveStream();
      let text = "";
      for await (const chunk of message) text += new TextDecoder().decode(chunk);
      assert.equal(text, "world");
    });
    await peer.send(1, "hel", false);
    assert.equal(await peer.next(), "text cut");
    await peer.send(0, "lo");
    await peer.send(1, "wo", false);
    assert.equal(await peer.next(), "text cut again");
    await peer.send(0, "rld");
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
);

simTest(
  "WebSocketConnection: a send that is cancelled leaves no half frame behind",
  async (group) => {
    const peer = peerOf(
      group,
      async (socket) => {
        assert.equal(await moveOnAfter(10, () => socket.send("x".repeat(1000))), undefined);
        await socket.send("next");
      },
      { capacity: 100 },
    );
    await sleep(20);
    assert.equal(await peer.next(), `text ${"x".repeat(1000)}`);
    assert.equal(await peer.next(), "text next");
    assert.equal(await peer.next(), "close 1000");
    peer.stream.close();
  },
);

simTest("RawPeer: is what it says", async () => {
  const [near, far] = createMemoryStreamPair();
  const peer = new RawPeer(near, "client");
  await peer.send(1, "x");
  assert.deepEqual((await far.receive()).subarray(0, 2), Uint8Array.of(0x81, 0x81));
  far.close();
  near.close();
});
