import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { NotSupportedError } from "../core/errors.ts";
import { run } from "../index.ts";
import { createMemoryStreamPair } from "../streams/memory-stream.ts";
import { authority, client, encrypted, server } from "../testing/certificates.ts";
import {
  clientSettings,
  handshakeLimitMs,
  serverSettings,
  type TlsClientOptions,
  type TlsServerOptions,
} from "./tls-options.ts";
import { wrapTls, type WrapTlsOptions } from "./tls.ts";

const HAS_SESSIONS = process.versions["deno"] === undefined;

/** Options of any shape, as JavaScript can give them. */
const any = (options: unknown): never => options as never;

describe("tls options", () => {
  const wrongClient: readonly [TlsClientOptions, RegExp][] = [
    [any(null), /^TypeError: tls: got null, needs an object such as \{ serverName/],
    [any({ serverName: 5 }), /TypeError: tls\(\{ serverName \}\): got 5, needs a name/],
    [{ serverName: "" }, /RangeError: tls\(\{ serverName \}\): got "", needs a name/],
    [{ serverName: "https://a.test" }, /RangeError.*new URL\(text\)\.hostname/],
    [
      any({ serverName: "a", rejectUnauthorized: false }),
      /TypeError: tls\(\{ rejectUnauthorized \}\): there is no such option, there are trusted, .*verify/,
    ],
    [
      any({ serverName: "a", clientCertificate: "none" }),
      /\(\{ clientCertificate \}\): there is no/,
    ],
    [any({ verify: 0 }), /TypeError: tls\(\{ verify \}\): got 0, needs true or false/],
    [any({ requireCloseNotify: "no" }), /requireCloseNotify \}\): got "no", needs true or false/],
    [any({ versionMin: "TLSv1.1" }), /versionMin \}\): got "TLSv1\.1", needs "TLSv1\.2" or "TLS/],
    [any({ versionMax: 1.3 }), /versionMax \}\): got 1\.3, needs/],
    [{ versionMin: "TLSv1.3", versionMax: "TLSv1.2" }, /got TLSv1\.3 and TLSv1\.2, needs version/],
    [
      { trusted: "nonsense" },
      /TypeError: tls\(\{ trusted \}\): got "nonsense", needs certificates/,
    ],
    [
      { trusted: "-----BEGIN PRIVATE KEY-----\nMC4CAQ" },
      /TypeError: tls\(\{ trusted \}\): got "-----BEGIN PRIVATE KEY-----", needs certificates/,
    ],
    [{ trusted: [] }, /TypeError: tls\(\{ trusted \}\): got no certificate, needs/],
    [any({ trusted: [authority, 5] }), /TypeError: tls\(\{ trusted \}\): got 5, needs/],
    [any({ alpnProtocols: "h2" }), /alpnProtocols \}\): got "h2", needs an array such as/],
    [{ alpnProtocols: [""] }, /alpnProtocols \}\): got "" in it, needs names in ASCII/],
    [{ alpnProtocols: ["ä"] }, /alpnProtocols \}\): got "ä" in it/],
    [{ alpnProtocols: ["a".repeat(256)] }, /RangeError.*needs names of at most 255 bytes/],
    [{ alpnProtocols: Array(300).fill("a".repeat(255)) }, /together at most 65535/],
    [any({ identity: "pem" }), /identity \}\): got "pem", needs \{ certificate, privateKey \}/],
    [any({ identity: { certificate: "" } }), /got undefined as privateKey, needs/],
    [any({ identity: { ...client, passphrase: 5 } }), /got 5 as passphrase, needs/],
    [any({ session: "text" }), /session \}\): got "text", needs a Uint8Array that onSession gave/],
    [any({ onSession: {} }), /onSession \}\): got an object of Object, needs a function/],
  ];
  for (const [options, message] of wrongClient) {
    test(`of a client: ${message.source}`, () => {
      assert.throws(
        () => clientSettings(options, "localhost"),
        (error) => message.test(String(error)),
      );
    });
  }

  const wrongServer: readonly [TlsServerOptions, RegExp][] = [
    [any(undefined), /TypeError: tls: got undefined, needs an object such as \{ identity/],
    [{}, /TypeError: tls: a server needs \{ identity/],
    [{ identities: {} }, /TypeError: tls: a server needs/],
    [any({ identityFor: server }), /identityFor \}\): got an object of Object, needs a function/],
    [
      { identity: server, identityFor: () => server },
      /got identity or identities too, needs ident/,
    ],
    [any({ identities: { a: 5 } }), /identities: "a" \}\): got 5, needs \{ certificate/],
    [any({ identity: server, clientCertificate: true }), /got true, needs "none" or "optional"/],
    [
      { identity: server, clientCertificate: "required" },
      /"required" \}\): needs \{ trusted \} too/,
    ],
    [
      { identity: server, trusted: authority },
      /a server asks no client for a certificate by itself/,
    ],
  ];
  for (const [options, message] of wrongServer) {
    test(`of a server: ${message.source}`, () => {
      assert.throws(
        () => serverSettings(options),
        (error) => message.test(String(error)),
      );
    });
  }

  test("defaults are those that are documented", () => {
    const { serverName, ...rest } = clientSettings({}, "Example.test.");
    assert.equal(serverName, "Example.test");
    assert.deepEqual(rest, {
      side: "client",
      trusted: undefined,
      alpnProtocols: [],
      versionMin: "TLSv1.2",
      versionMax: "TLSv1.3",
      requireCloseNotify: true,
      verify: true,
      identity: undefined,
      session: undefined,
      onSession: undefined,
    });
    assert.equal(serverSettings({ identity: server }).clientCertificate, "none");
    assert.deepEqual(
      [handshakeLimitMs("client", undefined), handshakeLimitMs("server", undefined)],
      [Infinity, 30_000],
    );
    assert.throws(() => handshakeLimitMs("server", NaN), RangeError);
  });

  test("names are sent as certificates have them", () => {
    assert.equal(
      clientSettings({ serverName: "münchen.test" }, "").serverName,
      "xn--mnchen-3ya.test",
    );
    assert.equal(clientSettings({}, "fe80::1%eth0").serverName, "fe80::1");
    assert.equal(clientSettings({ verify: false }, "").serverName, "");
  });

  test("identities are found by name, by a wildcard, or are the default", () => {
    const { identityFor } = serverSettings({
      identities: { "A.test": server, "*.test": client, "*.b.test": encrypted },
    });
    const found = [
      "a.test",
      "A.TEST.",
      "c.test",
      "x.b.test",
      "b.test",
      "x.y.b.test",
      "test",
      undefined,
    ];
    assert.deepEqual(
      found.map((name) => identityFor(name)),
      [server, server, client, encrypted, client, undefined, undefined, undefined],
    );
    const withDefault = serverSettings({ identity: client, identities: { a: server } }).identityFor;
    assert.deepEqual(
      [withDefault("a"), withDefault("b"), withDefault(undefined)],
      [server, client, client],
    );
  });
});

