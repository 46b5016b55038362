import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyRoute } from "./proxy-route.ts";
import type { ProxyLike } from "./route-options.ts";

const parts = (given: ProxyLike): unknown[] => {
  const route = proxyRoute(given);
  return [route?.scheme, route?.host, route?.port, route?.credentials ?? null];
};

test("proxyRoute: URLs of all schemes, with their ports", () => {
  const cases: [ProxyLike, unknown[]][] = [
    ["http://proxy.test", ["http", "proxy.test", 80, null]],
    ["http://proxy.test:3128/", ["http", "proxy.test", 3128, null]],
    [new URL("https://PROXY.test"), ["https", "proxy.test", 443, null]],
    ["https://proxy.test:80", ["https", "proxy.test", 80, null]],
    ["socks5://proxy.test", ["socks5", "proxy.test", 1080, null]],
    ["socks5h://proxy.test:80", ["socks5h", "proxy.test", 80, null]],
    ["socks4://127.1:9", ["socks4", "127.0.0.1", 9, null]],
    ["SOCKS4A://[::1]:9", ["socks4a", "::1", 9, null]],
    ["http://[::1]:9", ["http", "::1", 9, null]],
    ["socks5h://b%C3%BCcher.test", ["socks5h", "xn--bcher-kva.test", 1080, null]],
    ["http://a:b%40c@p.test", ["http", "p.test", 80, { user: "a", password: "b@c" }]],
    ["socks5://a@p.test", ["socks5", "p.test", 1080, { user: "a", password: "" }]],
    [
      { url: "http://a:b@p.test", credentials: { user: "c", password: "d" } },
      ["http", "p.test", 80, { user: "c", password: "d" }],
    ],
  ];
  for (const [given, expected] of cases) assert.deepEqual(parts(given), expected);
  assert.equal(proxyRoute(null), null);
});

test("proxyRoute: what a proxy is told with each request", () => {
  const credentials = { user: "user", password: "password" };
  const text = (given: ProxyLike): string | undefined => proxyRoute(given)?.fieldText;
  assert.equal(text("http://p.test"), "");
  assert.equal(text("socks5://user:password@p.test"), "");
  assert.equal(
    text({
      url: "http://p.test",
      credentials,
      headers: [
        ["A", "1"],
        ["a", "2"],
      ],
    }),
    "proxy-authorization: Basic dXNlcjpwYXNzd29yZA==\r\nA: 1\r\na: 2\r\n",
  );
  const own = proxyRoute({ url: "http://p.test", headers: { "Proxy-Authorization": "Bearer x" } });
  assert.deepEqual(
    [own?.fieldText, own?.hasAuthorization],
    ["Proxy-Authorization: Bearer x\r\n", true],
  );
});

test("proxyRoute: what is none is refused, and no password is shown", () => {
  const url = "http://p.test";
  const cases: [unknown, RegExp][] = [
    ["proxy.test:3128", /got a URL of proxy\.test:, needs one of http, https, socks5/],
    ["p", /got no URL/],
    ["", /got no URL/],
    ["http://user:hunter2@", /got no URL/],
    ["ftp://user:hunter2@p.test", /got a URL of ftp:/],
    ["file:///p", /got a URL of file:/],
    ["socks5://", /needs a host/],
    ["http://user:hunter2@p.test/a", /got http:\/\/p\.test\/a with more behind it/],
    ["http://p.test/?a", /without a path/],
    ["socks5://p.test:0", /port of 1 to 65535/],
    ["http://user:%zz@p.test", /percent sign/],
    ["http://us%3Aer:hunter2@p.test", /colon/],
    ["http://u:hun%0Ater2@p.test", /control characters/],
    ["socks4://u:hunter2@p.test", /SOCKS4/],
    [`socks5://${"u".repeat(256)}:hunter2@p.test`, /256 bytes/],
    [{ url: "socks5://p.test", headers: {} }, /headers.*has none/],
    [{ url, tls: {} }, /tls.*needs one of https:/],
    [{ url: "https://p.test", tls: { alpnProtocols: ["h2"] } }, /alpnProtocols \["h2"\]/],
    [{ url, headers: { Host: "x" } }, /got Host/],
    [{ url, headers: { "Content-Length": "1" } }, /got Content-Length/],
    [{ url, headers: { a: "b\r\nc: d" } }, /value/],
    [{ url, credentials: { user: "a" } }, /two strings/],
    [
      {
        url,
        credentials: { user: "a", password: "hunter2" },
        headers: { "proxy-authorization": "x" },
      },
      /needs one of them/,
    ],
    [{ url: 1 }, /got number, needs a URL/],
    [1, /got number/],
  ];
  for (const [given, message] of cases) {
    assert.throws(
      () => proxyRoute(given as ProxyLike),
      (error) => {
        assert.ok(error instanceof TypeError || error instanceof RangeError, String(error));
        assert.match(error.message, message);
        assert.ok(!error.message.includes("hunter2"), error.message);
        return true;
      },
    );
  }
});
