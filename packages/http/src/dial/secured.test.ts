/** TLS with servers: whom it is made with, what is wrong with certificates, and connections that are cut. */
import assert from "node:assert/strict";
import { EndOfStream, now, sleep, taskGroup } from "arborio";
import { createDigest } from "arborio/lowlevel";
import { connectTcp, listenTcp, type SocketStream, type TlsServerOptions } from "arborio/net";
import { BufferedByteStream, type ByteStream, copyStream } from "arborio/streams";
import { openHttpClient } from "../client/http-client.ts";
import { type FailureReason, RequestFailedError } from "../connection/request-failed-error.ts";
import { authority, identity } from "../server/certificates.test.kit.ts";
import { expired } from "./expired.test.kit.ts";
import { runProxy } from "./proxies.test.kit.ts";
import { type Place, TRUSTED, worldTest } from "./worlds.test.kit.ts";

const encoder = new TextEncoder();
const HELLO = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/** A server that answers the first request of each connection so; then it does as `after` says. */
async function serve(
  { origin }: Place,
  port: number,
  answer: string,
  options: { tls?: TlsServerOptions; after?: "close" | "wait" } = {},
): Promise<string[]> {
  const { tls = { identity }, after = "close" } = options;
  const log: string[] = [];
  const listener = await origin.run(() => listenTcp(port, { tls }));
  origin.start(() =>
    runProxy(
      listener,
      async (stream) => {
        const client = new BufferedByteStream(stream);
        // All that a client says before it goes away would be seen, too.
        const head = await client.receiveUntil(encoder.encode("\r\n\r\n"), 10_000).catch(() => {
          if (client.bufferedBytes > 0) log.push(`${client.bufferedBytes} bytes`);
          throw new EndOfStream("gone");
        });
        log.push(new TextDecoder().decode(head));
        await stream.send(encoder.encode(answer));
        if (after === "wait") for await (const _chunk of client);
      },
      log,
    ),
  );
  return log;
}

async function failsWith(
  work: Promise<unknown>,
  reason: FailureReason,
  message: RegExp,
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof RequestFailedError, String(error));
    assert.deepEqual([error.phase, error.reason], ["tls", reason], String(error));
    assert.match(error.message, message);
    return true;
  });
}

worldTest(
  "TLS: the name is that of the URL, or serverName, and connections are not mixed",
  async (place) => {
    const names: (string | undefined)[] = [];
    const tls: TlsServerOptions = {
      identityFor: (name) => {
        names.push(name);
        return identity;
      },
    };
    await serve(place, 444, HELLO, { tls, after: "wait" });
    await using client = openHttpClient({ tls: TRUSTED });
    const url = "https://example.test:444/";
    await client.request(url);
    await client.request(url, { tls: { serverName: "a.wild.test" } });
    await failsWith(
      client.request(url, { tls: { serverName: "elsewhere.test" } }),
      "certificate",
      /the certificate of example\.test is not accepted: wrong-name: TLS with \S+: it has no certificate for this name/,
    );
    assert.deepEqual(names, ["example.test", "a.wild.test", "elsewhere.test"]);
    // An address is no name for SNI.
    await client.request("https://10.0.0.1:444/", { tls: { verify: false } });
    assert.equal(names[3], undefined);
    await failsWith(client.request("https://10.0.0.1:444/"), "certificate", /wrong-name/);
  },
);

worldTest("TLS: certificates that are not accepted are told from TLS that fails", async (place) => {
  await serve(place, 444, HELLO, { tls: { identity: expired } });
  await serve(place, 445, HELLO, { tls: { identity, alpnProtocols: ["h2"] } });
  await serve(place, 446, HELLO, { tls: { identity, versionMax: "TLSv1.2" } });
  await using client = openHttpClient({ tls: TRUSTED });
  const ask = (port: number, tls = {}) => client.request(`https://example.test:${port}/`, { tls });
  await failsWith(
    openHttpClient().request("https://example.test/"),
    "certificate",
    /is not accepted: untrusted/,
  );
  // Deno does not tell an expired certificate from one that is not trusted.
  await failsWith(ask(444), "certificate", /is not accepted: (expired|untrusted)/);
  await failsWith(ask(80), "tls", /TLS with example\.test failed: not-tls: .* does not speak TLS/);
  await failsWith(ask(445), "tls", /no-common-protocol/);
  await failsWith(ask(446, { versionMin: "TLSv1.3" }), "tls", /no-common-version/);
  assert.equal((await ask(444, { verify: false })).text(), "hello");
  assert.equal((await ask(446)).text(), "hello");
});

worldTest(
  "TLS: a server that says nothing is left after connectMs, or handshakeTimeoutMs",
  async (place) => {
    const listener = await place.origin.run(() => listenTcp(444));
    place.origin.start(() => listener.serve(() => sleep(60_000)));
    await using client = openHttpClient({ tls: TRUSTED, timeouts: { connectMs: 5000 } });
    const url = "https://example.test:444/";
    await failsWith(client.request(url), "timeout", /no connection within 5000 ms \(connectMs\)/);
    assert.ok(now() >= 5000 && now() < 5500);
    const tls = { handshakeTimeoutMs: 100 };
    await failsWith(
      client.request(url, { tls }),
      "timeout",
      /TLS with example\.test took too long/,
    );
  },
);

