import assert from "node:assert/strict";
import process from "node:process";
import { describe, test as nodeTest } from "node:test";
import { SystemError } from "../../core/errors.ts";
import {
  connectedTls,
  connectTls,
  type ConnectTlsOptions,
  type TlsSide,
} from "../../testing/tls-wires.ts";
import { nodeTls } from "./node-tls.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 10_000;

const CHUNKS = [Infinity, 1000, 7, 1];
/** More than the engines' and the wire's own buffers, and no whole number of records. */
const MUCH = 300_001;

/** Bun's engine answers the closing alert with its own at once. */
const HALF_CLOSES = process.versions["bun"] === undefined;

function test(title: string, body: () => Promise<void>): void {
  void nodeTest(title, { timeout: TEST_MS_MAX }, body);
}

/** Some turns of the host: more than any engine takes for anything. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const sides: TlsSide[] = [];

async function connected(options: ConnectTlsOptions = {}): Promise<[TlsSide, TlsSide]> {
  const pair = await connectedTls(nodeTls, options);
  sides.push(...pair);
  return pair;
}

async function closeAll(): Promise<void> {
  const all = sides.splice(0);
  for (const { wire } of all) wire.close(true);
  await turns();
  for (const { raw } of all) {
    assert.notEqual(raw.closed, "no");
    assert.equal(raw.overlappingWrites, 0);
  }
}

describe("TlsWire: the end", () => {
  for (const chunkBytes of CHUNKS) {
    test(`close right after a write: all bytes come, then the end, in chunks of ${chunkBytes}`, async () => {
      const count = chunkBytes === 1 ? 5000 : MUCH;
      const [client, server] = await connected({ chunkBytes });
      for (const [from, to] of [[client, server]] as const) {
        from.wire.write(new Uint8Array(count));
        await Promise.all([from.told.until("written"), to.told.untilBytes(count)]);
        from.wire.close(false);
        await to.told.until("ended");
        // The wire below is open until the other side ends too: what that has sent meanwhile must not reset it.
        assert.equal(from.raw.closed, "no");
        to.wire.close(false);
        await turns();
        assert.deepEqual([from.raw.closed, to.told.error], ["orderly", undefined]);
      }
      await closeAll();
    });

    test(`a closing alert with the wire's end behind it is no truncation, in chunks of ${chunkBytes}`, async () => {
      for (const isServer of [false, true]) {
        const [client, server] = await connected({ chunkBytes });
        const [from, to] = isServer ? [server, client] : [client, server];
        to.raw.pause();
        from.wire.write(new Uint8Array(1000));
        await from.told.until("written");
        from.wire.close(false);
        await turns();
        // Now the last record, the alert and the end all come in one breath.
        assert.equal(from.raw.ended, true);
        to.raw.resume();
        await to.told.until("ended");
        await turns();
        assert.equal(to.told.bytes.length, 1000);
        assert.equal(to.told.error, undefined);
        await closeAll();
      }
    });

    test(`the wire's end without an alert is a truncation, after all bytes, in chunks of ${chunkBytes}`, async () => {
      for (const isServer of [false, true]) {
        const [client, server] = await connected({ chunkBytes });
        const [from, to] = isServer ? [server, client] : [client, server];
        to.raw.pause();
        from.wire.write(new Uint8Array(1000));
        await from.told.until("written");
        from.raw.cut();
        await turns();
        to.raw.resume();
        await to.told.until("failed: truncated");
        assert.equal(to.told.bytes.length, 1000);
        assert.equal(to.told.events.includes("ended"), false);
        await closeAll();
      }
    });
  }

  test("a wire that ends in the middle of a record is a truncation", async () => {
    const [client, server] = await connected();
    client.raw.tamper = (bytes) => bytes.subarray(0, bytes.length - 1);
    client.wire.write(new Uint8Array(1000));
    await client.told.until("written");
    client.raw.cut();
    await server.told.until("failed: truncated");
    assert.equal(server.told.bytes.length, 0);
    await closeAll();
  });

  test("requireCloseNotify: false takes the wire's end for the end, and an alert before it for the only one", async () => {
    const lax = { requireCloseNotify: false };
    const [client, server] = await connected({ client: lax, server: lax });
    client.raw.cut();
    await server.told.until("ended");
    server.wire.write(new Uint8Array(1000));
    await Promise.all([client.told.untilBytes(1000), server.told.until("written")]);
    server.wire.close(false);
    await client.told.until("ended");
    await turns();
    assert.deepEqual(client.told.events, ["secured", "bytes", "ended"]);
    assert.deepEqual(server.told.events, ["secured", "ended", "written"]);
    await closeAll();
  });

  test("a record that was tampered with is a failure, never the end", async () => {
    for (const isServer of [false, true]) {
      const [client, server] = await connected();
      const [from, to] = isServer ? [server, client] : [client, server];
      from.raw.tamper = (bytes) => bytes.map((byte, at) => (at > 5 ? byte ^ 1 : byte));
      from.wire.write(new Uint8Array(1000));
      await to.told.until("failed: protocol");
      assert.deepEqual(to.told.events, ["secured", "failed: protocol"]);
      // The other side gets to know by an alert.
      to.wire.close(true);
      await from.told.when(() => from.told.error !== undefined);
      await turns();
      assert.equal(from.told.events.includes("ended"), false);
      assert.equal(to.raw.closed, "orderly");
      await closeAll();
    }
  });

  test("end: the other side sees it, and reading goes on", async () => {
    const [client, server] = await connected();
    client.wire.write(new Uint8Array(1000));
    await client.told.until("written");
    client.wire.end();
    client.wire.end();
    await server.told.until("ended");
    assert.equal(server.told.bytes.length, 1000);
    assert.equal(client.raw.ended, false);
    server.wire.write(new Uint8Array(MUCH));
    if (HALF_CLOSES) {
      await client.told.untilBytes(MUCH);
      server.wire.end();
      await client.told.until("ended");
      assert.deepEqual(client.told.events, ["secured", "written", "bytes", "ended"]);
    } else {
      await server.told.until("failed: EPIPE");
      assert.deepEqual(server.told.events, ["secured", "bytes", "ended", "failed: EPIPE"]);
    }
    await closeAll();
  });

  test("an end that comes while a write is under way is told; the write goes on where engines can, else it fails", async () => {
    const [client, server] = await connected({ capacityBytes: 1000 });
    client.raw.pause();
    server.wire.write(new Uint8Array(MUCH));
    await turns();
    client.wire.end();
    await server.told.until("ended");
    client.raw.resume();
    if (HALF_CLOSES) await client.told.untilBytes(MUCH);
    else await server.told.until("failed: EPIPE");
    await closeAll();
  });

  test("close while nothing is read: the end waits for the wire below, and the wire is closed then", async () => {
    const [client, server] = await connected({ capacityBytes: 1000 });
    server.raw.pause();
    client.wire.write(new Uint8Array(50_000));
    await turns();
    client.wire.close(false);
    await turns();
    assert.equal(client.raw.closed, "no");
    server.raw.resume();
    await server.told.until("ended");
    assert.equal(server.told.bytes.length, 50_000);
    server.wire.close(false);
    await turns();
    assert.deepEqual([client.raw.closed, client.told.events], ["orderly", ["secured"]]);
    await closeAll();
  });

  test("close while the engine's own last words wait: the end goes out after them", async () => {
    const [client, server] = connectTls(nodeTls, { capacityBytes: 0 });
    sides.push(client, server);
    await client.told.until("secured");
    client.raw.pause();
    await server.told.until("secured");
    // Now the server's tickets for later sessions wait for a client that does not read.
    server.wire.close(false);
    await turns();
    client.raw.resume();
    await client.told.until("ended");
    client.wire.close(false);
    await turns();
    assert.deepEqual([client.told.error, server.raw.closed], [undefined, "orderly"]);
    await closeAll();
  });

  test("close while nothing is ever read: the wire below is broken off after ten seconds", async () => {
    const [client, server] = await connected({ capacityBytes: 1000 });
    server.raw.pause();
    client.wire.write(new Uint8Array(50_000));
    await turns();
    const original = globalThis.setTimeout;
    const timers: [() => void, number][] = [];
    const fake = (callback: () => void, ms: number): unknown => {
      timers.push([callback, ms]);
      return { unref: () => {} };
    };
    globalThis.setTimeout = fake as typeof setTimeout;
    client.wire.close(false);
    globalThis.setTimeout = original;
    const [[callback, ms] = [() => {}, 0]] = timers;
    assert.deepEqual([timers.length, ms, client.raw.closed], [1, 10_000, "no"]);
    callback();
    assert.equal(client.raw.closed, "abortively");
    await server.told.until("failed: ECONNRESET");
    await closeAll();
  });

  test("close abortively: no alert, the wire below is closed abortively and at once", async () => {
    const [client, server] = await connected();
    const before = client.raw.bytesWritten;
    client.wire.close(true);
    assert.deepEqual([client.raw.closed, client.raw.bytesWritten], ["abortively", before]);
    await server.told.until("failed: ECONNRESET");
    await turns();
    assert.equal(client.raw.bytesWritten, before);
    await closeAll();
  });

  test("close twice, and close after the end of both sides", async () => {
    const [client, server] = await connected();
    client.wire.end();
    await server.told.until("ended");
    server.wire.end();
    await client.told.until("ended");
    for (const { wire } of [client, server, client, server]) wire.close(false);
    await turns();
    assert.deepEqual([client.raw.closed, server.raw.closed], ["orderly", "orderly"]);
    assert.deepEqual([client.told.error, server.told.error], [undefined, undefined]);
    await closeAll();
  });
});

describe("TlsWire: failures below", () => {
  test("are told once, after what came before them", async () => {
    const [client, server] = await connected();
    server.raw.pause();
    client.wire.write(new Uint8Array(1000));
    await turns();
    server.raw.resume();
    server.raw.fail(new SystemError("connection: gone", "EIO"));
    server.raw.fail(new SystemError("connection: gone again", "EIO"));
    await server.told.until("failed: EIO");
    await turns();
    assert.equal(server.told.events.filter((event) => event.startsWith("failed")).length, 1);
    server.wire.close(true);
    assert.equal(server.raw.closed, "abortively");
    await closeAll();
  });

  test("after the other side's end are told too", async () => {
    const [client, server] = await connected();
    client.wire.end();
    await server.told.until("ended");
    server.raw.fail(new SystemError("connection: gone", "EIO"));
    await server.told.until("failed: EIO");
    await closeAll();
  });

  test("after close are nobody's, and let go of the wire", async () => {
    const [client, server] = await connected({ capacityBytes: 1000 });
    server.raw.pause();
    client.wire.write(new Uint8Array(50_000));
    client.wire.close(false);
    client.raw.fail(new SystemError("connection: gone", "EIO"));
    await turns();
    assert.deepEqual([client.raw.closed, client.told.events], ["abortively", ["secured"]]);
    await closeAll();
  });
});
