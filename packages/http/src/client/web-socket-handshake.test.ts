/** The handshake of a client's WebSocket: what it takes for an answer, and that it is a request like others. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test as nodeTest } from "node:test";
import { moveOnAfter, sleep, type TaskGroup } from "arborio";
import { onEveryBackend } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import { encodeFrame } from "../protocol/websocket/encode-frame.ts";
import { joined } from "../protocol/websocket/frames.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { upgradeWebSocket } from "../websocket/upgrade-web-socket.ts";
import { RawPeer as FramePeer } from "../websocket/raw-peer.test.kit.ts";
import { CookieJar } from "./cookie-jar.ts";
import { openHttpClient } from "./http-client.ts";
import {
  assertNothingOpen,
  failedIn,
  type RawPeer,
  rawServer,
  type RawServer,
} from "./raw-server.test.kit.ts";
import { WebSocketHandshakeError } from "./web-socket-handshake-error.ts";

const test = onEveryBackend(nodeTest);

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A good answer to a request; `changes` in place of its fields. */
function answerTo(head: string, changes: Readonly<Record<string, string | null>> = {}): string {
  const key = /^sec-websocket-key: *(.*?) *$/im.exec(head)?.[1] ?? "";
  const accept = createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  const fields = {
    status: "HTTP/1.1 101 Switching Protocols",
    connection: "upgrade",
    upgrade: "websocket",
    "sec-websocket-accept": accept,
    ...changes,
  };
  const { status, ...rest } = fields;
  const lines = Object.entries(rest).map(([name, value]) =>
    value === null ? "" : `${name}: ${value}\r\n`,
  );
  return `${status}\r\n${lines.join("")}\r\n`;
}

/** A server that answers a handshake, does something, and then waits until the client has gone. */
function answering(
  group: TaskGroup,
  answer: (head: string) => string,
  then: (peer: RawPeer) => Promise<void> = async () => {},
): Promise<RawServer> {
  return rawServer(group, async (peer) => {
    const head = await peer.requestHead();
    await peer.stream.send(bytesOf(answer(head ?? "")));
    await then(peer);
    for await (const _ of peer.stream);
  });
}

