/** WebSockets through a server. */
import assert from "node:assert/strict";
import { Event, now, sleep } from "arborio";
import { fieldsOf, RawClient, simTest } from "../connection/raw-client.test.kit.ts";
import type { Handler } from "../server/handler.ts";
import { testClient, type TestClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import { echo, RawPeer } from "./raw-peer.test.kit.ts";
import type { UpgradeWebSocketOptions } from "./upgrade-options.ts";
import { upgradeWebSocket } from "./upgrade-web-socket.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function head(...fields: string[]): string {
  return [
    "GET /chat HTTP/1.1",
    "host: example.org",
    "connection: keep-alive, Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    `sec-websocket-key: ${KEY}`,
    ...fields,
    "",
    "",
  ].join("\r\n");
}

function echoing(options: UpgradeWebSocketOptions = {}): Handler {
  return (request, context) => upgradeWebSocket(request, context, echo, options);
}

async function connected(
  client: TestClient,
  ...fields: string[]
): Promise<{ raw: RawClient; peer: RawPeer }> {
  const stream = client.connect();
  const raw = new RawClient(stream);
  await raw.send(head(...fields));
  return { raw, peer: new RawPeer(stream, "client") };
}

simTest(
  "upgradeWebSocket: 101 with the answer to the key, then messages, then the end",
  async () => {
    await using client = testClient(echoing());
    const { raw, peer } = await connected(client);
    const response = await raw.head();
    assert.equal(response.status, 101);
    assert.deepEqual(fieldsOf(response, "sec-websocket-accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
    assert.deepEqual(fieldsOf(response, "sec-websocket-protocol"), []);
    assert.deepEqual(fieldsOf(response, "sec-websocket-extensions"), []);
    await peer.send(1, "hello");
    assert.equal(await peer.next(), "text hello");
    await peer.close(1000);
    assert.deepEqual(await peer.rest(), ["close 1000", "end"]);
  },
);

simTest("upgradeWebSocket: frames right behind the handshake are not lost", async () => {
  await using client = testClient(echoing());
  const stream = client.connect();
  const peer = new RawPeer(stream, "client");
  const handshake = new TextEncoder().encode(head());
  const frame = peer.frame(1, "at once");
  const both = new Uint8Array(handshake.length + frame.length);
  both.set(handshake);
  both.set(frame, handshake.length);
  await stream.send(both);
  assert.equal((await new RawClient(stream).head()).status, 101);
  assert.equal(await peer.next(), "text at once");
  stream.close();
});

simTest("upgradeWebSocket: the subprotocol that both know", async () => {
  await using client = testClient((request, context) =>
    upgradeWebSocket(request, context, (socket) => socket.send(`[${socket.protocol}]`), {
      protocols: ["v2", "v1"],
    }),
  );
  for (const [offer, wanted] of [
    ["v1, v2", "v2"],
    ["v1", "v1"],
    ["v0", ""],
  ]) {
    const { raw, peer } = await connected(client, `sec-websocket-protocol: ${offer}`);
    const response = await raw.head();
    assert.deepEqual(fieldsOf(response, "sec-websocket-protocol"), wanted === "" ? [] : [wanted]);
    assert.equal(await peer.next(), `text [${wanted}]`);
    peer.stream.close();
  }
});

simTest("upgradeWebSocket: compression only if the server wants it too", async () => {
  const offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits";
  for (const [compression, wanted] of [
    [false, []],
    [true, ["permessage-deflate"]],
    [{ serverNoContextTakeover: true }, ["permessage-deflate; server_no_context_takeover"]],
  ] as const) {
    await using client = testClient(echoing({ compression }));
    const { raw, peer } = await connected(client, offer);
    assert.deepEqual(fieldsOf(await raw.head(), "sec-websocket-extensions"), wanted);
    peer.stream.close();
  }
});

simTest("upgradeWebSocket: what is no handshake gets a response that says why", async () => {
  await using client = testClient(echoing({ origins: ["https://app.test"] }));
  const plain = await client.fetch("/");
  assert.equal(plain.status, 426);
  assert.match(await plain.text(), /this is a WebSocket/);
  assert.equal(plain.headers.get("upgrade"), "websocket");
  assert.equal(plain.headers.get("connection"), "upgrade");
  const cases: readonly (readonly [number, string])[] = [
    [426, head().replace("version: 13", "version: 8")],
    [400, head().replace(KEY, "c2hvcnQ=")],
    [403, head("origin: https://evil.test")],
    [405, head().replace("GET", "PUT")],
    [400, head("content-length: 1") + "x"],
  ];
  for (const [status, text] of cases) {
    const raw = new RawClient(client.connect());
    await raw.send(text);
    const response = await raw.response();
    assert.equal(response.head.status, status, text);
    assert.notEqual(response.body, "");
    // It goes on as HTTP.
    raw.stream.close();
  }
  for (const origin of ["https://app.test", "http://example.org"]) {
    const { raw, peer } = await connected(client, `origin: ${origin}`);
    assert.equal((await raw.head()).status, 101);
    peer.stream.close();
  }
});

simTest(
  "upgradeWebSocket: requests behind a handshake that was declined are answered",
  async () => {
    await using client = testClient((request, context) =>
      request.url.endsWith("/chat")
        ? upgradeWebSocket(request, context, echo, { origins: [] })
        : new HttpResponse("plain"),
    );
    const raw = new RawClient(client.connect());
    await raw.send(head("origin: https://evil.test") + "GET /other HTTP/1.1\r\nhost: a\r\n\r\n");
    assert.equal((await raw.response()).head.status, 403);
    assert.equal((await raw.response()).body, "plain");
    raw.stream.close();
  },
);

simTest(
  "upgradeWebSocket: a shutdown of the server tells 1001, and lets the rest come",
  async () => {
    const started = new Event();
    const client = testClient((request, context) =>
      upgradeWebSocket(request, context, async (socket) => {
        started.set();
        await echo(socket);
      }),
    );
    const { raw, peer } = await connected(client);
    assert.equal((await raw.head()).status, 101);
    await started.wait();
    const start = now();
    const closing = client.close({ graceMs: 5000 });
    assert.equal(await peer.next(), "close 1001");
    await peer.close(1001);
    assert.equal(await peer.next(), "end");
    peer.stream.close();
    await closing;
    assert.ok(now() - start < 1000);
  },
);

simTest(
  "upgradeWebSocket: a body that fails is told to onError, a client that goes is not",
  async () => {
    const errors: unknown[] = [];
    await using client = testClient(
      (request, context) =>
        upgradeWebSocket(request, context, async (socket) => {
          const message = await socket.receive();
          if (message === "fail") throw new Error("mine");
          for (;;) await socket.receive();
        }),
      { onError: (error) => void errors.push(error) },
    );
    const failing = await connected(client);
    await failing.raw.head();
    await failing.peer.send(1, "fail");
    assert.equal(await failing.peer.next(), "close 1011");
    await failing.peer.close(1011);
    await failing.peer.rest();
    failing.peer.stream.close();
    const going = await connected(client);
    await going.raw.head();
    await going.peer.send(1, "stay");
    await sleep(5);
    going.peer.stream.close();
    await sleep(50);
    assert.deepEqual(errors.map(String), ["Error: mine"]);
  },
);

simTest("upgradeWebSocket: wrong options are refused", async () => {
  const wrong: readonly [UpgradeWebSocketOptions, RegExp][] = [
    [{ messageBytesMax: -1 }, /messageBytesMax.*got -1/],
    [{ fragmentBytesMax: 0 }, /fragmentBytesMax.*got 0/],
    [{ heartbeatMs: Number.NaN }, /heartbeatMs.*got NaN/],
    [{ closeMs: "1" as never }, /closeMs.*got string/],
    [{ compression: 1 as never }, /compression.*got 1/],
    [{ compression: { level: 10 } }, /level.*got 10/],
    [{ compression: { serverMaxWindowBits: 8 } }, /serverMaxWindowBits.*got 8/],
    [{ fragmentBytesMax: 1.5 }, /fragmentBytesMax.*got 1.5, needs a whole number/],
    [{ maxPayload: 1 } as never, /\{ maxPayload \}\): there is no such option; there are messageB/],
    [
      { compression: { bits: 9 } as never },
      /\{ bits \}\): there is no such option; there are level/,
    ],
    [null as never, /got null as options, needs an object/],
    [{ protocols: "chat" as never }, /protocols.*got "chat", needs a list of names/],
    [{ protocols: ["a b"] }, /protocols.*got "a b"/],
    [{ origins: "https://app.test" as never }, /origins.*got "https:\/\/app.test", needs "any"/],
    [{ origins: ["https://app.test/"] }, /got "https:\/\/app.test\/", needs .* without a path/],
    [{ origins: ["app.test"] }, /got "app.test"/],
  ];
  for (const [options, pattern] of wrong) {
    const errors: unknown[] = [];
    await using client = testClient(echoing(options), {
      onError: (error) => void errors.push(error),
    });
    const { raw } = await connected(client);
    assert.equal((await raw.response()).head.status, 500);
    assert.match(String(errors[0]), pattern);
    raw.stream.close();
  }
});
