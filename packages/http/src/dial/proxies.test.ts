/** Requests through proxies of all kinds, end to end: what the server sees, what the proxy sees, and that neither sees what is the other's. */
import assert from "node:assert/strict";
import { listenTcp } from "arborio/net";
import { BufferedByteStream } from "arborio/streams";
import { openHttpClient } from "../client/http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { createProxyChooser } from "../protocol/proxy-environment.ts";
import { identity } from "../server/certificates.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { expired } from "./expired.test.kit.ts";
import { fingerprintOf } from "./fingerprints.ts";
import { httpProxy, runProxy, saying, socksProxy } from "./proxies.test.kit.ts";
import { TRUSTED, worldTest } from "./worlds.test.kit.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const CREDENTIALS = "Basic dXNlcjpwYXNzd29yZA==";

worldTest("proxy: an HTTP proxy gets requests of http: with their whole URL", async (place) => {
  await place.startProxy(3128);
  await using client = openHttpClient({ proxy: "http://user:password@proxy.test:3128" });
  const response = await client.request("http://example.test/a?b#c", { headers: { own: "1" } });
  assert.equal(response.text(), "hello from 80");
  const [head = ""] = place.asked;
  assert.match(head, /^GET http:\/\/example\.test\/a\?b HTTP\/1\.1\r\n/);
  assert.match(head, /\r\nhost: example\.test\r\n/i);
  assert.equal(head.split(`proxy-authorization: ${CREDENTIALS}`).length, 2);
  assert.match(head, /\r\nown: 1/);
  assert.doesNotMatch(place.seen[0] ?? "", /proxy-/);
});

worldTest(
  "proxy: a connection to one is used again, each time with the credentials (aiohttp#2596)",
  async (place) => {
    const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let connections = 0;
    await place.startProxy(3128, async (stream, log) => {
      connections += 1;
      const client = new BufferedByteStream(stream);
      for (;;) {
        log.push(decode(await client.receiveUntil(encode("\r\n\r\n"), 65_536)));
        await stream.send(encode(answer));
      }
    });
    await using client = openHttpClient({ proxy: "http://user:password@proxy.test:3128" });
    for (let count = 0; count < 3; count++) {
      const response = await client.request(`http://example.test/${count}`, {
        headers: { own: `${count}` },
      });
      assert.equal(response.text(), "ok");
    }
    assert.equal(connections, 1);
    assert.equal(place.asked.length, 3);
    for (const head of place.asked) assert.ok(head.includes(`proxy-authorization: ${CREDENTIALS}`));
    // Other credentials, another connection.
    await client.request("http://example.test/", { proxy: "http://other:secret@proxy.test:3128" });
    assert.equal(connections, 2);
    assert.ok(!place.asked[3]?.includes(CREDENTIALS));
  },
);

worldTest("proxy: fingerprints are those of the server, not of the proxy", async (place) => {
  const listener = await place.proxy.run(() => listenTcp(8443, { tls: { identity: expired } }));
  place.proxy.start(() => runProxy(listener, httpProxy, place.asked));
  const pem = identity.certificate.replaceAll(/-----.*-----|\s/g, "");
  const der = Uint8Array.from(atob(pem), (character) => character.charCodeAt(0));
  const proxy = { url: "https://proxy.test:8443", tls: { verify: false } };
  await using client = openHttpClient({ proxy, tls: TRUSTED, fingerprints: [fingerprintOf(der)] });
  assert.equal((await client.request("https://example.test/")).text(), "hello from 443");
});

worldTest("proxy: an HTTP proxy is asked for a tunnel to a server of https:", async (place) => {
  await place.startProxy(3128);
  await using client = openHttpClient({
    proxy: {
      url: "http://proxy.test:3128",
      credentials: { user: "user", password: "password" },
      headers: { "x-tenant": "7" },
    },
    tls: TRUSTED,
  });
  const url = "https://example.test/a";
  for (const body of ["1", "2"]) {
    const response = await client.request(url, {
      method: "POST",
      body,
      headers: { "proxy-authorization": "Basic c2VjcmV0", own: "1" },
    });
    assert.equal(response.text(), `${body}hello from 443`);
  }
  const lines = [
    "CONNECT example.test:443 HTTP/1.1",
    "host: example.test:443",
    `proxy-authorization: ${CREDENTIALS}`,
    "x-tenant: 7",
  ];
  // One tunnel, and not a word of the request in it.
  assert.deepEqual(place.asked, [lines.join("\r\n")]);
  assert.equal(place.seen.length, 2);
  for (const seen of place.seen) {
    assert.match(seen, /\nown: 1/);
    assert.doesNotMatch(seen, /proxy-|x-tenant/);
  }
});