worldTest("TLS: a server that goes away during the handshake", async (place) => {
  for (const [port, leave] of [
    [444, (stream: SocketStream) => stream.close()],
    [445, (stream: SocketStream) => stream.abort()],
    [446, (stream: SocketStream) => stream.sendEof()],
  ] as const) {
    const listener = await place.origin.run(() => listenTcp(port));
    place.origin.start(() =>
      listener.serve(async (stream) => {
        await stream.receive();
        await leave(stream);
        await sleep(100);
      }),
    );
    await using client = openHttpClient({ tls: TRUSTED });
    const request = client.request(`https://example.test:${port}/`);
    await failsWith(request, "disconnected", /ended the connection while TLS was agreed upon/);
  }
});

worldTest("TLS: a client shows its certificate to a server that asks", async (place) => {
  const tls: TlsServerOptions = { identity, clientCertificate: "required", trusted: authority };
  await serve(place, 444, HELLO, { tls });
  await using client = openHttpClient({ tls: TRUSTED });
  const url = "https://example.test:444/";
  assert.equal((await client.request(url, { tls: { identity } })).text(), "hello");
  // With TLS 1.3 the server says so after the handshake.
  await failsWith(client.request(url), "tls", /certificate-required/);
  await failsWith(client.request(url, { tls: { versionMax: "TLSv1.2" } }), "tls", /TLS/);
});

worldTest("fingerprints: are checked before anything is sent", async (place) => {
  const log = await serve(place, 444, HELLO);
  const pem = identity.certificate.replaceAll(/-----.*-----|\s/g, "");
  const der = Uint8Array.from(atob(pem), (character) => character.charCodeAt(0));
  const digest = createDigest("sha-256").update(der).digest();
  const right = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(":");
  const wrong = "0".repeat(64);
  await using client = openHttpClient({ tls: TRUSTED });
  const url = "https://example.test:444/";
  const ask = (fingerprints: string[], tls = {}) => client.request(url, { fingerprints, tls });
  assert.equal((await ask([wrong, right])).text(), "hello");
  log.length = 0;
  await failsWith(
    ask([wrong]),
    "certificate",
    new RegExp(`has the fingerprint ${right.replaceAll(":", "")}, which is not one`),
  );
  // It must be trusted too, and verified or not, pinned.
  await failsWith(ask([right], { serverName: "other.test" }), "certificate", /wrong-name/);
  await failsWith(ask([wrong], { verify: false }), "certificate", /fingerprint/);
  assert.equal(log.length, 0);
  assert.equal((await ask([right], { verify: false })).text(), "hello");
  // The connection of somebody who asked for nothing is not one of those.
  await client.request("https://example.test/");
  await failsWith(
    client.request("https://example.test/", { fingerprints: [wrong] }),
    "certificate",
    /fingerprint/,
  );
});

/** Passes on what comes and goes, and cuts the connection below TLS when the answer was sent. */
async function startCutter({ proxy }: Place, port: number): Promise<void> {
  const listener = await proxy.run(() => listenTcp(port));
  proxy.start(() =>
    listener.serve(async (client) => {
      using server = await connectTcp("10.0.0.1", port);
      await taskGroup(async (group) => {
        group.startSoon(() => passOn(client, server));
        group.startSoon(() => passOn(server, client));
        await sleep(300);
        // An end in order, as far as TCP can tell.
        await client.sendEof();
        group.cancel("cut");
      });
    }),
  );
}

async function passOn(from: ByteStream, to: ByteStream): Promise<void> {
  await copyStream(from, to).catch(() => {});
}

worldTest(
  "TLS: a body that the end of the connection frames is whole only with a closing alert",
  async (place) => {
    const framedByEnd = "HTTP/1.1 200 OK\r\n\r\nhel";
    await serve(place, 444, framedByEnd);
    await serve(place, 445, framedByEnd, { after: "wait" });
    await serve(place, 446, HELLO, { after: "wait" });
    for (const port of [445, 446]) await startCutter(place, port);
    await using client = openHttpClient({ tls: { ...TRUSTED, serverName: "example.test" } });
    const ask = (url: string, tls = {}) => client.request(url, { tls });
    assert.equal((await ask("https://example.test:444/")).text(), "hel");
    await assert.rejects(ask("https://proxy.test:445/"), {
      name: "RequestFailedError",
      phase: "body",
      reason: "disconnected",
    });
    // For servers that never say goodbye.
    const lenient = { requireCloseNotify: false };
    assert.equal((await ask("https://proxy.test:445/", lenient)).text(), "hel");
    assert.equal((await ask("https://proxy.test:446/")).text(), "hello");
    await sleep(1000);
    // The connection that was cut while nobody used it is not used again.
    assert.equal((await ask("https://proxy.test:446/")).text(), "hello");
  },
);