const refused: readonly [string, Readonly<Record<string, string | null>>, RegExp][] = [
  ["another accept", { "sec-websocket-accept": "AAAA" }, /Sec-WebSocket-Accept is "AAAA", needs "/],
  ["no accept", { "sec-websocket-accept": null }, /Sec-WebSocket-Accept is missing/],
  ["another protocol of the connection", { upgrade: "h2c" }, /h2c/],
  [
    "a protocol not offered",
    { "sec-websocket-protocol": "other" },
    /Sec-WebSocket-Protocol is "ot/,
  ],
  ["a protocol in other letters", { "sec-websocket-protocol": "CHAT" }, /Sec-WebSocket-Protocol/],
  ["two protocols", { "sec-websocket-protocol": "chat, chat" }, /Sec-WebSocket-Protocol/],
  [
    "an extension not offered",
    { "sec-websocket-extensions": "permessage-deflate" },
    /needs none: none was offered/,
  ],
  ["an unknown extension", { "sec-websocket-extensions": "x-mine" }, /Sec-WebSocket-Extensions/],
  ["the status 200", { status: "HTTP/1.1 200 OK", "content-length": "0" }, /200/],
  ["the status 401", { status: "HTTP/1.1 401 No", "content-length": "0" }, /401/],
];

for (const [name, changes, wrong] of refused) {
  test(`client.webSocket: an answer with ${name} is refused, and the connection given back`, async (group) => {
    let isOver = false;
    const server = await answering(
      group,
      (head) => answerTo(head, changes),
      async (peer) => {
        try {
          for await (const _ of peer.stream) assert.fail("a frame was sent");
        } finally {
          isOver = true;
        }
      },
    );
    const client = openHttpClient();
    await assert.rejects(client.webSocket(server.url, { protocols: ["chat"] }), (error) => {
      assert.match((error as Error).message, wrong);
      return true;
    });
    await client[Symbol.asyncDispose]();
    assertNothingOpen(client.statistics());
    await moveOnAfter(10_000, async () => {
      while (!isOver) await sleep(1);
    });
    assert.ok(isOver);
  });
}

test("client.webSocket: an answer in other letters, with more in it, is good", async (group) => {
  const server = await answering(group, (head) =>
    answerTo(head, {
      connection: "keep-alive, UPGRADE",
      upgrade: "WebSocket",
      "sec-websocket-protocol": "chat",
      "sec-websocket-extensions": "",
      "x-other": "1",
    }),
  );
  await using client = openHttpClient();
  const socket = await client.webSocket(server.url, { protocols: ["chat"] });
  assert.equal(socket.protocol, "chat");
  socket.abort();
});

test("client.webSocket: frames right behind the 101 are received, and the close behind them", async (group) => {
  const frames = joined([
    encodeFrame({ opcode: 1 }, bytesOf("at once")),
    encodeFrame({ opcode: 9 }, Uint8Array.of(7)),
    encodeFrame({ opcode: 2 }, new Uint8Array(100_000)),
    encodeFrame({ opcode: 8 }, encodeClose(4000, "bye")),
  ]);
  const seen: unknown[] = [];
  const server = await rawServer(group, async (peer) => {
    const head = (await peer.requestHead()) ?? "";
    // One write with the answer.
    await peer.stream.send(joined([bytesOf(answerTo(head)), frames]));
    const frame = new FramePeer(peer.stream, "server");
    seen.push(await frame.next(), await frame.next());
  });
  await using client = openHttpClient();
  await using socket = await client.webSocket(server.url);
  const received: unknown[] = [];
  for await (const message of socket)
    received.push(typeof message === "string" ? message : message.length);
  assert.deepEqual(received, ["at once", 100_000]);
  await socket.close();
  assert.deepEqual(seen, ["pong 7", "close 4000"]);
  assert.deepEqual([socket.closed?.code, socket.closed?.reason], [4000, "bye"]);
});

test("client.webSocket: a redirect is followed, with cookies, credentials and middleware as for other requests", async (group) => {
  const seen: string[] = [];
  await using server = await openServer(
    (request, context) => {
      const { pathname } = new URL(request.url);
      const field = (name: string): string => request.headers.get(name) ?? "none";
      seen.push(
        [pathname, ...["cookie", "authorization", "x-added"].map((name) => field(name))].join(" "),
      );
      if (pathname === "/old")
        return new HttpResponse(null, {
          status: 307,
          headers: { location: "/new", "set-cookie": "b=2" },
        });
      return upgradeWebSocket(request, context, (socket) => socket.send("here"));
    },
    { port: 0, host: "127.0.0.1", group },
  );
  const cookies = new CookieJar();
  cookies.set("a=1", server.url);
  await using client = openHttpClient({
    base: server.url,
    cookies,
    auth: { user: "u", password: "p" },
    middleware: [(request, next) => next(request.with({ headers: { "x-added": "yes" } }))],
  });
  await using socket = await client.webSocket("/old");
  assert.equal(await socket.receive(), "here");
  assert.deepEqual(seen, ["/old a=1 Basic dTpw yes", "/new a=1; b=2 Basic dTpw yes"]);
});

test("client.webSocket: a response that is no 101 says its status and fields, and is not left open", async (group) => {
  await using server = await openServer(
    () => new HttpResponse("wait", { status: 503, headers: { "retry-after": "7" } }),
    { port: 0, host: "127.0.0.1", group },
  );
  for (const raiseForStatus of [false, true]) {
    const client = openHttpClient({ base: server.url, raiseForStatus });
    for (let count = 0; count < 3; count++) {
      await assert.rejects(client.webSocket("/"), (error) => {
        assert.ok(error instanceof WebSocketHandshakeError);
        assert.deepEqual([error.status, error.headers.get("retry-after")], [503, "7"]);
        assert.equal(error.url, server.url);
        return true;
      });
    }
    await client[Symbol.asyncDispose]();
    assertNothingOpen(client.statistics());
  }
});

simTest(
  "client.webSocket: a server that never answers the handshake is waited for headMs",
  async (group) => {
    const server = await rawServer(group, async (peer) => {
      await peer.requestHead();
      await sleep(60_000);
    });
    await using client = openHttpClient({ timeouts: { headMs: 1000 } });
    await assert.rejects(client.webSocket(server.url), failedIn("head", "timeout"));
  },
);
