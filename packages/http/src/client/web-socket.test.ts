/** WebSockets of a client: the handshake, what goes wrong in it, and that nothing is left. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { moveOnAfter, run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { UpgradeWebSocketOptions } from "../websocket/upgrade-options.ts";
import { upgradeWebSocket } from "../websocket/upgrade-web-socket.ts";
import { WebSocketClosedError } from "../websocket/web-socket-closed-error.ts";
import type { WebSocketBody } from "../websocket/run-web-socket.ts";
import type { Server } from "../server/server.ts";
import { openHttpClient } from "./http-client.ts";
import { WebSocketHandshakeError } from "./web-socket-handshake-error.ts";

const test = onEveryBackend(nodeTest);

const echo: WebSocketBody = async (socket) => {
  for await (const message of socket) await socket.send(message);
};

function openEcho(
  options: UpgradeWebSocketOptions = {},
  body: WebSocketBody = echo,
): Promise<Server> {
  return openServer((request, context) => upgradeWebSocket(request, context, body, options), {
    port: 0,
    host: "127.0.0.1",
  });
}

test(
  "client.webSocket: texts and bytes, both ways",
  async () => {
    await using server = await openEcho();
    await using client = openHttpClient();
    {
      await using socket = await client.webSocket(server.url.replace("http", "ws"));
      await socket.send("hello");
      await socket.send(Uint8Array.of(1, 2, 3));
      assert.equal(await socket.receive(), "hello");
      assert.deepEqual(await socket.receive(), Uint8Array.of(1, 2, 3));
      assert.ok((await socket.ping()) >= 0);
      await socket.close(4000, "enough");
      assert.equal(socket.closed?.code, 4000);
      assert.ok(socket.closed?.wasClean);
    }
    // On the host the news takes its time.
    for (let tries = 0; server.statistics().connectionsOpen > 0 && tries < 5000; tries++)
      await sleep(1);
    assert.equal(server.statistics().connectionsOpen, 0);
  },
  { seeds: [1, 2, 3] },
);

test("client.webSocket: subprotocol, origin, fields and compression", async () => {
  let seen: Headers | undefined;
  await using server = await openServer(
    (request, context) => {
      seen = request.headers;
      return upgradeWebSocket(request, context, echo, {
        protocols: ["b", "c"],
        origins: ["http://app.example"],
        compression: { messageBytesMin: 0 },
      });
    },
    { port: 0, host: "127.0.0.1" },
  );
  await using client = openHttpClient({ base: server.url });
  await using socket = await client.webSocket("/chat?room=1", {
    protocols: ["a", "c", "b"],
    origin: "http://app.example",
    headers: { "x-token": "t" },
    compression: { messageBytesMin: 0 },
  });
  assert.equal(socket.protocol, "b");
  assert.equal(seen?.get("x-token"), "t");
  const long = "arborio ".repeat(10_000);
  await socket.send(long);
  assert.equal(await socket.receive(), long);
  assert.ok(server.statistics().bytesReceived < 5000, "it was compressed");
});

test("client.webSocket: a server that refuses", async () => {
  await using server = await openServer(() => new HttpResponse("no", { status: 403 }), {
    port: 0,
    host: "127.0.0.1",
  });
  await using client = openHttpClient({ base: server.url });
  await assert.rejects(client.webSocket("/"), (error) => {
    assert.ok(error instanceof WebSocketHandshakeError);
    assert.equal(error.status, 403);
    assert.match(error.message, /gave no WebSocket: the status is 403, needs 101/);
    return true;
  });
});

test("client.webSocket: closing the client breaks its WebSockets", async () => {
  await using server = await openEcho();
  const client = openHttpClient();
  const socket = await client.webSocket(server.url);
  await client[Symbol.asyncDispose]();
  await assert.rejects(socket.receive(), WebSocketClosedError);
});

test("client.webSocket: a WebSocket that is left open ends with its group", async () => {
  let seen: unknown;
  await using server = await openEcho({}, async (socket) => {
    await socket.receive().catch((error: unknown) => void (seen = error));
  });
  await using client = openHttpClient();
  await taskGroup(async (group) => {
    await client.webSocket(server.url, { group });
  });
  await moveOnAfter(1000, async () => {
    while (seen === undefined) await sleep(1);
  });
  assert.ok(seen instanceof WebSocketClosedError);
});

void nodeTest("client.webSocket: wrong options", async () => {
  await run(
    async () => {
      await using client = openHttpClient();
      const url = "ws://127.0.0.1:1/";
      await assert.rejects(
        client.webSocket(url, { protocols: "a" as never }),
        /got "a", needs a list of names/,
      );
      await assert.rejects(client.webSocket(url, { protocols: ["a b"] }), /needs names that are/);
      await assert.rejects(client.webSocket(url, { protocols: ["a", "a"] }), /each once/);
      await assert.rejects(client.webSocket(url, { heartbeatMs: 0 }), RangeError);
      await assert.rejects(
        client.webSocket(url, { heartbeat: 1 } as never),
        /client.webSocket\(\{ heartbeat \}\): there is no such option; there are messageBytesMax/,
      );
      await assert.rejects(client.webSocket(url, { method: "POST" } as never), /no such option/);
      await assert.rejects(client.webSocket(url, { origin: 1 as never }), /got 1, needs a text/);
      await assert.rejects(client.webSocket("ftp://127.0.0.1/"), /needs http: or https:/);
    },
    { signals: [] },
  );
});

void nodeTest("cancelEverywhere: a WebSocket is opened, used and closed", async () => {
  await run(
    async () => {
      const sweep = await cancelEverywhere(async () => {
        await using server = await openEcho({ compression: true });
        await using client = openHttpClient();
        await using socket = await client.webSocket(server.url, { compression: true });
        await socket.send("x".repeat(300));
        assert.equal(((await socket.receive()) as string).length, 300);
        await socket.close();
      });
      assert.ok(sweep.rounds.waiting > 3, JSON.stringify(sweep));
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});