describe("wrapTls: what is wrong is told before the stream is touched", () => {
  const wrong: readonly [WrapTlsOptions, RegExp][] = [
    [any(null), /TypeError: wrapTls\(stream, options\): got null/],
    [
      any({ side: "sever" }),
      /RangeError: wrapTls\(stream, \{ side \}\): got "sever", needs "client"/,
    ],
    [{}, /RangeError: tls\(\{ serverName \}\): got ""/],
    [
      { side: "server", identity: { ...server, privateKey: client.privateKey } },
      /TypeError: TLS identity: the private key does not belong to the certificate of CN=server/,
    ],
    [
      { side: "server", identity: { ...server, privateKey: "nonsense" } },
      /TypeError: TLS identity: the private key cannot be read \(.+\), needs a key in PEM/,
    ],
    [
      { side: "server", identity: { ...server, certificate: "nonsense" } },
      /TypeError: TLS identity: the certificate cannot be read \(.+\), needs a certificate in PEM/,
    ],
    [
      { side: "server", identities: { a: { ...encrypted, passphrase: "wrong" } } },
      /TypeError: TLS identity: the private key cannot be read/,
    ],
    [
      { serverName: "a", identity: { ...encrypted, passphrase: undefined } },
      /TypeError: TLS identity: the private key cannot be read/,
    ],
  ];
  for (const [options, message] of wrong) {
    test(message.source, async () => {
      await run(async () => {
        const [near, far] = createMemoryStreamPair();
        await assert.rejects(wrapTls(near, options), (error) => message.test(String(error)));
        await near.send(new Uint8Array(3));
        assert.equal((await far.receive()).length, 3);
      });
    });
  }

  test("a stream that is none", async () => {
    await run(async () => {
      for (const stream of [null, "text", { receive() {} }])
        await assert.rejects(wrapTls(any(stream), { serverName: "a" }), /needs a ByteStream/);
    });
  });

  if (!HAS_SESSIONS) {
    test("sessions, which Deno keeps to itself", async () => {
      await run(async () => {
        const [near] = createMemoryStreamPair();
        for (const options of [{ session: new Uint8Array(3) }, { onSession: () => {} }])
          await assert.rejects(wrapTls(near, { serverName: "a", ...options }), NotSupportedError);
        await near.send(new Uint8Array(3));
      });
    });
  }
});
