import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { moveOnAfter, sleep, sleepForever, taskGroup } from "arborio";
import { listenTcp } from "arborio/net";
import { onEveryBackend } from "arborio/testing";
import {
  type BodySink,
  eventStreamResponse,
  type HttpRequest,
  HttpResponse,
  RequestFailedError,
  upgradeWebSocket,
  WebSocketClosedError,
} from "@arborio/http";
import { proxyTo, RawPeer, settled, withProxy } from "./chain.test.kit.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 60_000 }, body));

const PIECE = new Uint8Array(65_536).fill(7);

/** Sends pieces, endlessly unless told otherwise, and tells how many bytes were taken. */
async function sendPieces(
  sink: BodySink,
  sent: (bytes: number) => void,
  bytesMax: number = Infinity,
): Promise<void> {
  for (let bytes = PIECE.length; bytes <= bytesMax; bytes += PIECE.length) {
    await sink.send(PIECE);
    sent(bytes);
  }
}

for (const { other, bodyBytes, onTheWayMax } of [
  // Linux lets the buffers of a connection grow to 10 MB each way, and there are two.
  { other: "simulator", bodyBytes: 50_000_000, onTheWayMax: 40_000_000 },
  { other: "host", bodyBytes: 3_000_000, onTheWayMax: 1_000_000 },
] as const) {
  const only = { skip: { backend: other, reason: "its buffers are of another size" } } as const;

  test(
    `proxy: ${bodyBytes} bytes up and down at the same time; no more of them is in memory than buffers hold`,
    () =>
      withProxy(
        (request) => new HttpResponse((request as HttpRequest).bodyStream),
        async ({ client }) => {
          let sent = 0;
          let received = 0;
          let most = 0;
          const onSent = (bytes: number): void => {
            sent = bytes;
            most = Math.max(most, sent - received);
          };
          using response = await client.fetch("/", {
            method: "POST",
            body: (sink) => sendPieces(sink, onSent, bodyBytes),
          });
          for await (const bytes of response.bodyStream ?? []) received += bytes.length;
          assert.equal(received, sent);
          assert.ok(sent > bodyBytes - PIECE.length);
          assert.ok(most < onTheWayMax, `${most} bytes were on the way`);
        },
      ),
    only,
  );

  test(
    "proxy: a client that reads slowly slows the server down",
    () => {
      let sent = 0;
      return withProxy(
        () => new HttpResponse((sink) => sendPieces(sink, (bytes) => (sent = bytes))),
        async ({ client }) => {
          using response = await client.fetch("/");
          await response.bodyStream?.receive();
          await standsStill(() => sent);
          assert.ok(sent > 0 && sent < onTheWayMax, `${sent} bytes were sent`);
        },
      );
    },
    only,
  );

  test(
    "proxy: a server that reads slowly slows the client down",
    () =>
      withProxy(
        async (request) => {
          await (request as HttpRequest).bodyStream?.receive();
          return await sleepForever();
        },
        async ({ client }) => {
          let sent = 0;
          const body = (sink: BodySink): Promise<void> =>
            sendPieces(sink, (bytes) => (sent = bytes));
          await taskGroup(async (group) => {
            group.startSoon(() => client.fetch("/", { method: "POST", body }), { daemon: true });
            while (sent === 0) await sleep(10);
            await standsStill(() => sent);
          });
          assert.ok(sent < onTheWayMax, `${sent} bytes were sent`);
        },
      ),
    only,
  );
}

/** Waits until a number has not changed for a while. */
async function standsStill(read: () => number): Promise<void> {
  for (let before = NaN; before !== read();) {
    before = read();
    await sleep(200);
  }
}

test("proxy: events come as they are sent", () =>
  withProxy(
    (request) =>
      eventStreamResponse(request, async (events) => {
        for (let id = 1; ; id++) {
          await events.send({ id: String(id), data: `tick ${id}` });
          await sleep(20);
        }
      }),
    async ({ client }) => {
      const got: string[] = [];
      for await (const { data } of client.events("/")) if (got.push(data) === 3) break;
      assert.deepEqual(got, ["tick 1", "tick 2", "tick 3"]);
    },
  ));

test("proxy: WebSockets, in both directions, with how they end", () =>
  withProxy(
    (request, context) =>
      upgradeWebSocket(request, context, async (socket) => {
        for await (const message of socket) {
          if (message === "enough") return await socket.close(4001, "enough");
          await socket.send(message);
        }
      }),
    async ({ client, upstream, proxy, errors }) => {
      {
        await using socket = await client.webSocket("/");
        await socket.send("hello");
        assert.equal(await socket.receive(), "hello");
        const large = "x".repeat(300_000);
        await socket.send(large);
        assert.equal(await socket.receive(), large);
        await socket.send("enough");
        await assert.rejects(socket.receive(), WebSocketClosedError);
        assert.deepEqual([socket.closed?.code, socket.closed?.reason], [4001, "enough"]);
      }
      await settled(upstream);
      await settled(proxy);
      assert.deepEqual(errors, []);
    },
  ));

test(
  "proxy: a WebSocket whose server has gone is not kept by a client that does not leave",
  async (group) => {
    using listener = await listenTcp(0, { host: "127.0.0.1" });
    const upgrade = "connection: upgrade\r\nupgrade: websocket\r\n\r\n";
    group.startSoon(async () => {
      using peer = new RawPeer(await listener.accept());
      await peer.head();
      await peer.send(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}hello`);
    });
    await proxyTo([`http://127.0.0.1:${listener.port}`], async ({ connect, proxy }) => {
      using raw = await connect();
      await raw.send(`GET / HTTP/1.1\r\nhost: a\r\n${upgrade}`);
      assert.match(await raw.head(), /^HTTP\/1.1 101 /);
      assert.equal(await raw.rest(), "hello");
      assert.equal(proxy.statistics().connectionsActive, 1);
      await sleep(15_000);
      assert.equal(proxy.statistics().connectionsOpen, 0);
    });
  },
  { skip: { backend: "host", reason: "waits in virtual time" } },
);

test("proxy: a client that leaves ends the request to the server, before and in the response", async () => {
  let ended = 0;
  const endless = async (): Promise<never> => {
    try {
      return await sleepForever();
    } finally {
      ended += 1;
    }
  };
  await withProxy(
    async (request) => {
      if (request.url.endsWith("/head")) return await endless();
      return new HttpResponse(async (sink) => {
        await sink.send("begin");
        await endless();
      });
    },
    async ({ client, upstream, proxy, errors }) => {
      await moveOnAfter(100, () => client.request("/head"));
      await moveOnAfter(100, () => client.request("/body"));
      await settled(upstream);
      await settled(proxy);
      assert.equal(ended, 2);
      assert.deepEqual(errors, []);
    },
  );
});

test("proxy: a server that breaks in its response breaks the connection of the client", () =>
  withProxy(
    () =>
      new HttpResponse(async (sink) => {
        await sink.send("a part of it");
        throw new Error("broken");
      }),
    async ({ client }) => {
      using response = await client.fetch("/");
      assert.equal(response.status, 200);
      await assert.rejects(
        response.text(),
        (error) => error instanceof RequestFailedError && error.reason === "disconnected",
      );
    },
  ));
