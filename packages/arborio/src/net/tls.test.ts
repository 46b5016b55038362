import assert from "node:assert/strict";
import process from "node:process";
import { describe, test as nodeTest } from "node:test";
import { failAfter, run, type TaskGroup, TlsError } from "../index.ts";
import {
  connectTcp,
  type Listener,
  listenTcp,
  type SocketStream,
  type TlsClientOptions,
  type TlsServerOptions,
} from "../net.ts";
import { authority, client, other, server } from "../testing/certificates.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 15_000;

const HAS_SESSIONS = process.versions["deno"] === undefined;

function test(title: string, body: (group: TaskGroup) => Promise<void>): void {
  void nodeTest(title, { timeout: TEST_MS_MAX }, async () => {
    await run(body, { signals: [] });
  });
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A listener on the loopback whose handlers send back what they get, and what they knew. */
async function serveEcho(
  group: TaskGroup,
  tls: TlsServerOptions,
  seen: { stream?: SocketStream; errors: unknown[] } = { errors: [] },
): Promise<Listener> {
  const listener = await listenTcp(0, { host: "127.0.0.1", tls });
  const serve = (): Promise<void> =>
    listener.serve(
      async (stream) => {
        seen.stream = stream;
        for await (const chunk of stream) await stream.send(chunk);
      },
      { onError: (error) => seen.errors.push(error) },
    );
  group.startSoon(serve, { daemon: true });
  return listener;
}

async function connect(listener: Listener, tls: TlsClientOptions): Promise<SocketStream> {
  return connectTcp("127.0.0.1", listener.port, { tls: { trusted: authority, ...tls } });
}

async function echo(stream: SocketStream, text = "hello"): Promise<void> {
  await stream.send(bytesOf(text));
  assert.equal(textOf(await stream.receive()), text);
}

describe("TLS over TCP", () => {
  test("what was agreed is known on both sides; names and addresses are checked", async (group) => {
    const seen: { stream?: SocketStream; errors: unknown[] } = { errors: [] };
    using listener = await serveEcho(group, { identity: server, alpnProtocols: ["b", "a"] }, seen);
    for (const serverName of ["localhost", undefined, "::1"]) {
      using stream = await connect(listener, {
        ...(serverName === undefined ? {} : { serverName }),
        alpnProtocols: ["a", "b"],
      });
      await echo(stream);
      const name = serverName === "localhost" ? serverName : undefined;
      for (const info of [stream.tls, seen.stream?.tls]) {
        assert.equal(info?.version, "TLSv1.3");
        assert.equal(info.alpnProtocol, "b");
        assert.equal(info.serverName, name);
      }
      assert.deepEqual(stream.remoteAddress, { host: "127.0.0.1", port: listener.port });
    }
    assert.deepEqual(seen.errors, []);
  });

  test("tls: true trusts those whom the runtime trusts; a refused client does not hurt the server", async (group) => {
    const seen: { errors: unknown[] } = { errors: [] };
    using listener = await serveEcho(group, { identity: server }, seen);
    await assert.rejects(
      connectTcp("localhost", listener.port, { tls: true }),
      (error) => error instanceof TlsError && error.reason === "untrusted",
    );
    using stream = await connect(listener, {});
    await echo(stream);
    assert.equal(seen.errors.length, 1);
    assert.ok(seen.errors[0] instanceof TlsError);
  });

  test("a client that says nothing holds up nobody, and is closed when its time is over", async (group) => {
    const seen: { errors: unknown[] } = { errors: [] };
    using listener = await serveEcho(group, { identity: server, handshakeTimeoutMs: 100 }, seen);
    using silent = await connectTcp("127.0.0.1", listener.port);
    using stream = await connect(listener, {});
    await echo(stream);
    assert.deepEqual(seen.errors, []);
    await assert.rejects(
      failAfter(5000, () => silent.receive()),
      { name: "EndOfStream" },
    );
    assert.match(String(seen.errors), /TimeoutError: SocketStream\.handshake: .* within 100 ms/);
  });

  test("accept does not wait for the handshake, which the first operation does", async (group) => {
    using listener = await listenTcp(0, { host: "127.0.0.1", tls: { identity: server } });
    const connecting = group.startSoon(() => connect(listener, {}));
    using accepted = await listener.accept();
    const before = accepted.tls;
    assert.equal(before, undefined);
    await accepted.send(bytesOf("first"));
    using stream = await connecting.result();
    assert.equal(textOf(await stream.receive()), "first");
    assert.equal(accepted.tls?.version, "TLSv1.3");
    await accepted.handshake();
  });

  test("identities by the name that is asked for; who asks for another is refused", async (group) => {
    using listener = await serveEcho(group, {
      identities: { "other.test": other, "*.wild.test": server },
    });
    for (const serverName of ["other.test", "OTHER.test", "a.wild.test"]) {
      using stream = await connect(listener, { serverName });
      await echo(stream);
    }
    for (const serverName of ["localhost", "127.0.0.1"]) {
      await assert.rejects(
        connect(listener, { serverName }),
        (error) => error instanceof TlsError && error.reason === "wrong-name",
      );
    }
  });

  test("identityFor is asked with the name as the client wrote it", async (group) => {
    const asked: (string | undefined)[] = [];
    using listener = await serveEcho(group, {
      identityFor: (name) => {
        asked.push(name);
        return server;
      },
    });
    for (const serverName of ["localhost", "127.0.0.1", "x.wild.test"]) {
      using stream = await connect(listener, { serverName });
      await echo(stream);
    }
    assert.deepEqual(asked, ["localhost", undefined, "x.wild.test"]);
  });

  test("the server sees the certificate of its client", async (group) => {
    const seen: { stream?: SocketStream; errors: unknown[] } = { errors: [] };
    const tls = { identity: server, clientCertificate: "required", trusted: authority } as const;
    using listener = await serveEcho(group, tls, seen);
    using stream = await connect(listener, { identity: client });
    await echo(stream);
    const shown = seen.stream?.tls?.peerCertificate;
    assert.equal(Buffer.from(shown ?? []).toString("base64"), derOf(client.certificate));
    assert.equal(
      Buffer.from(stream.tls?.peerCertificate ?? []).toString("base64"),
      derOf(server.certificate),
    );
  });

  test("a client without the certificate that is required gets to know with its first operation", async (group) => {
    const seen: { errors: unknown[] } = { errors: [] };
    const tls = { identity: server, clientCertificate: "required", trusted: authority } as const;
    using listener = await serveEcho(group, tls, seen);
    using stream = await connect(listener, {});
    await assert.rejects(
      stream.receive(),
      (error) => error instanceof TlsError && error.reason === "certificate-required",
    );
    assert.match(String(seen.errors), /TlsError.*certificate of the client is required/);
  });
});

function derOf(pem: string): string {
  return pem.replaceAll(/-----.*-----|\n/g, "");
}

if (HAS_SESSIONS) {
  describe("TLS sessions", () => {
    for (const versionMax of ["TLSv1.3", "TLSv1.2"] as const) {
      test(`are resumed, ${versionMax}, with and without clients' certificates`, async (group) => {
        const clientCertificates = { clientCertificate: "required", trusted: authority } as const;
        for (const more of [{}, clientCertificates]) {
          using listener = await serveEcho(group, { identity: server, ...more, versionMax });
          const sessions: Uint8Array[] = [];
          const tls = {
            identity: client,
            onSession: (session: Uint8Array) => sessions.push(session),
          };
          {
            using stream = await connect(listener, { serverName: "localhost", ...tls });
            await echo(stream);
            assert.equal(stream.tls?.resumed, false);
          }
          const session = sessions.at(-1) as Uint8Array;
          using stream = await connect(listener, { serverName: "localhost", ...tls, session });
          await echo(stream);
          assert.equal(stream.tls?.resumed, true);
          // Another name, for which the same server would resume it, has its certificate checked.
          using named = await connect(listener, { serverName: "example.test", ...tls, session });
          await echo(named);
          assert.equal(named.tls?.resumed, false);
        }
      });
    }

    test("of a server that nobody verified are not resumed where that is asked for", async (group) => {
      using listener = await serveEcho(group, { identity: other });
      let session: Uint8Array = new Uint8Array(0);
      const name = { serverName: "localhost" };
      {
        const onSession = (one: Uint8Array): void => void (session = one);
        using stream = await connect(listener, { ...name, verify: false, onSession });
        await echo(stream);
      }
      assert.ok(session.length > 0);
      await assert.rejects(connect(listener, { ...name, session }), TlsError);
      using stream = await connect(listener, { ...name, verify: false, session });
      assert.equal(stream.tls?.resumed, true);
      await assert.rejects(connect(listener, { ...name, session: new Uint8Array(100) }), TlsError);
    });

    void nodeTest("onSession that throws is reported, and hurts nothing", async () => {
      const reported: unknown[] = [];
      await run(
        async (group) => {
          using listener = await serveEcho(group, { identity: server });
          const oops = new Error("oops");
          const onSession = (): never => {
            throw oops;
          };
          using stream = await connect(listener, { onSession });
          await echo(stream);
        },
        { signals: [], onUnhandled: (error) => reported.push(error) },
      );
      assert.match(String(reported[0]), /oops/);
    });
  });
}
