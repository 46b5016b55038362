/** A connection that was switched to another protocol: `fetch(url, { upgrade })`, and who holds it then. */
import assert from "node:assert/strict";
import { EndOfStream, InvalidStateError, sleep, type TaskGroup, taskGroup } from "arborio";
import { BufferedByteStream } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openHttpClient } from "./http-client.ts";
import { rawServer, type RawServer } from "./raw-server.test.kit.ts";
import { encode } from "./uploads.test.kit.ts";
import { warningsOf } from "./warnings.test.kit.ts";

/** Switches and echoes; `/no` it answers. */
function echoServer(group: TaskGroup): Promise<RawServer> {
  return rawServer(group, async (peer, { seen }) => {
    for (let head = await peer.request(); head !== null; head = await peer.request()) {
      seen.push(head);
      if (head.startsWith("GET /no")) {
        await peer.answer("no");
        continue;
      }
      // What comes with the head belongs to the new protocol.
      await peer.send("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nearly ");
      for (;;) await peer.stream.send(await peer.stream.receive());
    }
  });
}

simTest("fetch({ upgrade }): the stream of the response is the connection", async (group) => {
  const server = await echoServer(group);
  await using client = openHttpClient({ base: server.url });
  const response = await client.fetch("/", { upgrade: "echo" });
  assert.equal(response.status, 101);
  assert.equal(response.headers.get("upgrade"), "echo");
  assert.equal(response.body, null);
  assert.match(server.seen[0] as string, /^connection: upgrade\r\nupgrade: echo\r\n/m);
  {
    await using stream = new BufferedByteStream(response.takeStream());
    assert.throws(() => response.takeStream(), InvalidStateError);
    // It is the stream's now.
    response.close();
    await stream.send(encode("hello"));
    assert.deepEqual(await stream.receiveExactly(11), encode("early hello"));
    assert.equal(client.statistics().connectionsActive, 1);
  }
  await sleep(3000);
  assert.equal(client.statistics().connectionsOpen, 0);
  assert.equal(server.open, 0);
});

simTest("fetch({ upgrade }): a server that does not switch has answered", async (group) => {
  const server = await echoServer(group);
  await using client = openHttpClient({ base: server.url });
  const response = await client.fetch("/no", { upgrade: "echo" });
  assert.equal(await response.text(), "no");
  assert.throws(
    () => response.takeStream(),
    /the status is 200, needs 101: the server did not switch/,
  );
  assert.equal(client.statistics().connectionsIdle, 1);
});

simTest(
  "fetch({ upgrade }): what nobody takes is closed, or given back with a warning",
  async (group) => {
    const server = await echoServer(group);
    await using client = openHttpClient({ base: server.url });
    {
      using response = await client.fetch("/", { upgrade: "echo" });
      assert.equal(response.status, 101);
    }
    assert.equal(client.statistics().connectionsOpen, 0);
    const warnings = await warningsOf(() =>
      taskGroup(async (inner) => {
        inner.startSoon(async () => void (await client.fetch("/", { upgrade: "echo" })));
      }),
    );
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] as string, /nobody took the upgraded connection or closed it/);
    assert.equal(client.statistics().connectionsOpen, 0);
    await sleep(3000);
    assert.equal(server.open, 0);
  },
);

simTest("fetch({ upgrade }): closing the client ends what was taken", async (group) => {
  const server = await echoServer(group);
  const client = openHttpClient({ base: server.url });
  const response = await client.fetch("/", { upgrade: "echo" });
  using stream = response.takeStream();
  assert.deepEqual(await stream.receive(6), encode("early "));
  await taskGroup(async (inner) => {
    inner.startSoon(() =>
      assert.rejects(stream.receive(), (error) => !(error instanceof EndOfStream)),
    );
    await sleep(1);
    await client[Symbol.asyncDispose]();
  });
  await sleep(3000);
  assert.equal(server.open, 0);
});
