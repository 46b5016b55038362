/** Connections that are cut below TLS, on the runtime's own sockets too: what has no length of its own is not taken for the whole. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { Event, type TaskGroup, taskGroup } from "arborio";
import { connectTcp, listenTcp, type SocketStream } from "arborio/net";
import { copyStream } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { openHttpClient } from "../client/http-client.ts";
import { authority, identity } from "../server/certificates.test.kit.ts";

const test = onEveryBackend(nodeTest);

const encoder = new TextEncoder();
const FRAMED_BY_END = "HTTP/1.1 200 OK\r\n\r\nhel";
const WITH_LENGTH = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhel";

/** A server that answers so and waits, behind a relay that ends the connection in order, as far as TCP can tell, when told to. */
async function openCuttable(
  group: TaskGroup,
  answer: string,
): Promise<{ port: number; cut: Event }> {
  const cut = new Event();
  const server = await listenTcp(0, { host: "127.0.0.1", tls: { identity } });
  const relay = await listenTcp(0, { host: "127.0.0.1" });
  const serve = async (stream: SocketStream): Promise<void> => {
    await stream.receive();
    await stream.send(encoder.encode(answer));
    await cut.wait();
  };
  const pass = async (client: SocketStream): Promise<void> => {
    using upstream = await connectTcp("127.0.0.1", server.port);
    await taskGroup(async (passing) => {
      passing.startSoon(() => copyStream(client, upstream).catch(() => {}));
      passing.startSoon(() => copyStream(upstream, client).catch(() => {}));
      await cut.wait();
      passing.cancel("cut");
    });
    await client.sendEof();
  };
  for (const [listener, handler] of [
    [server, serve],
    [relay, pass],
  ] as const) {
    group.startSoon(async () => {
      using listening = listener;
      // Whoever is cut off says so.
      await listening.serve((stream) => handler(stream).catch(() => {}));
    });
  }
  return { port: relay.port, cut };
}

const TLS = { trusted: authority };

test("TLS that is cut: a body framed by the end is not whole", async () => {
  await taskGroup(async (group) => {
    const { port, cut } = await openCuttable(group, FRAMED_BY_END);
    await using client = openHttpClient({ tls: TLS });
    using response = await client.fetch(`https://localhost:${port}/`);
    const stream = response.bodyStream;
    assert.ok(stream !== null);
    assert.equal(new TextDecoder().decode(await stream.receive()), "hel");
    cut.set();
    await assert.rejects(stream.receive(), { phase: "body", reason: "disconnected" });
    group.cancel("done");
  });
});

test("TLS that is cut: it is, for who says so; and what has a length always was", async () => {
  for (const [answer, requireCloseNotify] of [
    [FRAMED_BY_END, false],
    [WITH_LENGTH, true],
  ] as const) {
    await taskGroup(async (group) => {
      const { port, cut } = await openCuttable(group, answer);
      await using client = openHttpClient({ tls: { ...TLS, requireCloseNotify } });
      using response = await client.fetch(`https://localhost:${port}/`);
      const [text] = await Promise.all([response.text(), Promise.resolve(cut.set())]);
      assert.equal(text, "hel");
      group.cancel("done");
    });
  }
});