worldTest("proxy: an HTTPS proxy, with TLS in TLS for https:", async (place) => {
  await place.startProxy(8443, undefined, true);
  // The name in its certificate is another than that of the host.
  const proxy = { url: "https://proxy.test:8443", tls: { ...TRUSTED, serverName: "localhost" } };
  await using client = openHttpClient({ proxy, tls: TRUSTED });
  assert.equal((await client.request("https://example.test/")).text(), "hello from 443");
  assert.equal((await client.request("http://example.test/")).text(), "hello from 80");
  assert.deepEqual(
    place.asked.map((head) => head.split("\r\n")[0]),
    ["CONNECT example.test:443 HTTP/1.1", "GET http://example.test/ HTTP/1.1"],
  );
  await using other = openHttpClient({ proxy: { ...proxy, tls: TRUSTED }, tls: TRUSTED });
  await assert.rejects(other.request("https://example.test/"), {
    name: "RequestFailedError",
    phase: "proxy",
    reason: "certificate",
  });
});

worldTest("proxy: SOCKS of all kinds, and who looks up the name", async (place) => {
  await place.startProxy(1080, socksProxy({ user: "pass/word" }));
  await place.startProxy(1081, socksProxy());
  const lookups: string[] = [];
  const addresses: Readonly<Record<string, string[]>> = {
    "proxy.test": ["10.0.0.2"],
    "example.test": ["fd00::a1", "10.0.0.1"],
  };
  const cases: [proxy: string, asked: string, looksUp: boolean][] = [
    ["socks5://proxy.test:1081", "5 - 10.0.0.1", true],
    ["socks5h://proxy.test:1081", "5 - example.test", false],
    ["socks5h://user:pass%2Fword@proxy.test", "5 user example.test", false],
    ["socks4://proxy.test:1081", "4 - 10.0.0.1", true],
    ["socks4a://user@proxy.test:1081", "4 user example.test", false],
  ];
  await using client = openHttpClient({
    tls: TRUSTED,
    dnsTtlMs: 0,
    lookup: (host) => {
      lookups.push(host);
      return addresses[host] ?? [];
    },
  });
  for (const [proxy, asked, looksUp] of cases) {
    for (const [scheme, port] of [["http", 80] as const, ["https", 443] as const]) {
      lookups.length = 0;
      const response = await client.request(`${scheme}://example.test/`, { proxy });
      assert.equal(response.text(), `hello from ${port}`);
      assert.equal(place.asked.pop(), `${asked}:${port}`);
      assert.deepEqual(lookups, looksUp ? ["example.test", "proxy.test"] : ["proxy.test"]);
    }
  }
  await client.request("https://[fd00::a1]/", {
    proxy: "socks5://proxy.test:1081",
    tls: { verify: false },
  });
  assert.equal(place.asked.pop(), "5 - fd00:0:0:0:0:0:0:a1:443");
  const wrong = "socks5h://user:wrong@proxy.test";
  await assert.rejects(client.request("http://example.test/", { proxy: wrong }), {
    phase: "proxy",
    reason: "refused-by-proxy",
    message: /refuses user or password/,
  });
  const none = "socks5h://proxy.test";
  await assert.rejects(client.request("http://example.test/", { proxy: none }), {
    phase: "proxy",
    reason: "refused-by-proxy",
    message: /user and a password/,
  });
});

worldTest("proxy: a WebSocket of ws: gets a tunnel, and is chosen for by ws:", async (place) => {
  await place.startProxy(3128);
  const chosenFor: string[] = [];
  await using client = openHttpClient({
    tls: TRUSTED,
    proxy: (url) => {
      chosenFor.push(url.href);
      return "http://proxy.test:3128";
    },
  });
  for (const url of ["ws://example.test/a", "wss://example.test/b"]) {
    await using socket = await client.webSocket(url);
    await socket.send("hello");
    assert.equal(await socket.receive(), "hello");
  }
  assert.deepEqual(chosenFor, ["ws://example.test/a", "wss://example.test/b"]);
  assert.deepEqual(
    place.asked.map((head) => head.split("\r\n")[0]),
    ["CONNECT example.test:80 HTTP/1.1", "CONNECT example.test:443 HTTP/1.1"],
  );
});

worldTest("proxy: chosen for each request, with credentials of its own (#12829)", async (place) => {
  await place.startProxy(3128);
  await place.startProxy(3129);
  const environment = {
    http_proxy: "http://user:password@proxy.test:3128",
    https_proxy: "http://proxy.test:3129",
    no_proxy: "10.0.0.0/8",
  };
  await using client = openHttpClient({ proxy: createProxyChooser(environment), tls: TRUSTED });
  await client.request("http://example.test/");
  await client.request("https://example.test/");
  await client.request("http://10.0.0.1/");
  const [first = "", second = "", third] = place.asked;
  assert.match(first, /^GET http.*\r\nproxy-authorization: Basic/s);
  assert.match(second, /^CONNECT/);
  assert.doesNotMatch(second, /authorization/i);
  assert.equal(third, undefined);
  for (const seen of place.seen) assert.doesNotMatch(seen, /authorization/i);
});

