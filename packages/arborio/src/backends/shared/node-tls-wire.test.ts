import assert from "node:assert/strict";
import { describe, test as nodeTest } from "node:test";
import { SystemError, TlsError } from "../../core/errors.ts";
import {
  connectTls,
  connectedTls,
  testClient,
  testServer,
  type TlsSide,
} from "../../testing/tls-wires.ts";
import { createWirePair } from "../../testing/wire-pair.ts";
import { WireRecorder } from "../../testing/wire-recorder.ts";
import { nodeTls } from "./node-tls.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 10_000;

const CHUNKS = [Infinity, 1000, 7, 1];

function test(title: string, body: () => Promise<void>): void {
  void nodeTest(title, { timeout: TEST_MS_MAX }, body);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Some turns of the host: more than any engine takes for anything. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What the engine wrote, wrote in order, one at a time. */
function assertOrderly(...sides: TlsSide[]): void {
  for (const { raw } of sides) assert.equal(raw.overlappingWrites, 0);
}

async function closeAll(...sides: TlsSide[]): Promise<void> {
  for (const { wire } of sides) wire.close(true);
  await turns();
  for (const { raw } of sides) assert.notEqual(raw.closed, "no");
  assertOrderly(...sides);
}

describe("TlsWire: the handshake", () => {
  for (const chunkBytes of CHUNKS) {
    test(`both sides are told, and know what was agreed, in chunks of ${chunkBytes} bytes`, async () => {
      const [client, server] = connectTls(nodeTls, {
        chunkBytes,
        client: { alpnProtocols: ["b", "a"] },
        server: { alpnProtocols: ["a", "b"] },
      });
      for (const { wire } of [client, server]) {
        assert.equal(wire.details.securing, true);
        assert.equal(wire.details.tls, undefined);
      }
      await client.told.until("secured");
      await server.told.until("secured");
      for (const { wire } of [client, server]) {
        assert.equal(wire.details.securing, false);
        const info = wire.details.tls;
        assert.deepEqual(
          [info?.version, info?.alpnProtocol, info?.serverName, info?.resumed],
          ["TLSv1.3", "a", "localhost", false],
        );
        assert.match(info?.cipher ?? "", /^TLS_/);
      }
      assert.equal(client.wire.details.tls?.peerCertificate?.[0], 0x30);
      assert.equal(server.wire.details.tls?.peerCertificate, undefined);
      await closeAll(client, server);
    });
  }

  test("what is written and ended before it is kept until it is done", async () => {
    const [client, server] = connectTls(nodeTls);
    assert.equal(client.wire.write(bytesOf("early")), false);
    client.wire.end();
    await server.told.until("ended");
    assert.equal(server.told.text, "early");
    assert.deepEqual(client.told.events.slice(0, 2), ["secured", "written"]);
    await closeAll(client, server);
  });

  test("pause does not keep it from being done, but what comes after waits", async () => {
    const [client, server] = connectTls(nodeTls);
    client.wire.pause();
    await client.told.until("secured");
    await turns();
    server.wire.write(bytesOf("later"));
    await turns();
    assert.equal(client.told.text, "");
    client.wire.resume();
    await client.told.untilBytes(5);
    await closeAll(client, server);
  });

  test("a wire that is closed before or in it lets go of the wire below, and tells nothing", async () => {
    const [unopened] = createWirePair();
    nodeTls.wrap(unopened, testClient()).close(false);
    assert.equal(unopened.closed, "orderly");
    for (let turn = 0; turn < 6; turn++) {
      const [client, server] = connectTls(nodeTls, { chunkBytes: 400 });
      for (let count = 0; count < turn; count++) await Promise.resolve();
      const sides = turn % 2 === 0 ? [client, server] : [server, client];
      const [closing, other] = sides as [TlsSide, TlsSide];
      closing.wire.close(false);
      await other.told.until("failed: handshake-cut");
      assert.deepEqual([closing.told.events, closing.raw.closed], [[], "orderly"]);
      await closeAll(other);
    }
  });

  test("a wire below that fails in it is the other side's doing", async () => {
    const [client, server] = connectTls(nodeTls);
    const cause = new SystemError("connection: reset", "ECONNRESET");
    client.raw.fail(cause);
    await client.told.until("failed: handshake-cut");
    assert.equal(client.told.error?.cause, cause);
    await closeAll(client, server);
  });
});

describe("TlsWire: writing", () => {
  test("written is told when the wire below has everything, and not much is encrypted before", async () => {
    const [client, server] = await connectedTls(nodeTls, { capacityBytes: 1000 });
    server.raw.pause();
    const before = client.raw.bytesWritten;
    client.wire.write(new Uint8Array(5_000_000));
    await turns();
    assert.deepEqual(client.told.events, ["secured"]);
    const ahead = client.raw.bytesWritten - before;
    assert.ok(ahead > 0 && ahead < 70_000, `${ahead} bytes were given to the wire below`);
    server.raw.resume();
    await client.told.until("written");
    await server.told.untilBytes(5_000_000);
    await closeAll(client, server);
  });

  test("nothing is received beyond what was under way when the receiver paused", async () => {
    const [client, server] = await connectedTls(nodeTls, { capacityBytes: 1000 });
    client.wire.write(new Uint8Array(1_000_000));
    await server.told.untilBytes(1);
    server.wire.pause();
    await turns();
    const received = server.told.bytes.length;
    await turns();
    assert.equal(server.told.bytes.length, received);
    assert.ok(received < 200_000, `${received} bytes came`);
    server.wire.resume();
    await server.told.untilBytes(1_000_000);
    await closeAll(client, server);
  });

  test("both directions at once, in chunks of any size", async () => {
    for (const chunkBytes of [Infinity, 1000, 50]) {
      const [client, server] = await connectedTls(nodeTls, { chunkBytes });
      const sent = new Uint8Array(100_000).map((_, index) => index % 251);
      client.wire.write(sent);
      server.wire.write(sent);
      for (const { told } of [client, server]) {
        await told.untilBytes(sent.length);
        assert.deepEqual(told.bytes, sent);
      }
      await closeAll(client, server);
    }
  });
});

describe("TlsWire: TLS in TLS", () => {
  test("is one wire on another", async () => {
    const [near, far] = createWirePair({ chunkBytes: 500 });
    const [client, server] = [new WireRecorder(), new WireRecorder()];
    const inner = nodeTls.wrap(nodeTls.wrap(near, testClient()), testClient({ serverName: "::1" }));
    const outer = nodeTls.wrap(nodeTls.wrap(far, testServer()), testServer());
    inner.open(client);
    outer.open(server);
    inner.write(bytesOf("hello"));
    await server.untilBytes(5);
    outer.write(new Uint8Array(200_000));
    await client.untilBytes(200_000);
    assert.equal(inner.details.tls?.serverName, undefined);
    inner.write(bytesOf(" and goodbye"));
    await client.until("written", 2);
    inner.close(false);
    await server.until("ended");
    assert.equal(server.text, "hello and goodbye");
    outer.close(false);
    await turns();
    assert.deepEqual([near.closed, far.closed], ["orderly", "orderly"]);
    assert.deepEqual([near.overlappingWrites, far.overlappingWrites], [0, 0]);
  });
});

test("TlsWire: errors are TlsErrors, with the runtime's own as the cause", async () => {
  const [client, server] = connectTls(nodeTls, { client: { serverName: "other.test" } });
  await client.told.until("failed: wrong-name");
  assert.ok(client.told.error instanceof TlsError);
  assert.match(client.told.error.message, /^TLS with other\.test: /);
  assert.ok(client.told.error.cause instanceof Error);
  client.wire.close(false);
  await server.told.when(() => server.told.error !== undefined);
  assert.ok(server.told.error instanceof TlsError);
  await closeAll(client, server);
});
