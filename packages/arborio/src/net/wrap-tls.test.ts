import assert from "node:assert/strict";
import { describe, test as nodeTest } from "node:test";
import { nodeTls } from "../backends/shared/node-tls.ts";
import {
  BusyResourceError,
  ClosedResourceError,
  failAfter,
  gather,
  moveOnAfter,
  now,
  run,
  sleep,
  type TaskGroup,
  taskGroup,
  TimeoutError,
} from "../index.ts";
import { connectTcp, listenTcp, type SocketStream, wrapTls } from "../net.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import { ambientScope } from "../core/ambient.ts";
import { simulator } from "../sim.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import { createMemoryStreamPair } from "../streams/memory-stream.ts";
import { WireStream } from "../streams/wire-stream.ts";
import { cancelEverywhere } from "../testing.ts";
import { authority, server as identity } from "../testing/certificates.ts";
import { ForeignStream } from "../testing/foreign-stream.ts";
import { createWirePair } from "../testing/wire-pair.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 20_000;

function test(title: string, body: (group: TaskGroup) => Promise<void>): void {
  void nodeTest(title, { timeout: TEST_MS_MAX }, async () => {
    await run(body, { signals: [] });
  });
}

/** In virtual time, with the host's engine; whatever it does, it has some turns of the host for it. */
function simTest(title: string, body: () => Promise<void>): void {
  void nodeTest(title, { timeout: TEST_MS_MAX }, async () => {
    const main = async (): Promise<void> => {
      setBackend(ambientScope(), { ...currentBackend(), tls: nodeTls });
      await body();
    };
    await run(main, { signals: [], backend: simulator() });
  });
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const clientOptions = { serverName: "localhost", trusted: authority };
const serverOptions = { side: "server", identity } as const;

async function wrapBoth(near: ByteStream, far: ByteStream): Promise<[SocketStream, SocketStream]> {
  const [client, server] = await gather([
    () => wrapTls(near, clientOptions),
    () => wrapTls(far, serverOptions),
  ]);
  return [client as SocketStream, server as SocketStream];
}

async function exchange(client: ByteStream, server: ByteStream): Promise<void> {
  await client.send(bytesOf("hello"));
  assert.equal(textOf(await server.receive()), "hello");
  await server.send(bytesOf("bye"));
  assert.equal(textOf(await client.receive()), "bye");
}

describe("wrapTls", () => {
  test("after an exchange in the clear (STARTTLS); what was read ahead belongs to TLS", async () => {
    using listener = await listenTcp(0, { host: "127.0.0.1" });
    const plain = await connectTcp("127.0.0.1", listener.port);
    const accepted = await listener.accept();
    await plain.send(bytesOf("STARTTLS\r\n"));
    assert.equal(textOf(await accepted.receive()), "STARTTLS\r\n");
    await accepted.send(bytesOf("220 go ahead\r\n"));
    assert.equal(textOf(await plain.receive()), "220 go ahead\r\n");
    await taskGroup(async (group) => {
      const wrapping = group.startSoon(() => wrapTls(plain, clientOptions));
      // The client's hello comes while nobody has wrapped this side, and is read ahead.
      await sleep(20);
      using server = await wrapTls(accepted, serverOptions);
      using client = await wrapping.result();
      await exchange(client, server);
      assert.deepEqual(client.remoteAddress, { host: "127.0.0.1", port: listener.port });
    });
  });

  test("TLS in TLS, as through a proxy, over TCP", async () => {
    using listener = await listenTcp(0, { host: "127.0.0.1", tls: { identity } });
    const [outer, accepted] = await gather([
      () => connectTcp("127.0.0.1", listener.port, { tls: { trusted: authority } }),
      () => listener.accept(),
    ]);
    const [client, server] = await wrapBoth(outer as SocketStream, accepted as SocketStream);
    await exchange(client, server);
    client.close();
    await assert.rejects(server.receive(), { name: "EndOfStream" });
    server.close();
  });

  test("the stream is closed for everybody else", async () => {
    const [near, far] = createMemoryStreamPair();
    const [client, server] = await wrapBoth(near, far);
    await assert.rejects(near.send(bytesOf("in the clear")), ClosedResourceError);
    await assert.rejects(near.receive(), ClosedResourceError);
    near.close();
    await exchange(client, server);
    client.close();
    server.close();
  });

  test("a stream that is closed, in use, or cut is refused, and stays as it is", async (group) => {
    const [near, far] = createMemoryStreamPair();
    group.startSoon(() => assert.rejects(near.receive(), { name: "EndOfStream" }));
    await sleep(1);
    await assert.rejects(wrapTls(near, clientOptions), BusyResourceError);
    await far.sendEof();
    await assert.rejects(wrapTls(far, serverOptions), ClosedResourceError);
    near.close();
    await assert.rejects(wrapTls(near, clientOptions), ClosedResourceError);
  });

  test("cancelled at its beginning, it leaves the stream as it was", async () => {
    const [near, far] = createMemoryStreamPair();
    await moveOnAfter(-1, () => wrapTls(near, clientOptions));
    await near.send(bytesOf("still here"));
    assert.equal(textOf(await far.receive()), "still here");
  });

  test("over a stream of another class: closing ends what waited on it", async () => {
    const [near, far] = createMemoryStreamPair();
    const [client, server] = await wrapBoth(new ForeignStream(near), new ForeignStream(far));
    await exchange(client, server);
    client.close();
    await assert.rejects(server.receive(), { name: "EndOfStream" });
    server.close();
    for (const stream of [near, far]) {
      const isClosed = (error: unknown): boolean => error instanceof ClosedResourceError;
      while (!(await stream.receive().then(() => false, isClosed))) await sleep(1);
    }
  });

  test("over a stream that fails: the stream of TLS fails", async () => {
    const [near, far] = createMemoryStreamPair();
    const [client, server] = await wrapBoth(new ForeignStream(near), far);
    server.close();
    await assert.rejects(client.receive(), { name: "EndOfStream" });
    far.abort();
    await assert.rejects(
      failAfter(5000, async () => {
        for (;;) await client.send(new Uint8Array(1000));
      }),
      { name: "BrokenResourceError" },
    );
    client.close();
  });

  test("cancelled anywhere, it leaves no stream open and no task waiting", async () => {
    const wraps = [(end: ByteStream) => end, (end: ByteStream) => new ForeignStream(end)];
    for (const wrap of wraps) {
      const sweep = await cancelEverywhere(async (round) => {
        const raw = createWirePair();
        round.after(() => {
          for (const { closed } of raw) assert.notEqual(closed, "no");
        });
        const [near, far] = raw.map((wire) => wrap(new WireStream(wire, "raw")));
        try {
          const [client, server] = await wrapBoth(near as ByteStream, far as ByteStream);
          client.close();
          server.close();
        } finally {
          // Cancelled before they began, they have left the streams to us.
          near?.close();
          far?.close();
          // A closed one waits for the other side's end, for a second at most.
          for (let ms = 5; ms < 2000 && raw.some(({ closed }) => closed === "no"); ms *= 2)
            await new Promise((resolve) => setTimeout(resolve, ms));
        }
      });
      assert.ok(sweep.rounds.entry >= 2 && sweep.rounds.waiting >= 2, JSON.stringify(sweep));
    }
  });
});

describe("wrapTls in virtual time", () => {
  simTest("a client waits for ever, or as long as it is told", async () => {
    const [near] = createMemoryStreamPair();
    await moveOnAfter(1e9, () => wrapTls(near, clientOptions));
    assert.equal(now(), 1e9);
    const [next, far] = createMemoryStreamPair();
    await assert.rejects(
      wrapTls(next, { ...clientOptions, handshakeTimeoutMs: 5000 }),
      (error) =>
        error instanceof TimeoutError &&
        error.message === "SocketStream.handshake: TLS was not agreed upon within 5000 ms",
    );
    assert.equal(now(), 1e9 + 5000);
    // The hello, and nothing after it: the stream was closed.
    assert.ok((await far.receive()).length > 0);
    await assert.rejects(far.receive(), { name: "EndOfStream" });
  });

  simTest("a server waits for 30 seconds, in whatever part of the handshake", async () => {
    for (const said of [[], [22], [22, 3, 1, 0, 100, 1, 0, 0, 96]]) {
      const [near, far] = createMemoryStreamPair();
      if (said.length > 0) await far.send(new Uint8Array(said));
      const start = now();
      await assert.rejects(wrapTls(near, serverOptions), TimeoutError);
      assert.equal(now() - start, 30_000);
      await assert.rejects(far.receive(), { name: "EndOfStream" });
    }
  });
});