worldTest(
  "proxy: chosen again at each redirect, and credentials stay where they are (#12829)",
  async (place) => {
    const { origin } = place;
    const fields: string[] = [];
    const server = await origin.run(() =>
      openServer(
        (request) => {
          fields.push(request.headers.get("proxy-authorization") ?? "none");
          const to = new URL(request.url).searchParams.get("to");
          return new HttpResponse(
            "",
            to === null ? {} : { status: 307, headers: { location: to } },
          );
        },
        { port: 8000 },
      ),
    );
    await place.startProxy(3128);
    await place.startProxy(3129);
    const environment = {
      http_proxy: "http://user:password@proxy.test:3128",
      https_proxy: "http://other:secret@proxy.test:3129",
      no_proxy: "10.0.0.1",
    };
    await using client = openHttpClient({ proxy: createProxyChooser(environment), tls: TRUSTED });
    const to = (url: string): string => `http://example.test:8000/?to=${encodeURIComponent(url)}`;
    // By the first proxy, then the second, then none.
    await client.request(to("https://example.test/"));
    await client.request(to("http://10.0.0.1:8000/"), {
      headers: { "proxy-authorization": "Bearer mine" },
    });
    const sent = place.asked.map((head) => [
      head.split(" ", 1)[0],
      /proxy-authorization: (.*)/i.exec(head)?.[1],
    ]);
    assert.deepEqual(sent, [
      ["GET", CREDENTIALS],
      ["CONNECT", "Basic b3RoZXI6c2VjcmV0"],
      ["GET", CREDENTIALS],
    ]);
    assert.deepEqual(fields, ["none", "none", "none"]);
    for (const seen of place.seen) assert.doesNotMatch(seen, /proxy-|authorization/i);
    await server.close();
  },
);

worldTest("proxy: the one of a request gets nothing of the client's", async (place) => {
  await place.startProxy(3128);
  await place.startProxy(3129);
  await using client = openHttpClient({
    proxy: {
      url: "http://proxy.test:3128",
      credentials: { user: "user", password: "password" },
      headers: { "x-tenant": "7" },
    },
  });
  await client.request("http://example.test/", { proxy: "http://proxy.test:3129" });
  assert.doesNotMatch(place.asked.pop() ?? "", /authorization|tenant/);
  await client.request("http://example.test/", { proxy: null });
  assert.deepEqual(place.asked, []);
  await client.request("http://example.test/");
  assert.match(place.asked.pop() ?? "", /authorization.*tenant/s);
  assert.equal(place.seen.length, 3);
});

worldTest("proxy: without credentials, a field of the request is for the proxy", async (place) => {
  await place.startProxy(3128);
  await using client = openHttpClient({ proxy: "http://proxy.test:3128" });
  const headers = { "Proxy-Authorization": "Bearer x" };
  await client.request("http://example.test/", { headers });
  assert.match(place.asked[0] ?? "", /\r\nproxy-authorization: Bearer x/i);
  await client.request("http://example.test/", { headers, proxy: null });
  assert.doesNotMatch(place.seen[1] ?? "", /proxy-auth/i);
});

worldTest("proxy: 407 to a forwarded request is the response", async (place) => {
  const answer = "HTTP/1.1 407 Authenticate\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n";
  await place.startProxy(3128, saying(`${answer}\r\n`));
  await using client = openHttpClient({ proxy: "http://proxy.test:3128" });
  assert.equal((await client.request("http://example.test/")).status, 407);
});

worldTest("proxy: one that cannot be reached is an error of connecting to it", async (place) => {
  await using client = openHttpClient({ proxy: "http://proxy.test:9", tls: TRUSTED });
  await assert.rejects(client.request("https://example.test/"), (error) => {
    assert.ok(error instanceof RequestFailedError);
    assert.deepEqual([error.phase, error.reason], ["connect", "unreachable"]);
    assert.match(error.message, /cannot connect to the proxy proxy\.test:9/);
    return true;
  });
  assert.deepEqual(place.seen, []);
});

worldTest("proxy: all ways lead to the same body, also large ones both ways", async (place) => {
  await place.startProxy(3128);
  await place.startProxy(8443, undefined, true);
  await place.startProxy(1080, socksProxy());
  const tls = { ...TRUSTED, serverName: "localhost" };
  const body = "0123456789abcdef".repeat(20_000);
  await using client = openHttpClient({ tls: TRUSTED });
  for (const proxy of [
    "http://proxy.test:3128",
    { url: "https://proxy.test:8443", tls },
    "socks5h://proxy.test",
  ]) {
    for (const scheme of ["http", "https"]) {
      const url = `${scheme}://example.test/`;
      const response = await client.request(url, { proxy, method: "POST", body });
      assert.ok(response.text().startsWith(body) && response.status === 200);
    }
  }
});
