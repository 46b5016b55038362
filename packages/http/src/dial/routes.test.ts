import assert from "node:assert/strict";
import { test } from "node:test";
import type { TlsClientOptions } from "arborio/net";
import { requestUrlOf } from "../client/request-url.ts";
import { identity } from "../server/certificates.test.kit.ts";
import type { ProxyLike, RouteOptions } from "./route-options.ts";
import { isForwarded } from "./route.ts";
import { type RoutedOptions, Routes } from "./routes.ts";

const target = (url: string) => requestUrlOf(new URL(url));
const HTTPS = target("https://example.test/a?b#c");
const PEM = "-----BEGIN CERTIFICATE-----";
const DIGITS = "0".repeat(64);

/** Ways that must never share a connection, each with its name. */
const DIFFERENT: readonly (readonly [name: string, options: RouteOptions])[] = [
  ["nothing of its own", {}],
  ["SNI (CVE-2026-54275)", { tls: { serverName: "a.test" } }],
  ["another SNI", { tls: { serverName: "b.test" } }],
  ["verification", { tls: { verify: false } }],
  ["trusted authorities", { tls: { trusted: `${PEM}a` } }],
  ["other trusted authorities", { tls: { trusted: `${PEM}b` } }],
  ["several trusted authorities", { tls: { trusted: [`${PEM}a`, `${PEM}b`] } }],
  ["client certificate", { tls: { identity } }],
  ["its key", { tls: { identity: { ...identity, privateKey: "other" } } }],
  ["its passphrase", { tls: { identity: { ...identity, passphrase: "a" } } }],
  ["oldest version", { tls: { versionMin: "TLSv1.3" } }],
  ["newest version", { tls: { versionMax: "TLSv1.2" } }],
  ["ALPN", { tls: { alpnProtocols: [] } }],
  ["closing alerts", { tls: { requireCloseNotify: false } }],
  ["time for the handshake", { tls: { handshakeTimeoutMs: 5 } }],
  ["no limit of time for the handshake", { tls: { handshakeTimeoutMs: Infinity } }],
  ["session", { tls: { session: Uint8Array.of(1) } }],
  ["who gets sessions", { tls: { onSession: () => {} } }],
  ["somebody else who gets sessions", { tls: { onSession: () => {} } }],
  ["fingerprint", { fingerprints: [DIGITS] }],
  ["two fingerprints", { fingerprints: [DIGITS, "1".repeat(64)] }],
  ["proxy", { proxy: "http://p.test" }],
  ["scheme of the proxy", { proxy: "https://p.test" }],
  ["port of the proxy", { proxy: "http://p.test:81" }],
  ["host of the proxy", { proxy: "http://q.test" }],
  ["SOCKS, names here", { proxy: "socks5://p.test:80" }],
  ["SOCKS, names there", { proxy: "socks5h://p.test:80" }],
  ["user of the proxy", { proxy: "http://u:p@p.test" }],
  ["password of the proxy", { proxy: "http://u:q@p.test" }],
  ["user of SOCKS", { proxy: "socks5://u:p@p.test:80" }],
  ["another user of SOCKS", { proxy: "socks5://v:p@p.test:80" }],
  ["another password of SOCKS", { proxy: "socks5://u:q@p.test:80" }],
  // To be refused when TLS is made, which a connection that is there would not do.
  ...[0, 1, 2, 3, 4, 5].map(
    (wrong) => [`authorities that are ${wrong}`, { tls: { trusted: wrong as never } }] as const,
  ),
  ["fields of the proxy", { proxy: { url: "http://p.test", headers: { a: "b" } } }],
  ["TLS of the proxy", { proxy: { url: "https://p.test", tls: { verify: false } } }],
  ["address of this machine", { localHost: "127.0.0.1" }],
  ["another address of this machine", { localHost: "::1" }],
  ["socket", { socketPath: "/a" }],
  ["another socket", { socketPath: "/b" }],
];

test("Routes: all that tells connections apart is in the key", () => {
  const urls = [
    "https://example.test/",
    "http://example.test/",
    "https://example.test:444/",
    "https://example.test./",
    "https://other.test/",
    "https://[::1]/",
  ];
  const routes = new Routes({});
  const keys = new Map<string, string>();
  for (const url of urls) {
    for (const [name, options] of DIFFERENT) {
      const route = routes.of(target(url), options);
      const what = `${url}, ${name}`;
      assert.equal(keys.get(route.key), undefined, `${what} is the same as ${keys.get(route.key)}`);
      keys.set(route.key, what);
      // Another protocol needs another way only where requests are forwarded.
      const upgraded = routes.of(target(url), { ...options, upgrade: "websocket" });
      assert.equal(upgraded.key === route.key, !isForwarded(route), what);
      assert.ok(!isForwarded(upgraded));
      if (isForwarded(route)) keys.set(upgraded.key, what);
    }
  }
  const forwarded = [...keys.keys()].filter((key) => key.endsWith(" tunnel"));
  assert.equal(keys.size, urls.length * DIFFERENT.length + forwarded.length);
  assert.equal(forwarded.length, 8);
  for (const key of keys.keys()) assert.doesNotMatch(key, /PRIVATE|CERTIFICATE|p\.test|:p@/);
});

test("Routes: each of them is the same for a client as for a request, and found again", () => {
  for (const [name, options] of DIFFERENT) {
    const own = new Routes(options);
    const first = own.of(HTTPS, {});
    assert.equal(own.of(HTTPS, { method: "POST" } as RoutedOptions), first, name);
    assert.equal(own.of(HTTPS, { ...options }).key, first.key, name);
    const others = new Routes({});
    const given = others.of(HTTPS, options);
    assert.equal(others.of(HTTPS, structuredCloneOf(options)), given, name);
    const { key: _first, ...firstParts } = first;
    const { key: _given, ...givenParts } = given;
    assert.deepEqual(firstParts, givenParts, name);
  }
});

/** Functions are the same ones. */
function structuredCloneOf({ tls, ...rest }: RouteOptions): RouteOptions {
  if (tls === undefined) return structuredClone(rest) as RouteOptions;
  const { onSession, ...cloned } = tls;
  const copy: TlsClientOptions = structuredClone(cloned);
  return { ...rest, tls: onSession === undefined ? copy : { ...copy, onSession } };
}

test("Routes: what was changed in options after a request counts for the next", () => {
  const routes = new Routes({});
  const tls: { serverName: string } = { serverName: "a.test" };
  const { key } = routes.of(HTTPS, { tls });
  tls.serverName = "b.test";
  const next = routes.of(HTTPS, { tls });
  assert.notEqual(next.key, key);
  assert.equal(next.tls?.serverName, "b.test");
  const own = new Routes({ tls });
  tls.serverName = "c.test";
  assert.equal(own.of(HTTPS, {}).tls?.serverName, "b.test");
  assert.equal(own.of(HTTPS, { localHost: "::1" }).tls?.serverName, "b.test");
});

test("Routes: what was changed within options of TLS changes no route that is there", () => {
  const tls = {
    trusted: [`${PEM}a`],
    identity: { ...identity },
    session: Uint8Array.of(1),
  };
  const before = structuredClone(tls);
  const own = new Routes({ tls });
  const others = new Routes({});
  const routes = [own.of(HTTPS, {}), others.of(HTTPS, { tls })];
  const keys = routes.map(({ key }) => key);
  tls.trusted[0] = `${PEM}b`;
  tls.identity.privateKey = "other";
  tls.session[0] = 2;
  for (const route of routes) assert.deepEqual(route.tls, before);
  assert.equal(own.of(HTTPS, {}).key, keys[0]);
  assert.equal(own.of(HTTPS, { localHost: "::1" }).tls?.identity?.privateKey, identity.privateKey);
  // The same as before, and what there is now.
  assert.equal(others.of(HTTPS, { tls: before }), routes[1]);
  const next = others.of(HTTPS, { tls });
  assert.notEqual(next.key, keys[1]);
  assert.deepEqual(next.tls, tls);
});

test("Routes: TLS of a request is laid over the client's, other options take their place", () => {
  const routes = new Routes({
    tls: { trusted: PEM, serverName: "a.test" },
    fingerprints: [DIGITS],
    proxy: { url: "http://p.test", credentials: { user: "u", password: "p" } },
    localHost: "::1",
  });
  const route = routes.of(HTTPS, {
    tls: { serverName: "b.test" },
    fingerprints: ["1".repeat(64)],
    proxy: "http://q.test",
    localHost: null,
  });
  assert.deepEqual(route.tls, { trusted: PEM, serverName: "b.test" });
  assert.deepEqual(route.fingerprints, ["1".repeat(64)]);
  assert.deepEqual([route.proxy?.host, route.proxy?.credentials], ["q.test", null]);
  assert.equal(route.localHost, null);
});

test("Routes: of proxy and socket, that of the request comes first", () => {
  const socketed = new Routes({ socketPath: "/a" });
  const way = (routes: Routes, options: RouteOptions): unknown => {
    const { proxy, socketPath } = routes.of(HTTPS, options);
    return proxy?.host ?? socketPath;
  };
  assert.equal(way(socketed, {}), "/a");
  assert.equal(way(socketed, { proxy: "http://p.test" }), "p.test");
  assert.equal(way(socketed, { proxy: null }), "/a");
  assert.equal(way(socketed, { proxy: () => null }), "/a");
  assert.equal(way(socketed, { socketPath: null }), null);
  for (const proxy of ["http://p.test", () => "http://p.test"]) {
    const proxied = new Routes({ proxy });
    assert.equal(way(proxied, {}), "p.test");
    assert.equal(way(proxied, { socketPath: "/b" }), "/b");
    assert.equal(way(proxied, { socketPath: null }), "p.test");
    assert.equal(way(proxied, { proxy: null }), null);
    assert.throws(() => way(proxied, { proxy: "http://p.test", socketPath: "/b" }), /got both/);
    assert.throws(() => new Routes({ proxy, socketPath: "/a" }), /got both/);
  }
});

test("Routes: a choice of proxies is asked for each request, with its URL", () => {
  const asked: string[] = [];
  let chosen: string | null | undefined = "http://p.test";
  const routes = new Routes({
    proxy: (url) => {
      asked.push(url.href);
      return chosen as string | null;
    },
  });
  const url = target("http://user:password@example.test/a?b#c");
  const first = routes.of(url, {});
  assert.equal(first.proxy?.host, "p.test");
  chosen = null;
  assert.equal(routes.of(url, {}).proxy, null);
  chosen = "http://p.test";
  assert.equal(routes.of(url, {}), first);
  routes.of(HTTPS, { upgrade: "websocket" });
  routes.of(HTTPS, { proxy: null });
  assert.deepEqual(asked, [
    ...Array.from({ length: 3 }, () => "http://example.test/a?b"),
    "wss://example.test/a?b",
  ]);
  chosen = undefined;
  assert.throws(() => routes.of(HTTPS, {}), /returned undefined, needs/);
});

test("Routes: a proxy that was chosen before is known by all of its URL, for each origin", () => {
  const url = new URL("http://u:p@p.test");
  let chosen: ProxyLike = url;
  const routes = new Routes({ proxy: () => chosen, localHost: "127.0.0.1" });
  const first = routes.of(HTTPS, {});
  assert.deepEqual(first.proxy?.credentials, { user: "u", password: "p" });
  assert.equal(routes.of(HTTPS, {}), first);
  const other = routes.of(target("https://other.test"), {});
  assert.deepEqual(
    [other.host, other.proxy?.host, other.localHost],
    ["other.test", "p.test", "127.0.0.1"],
  );
  url.password = "q";
  const next = routes.of(HTTPS, {});
  assert.notEqual(next.key, first.key);
  assert.equal(next.proxy?.credentials?.password, "q");
  // However it is said.
  chosen = { url: "http://p.test", credentials: { user: "u", password: "p" } };
  assert.equal(routes.of(HTTPS, {}), first);
  chosen = "http://u:p@p.test/";
  assert.equal(routes.of(HTTPS, {}), first);
  chosen = null;
  assert.deepEqual(routes.of(HTTPS, {}).proxy, null);
  chosen = "p.test";
  assert.throws(() => routes.of(HTTPS, {}), /proxy: got no URL/);
});

test("Routes: a client of many tenants keeps the connections of each", () => {
  const routes = new Routes({ tls: { trusted: PEM } });
  const keyOf = (tenant: number): string =>
    routes.of(HTTPS, {
      tls: { identity: { certificate: `certificate ${tenant}`, privateKey: `key ${tenant}` } },
    }).key;
  const keys = Array.from({ length: 900 }, (_, tenant) => keyOf(tenant));
  assert.equal(new Set(keys).size, 900);
  assert.deepEqual(
    Array.from({ length: 900 }, (_, tenant) => keyOf(tenant)),
    keys,
  );
});

test("Routes: isForwarded", () => {
  const routes = new Routes({});
  const forwarded = (url: string, proxy: string, upgrade?: string): boolean =>
    isForwarded(routes.of(target(url), { proxy, ...(upgrade === undefined ? {} : { upgrade }) }));
  assert.ok(forwarded("http://a.test", "http://p.test"));
  assert.ok(forwarded("http://a.test", "https://p.test"));
  assert.ok(!forwarded("https://a.test", "http://p.test"));
  assert.ok(!forwarded("http://a.test", "http://p.test", "websocket"));
  assert.ok(!forwarded("http://a.test", "socks5://p.test"));
});

test("Routes: what is kept is bounded, and a number never comes again", () => {
  const routes = new Routes({});
  const keys = new Set<string>();
  for (let at = 0; at < 1500; at++) keys.add(routes.of(HTTPS, { proxy: `http://p${at}.test` }).key);
  assert.equal(keys.size, 1500);
  // The first was forgotten: it is another way now.
  assert.ok(!keys.has(routes.of(HTTPS, { proxy: "http://p0.test" }).key));
  const plain = routes.of(target("http://0.test"), {});
  for (let at = 1; at < 1500; at++) routes.of(target(`http://${at}.test`), {});
  const again = routes.of(target("http://0.test"), {});
  assert.notEqual(again, plain);
  assert.deepEqual(again, plain);
});

test("Routes: wrong options are refused, of the client at once", () => {
  const cases: [unknown, RegExp][] = [
    [{ tls: true }, /tls: got true/],
    [{ tls: { alpnProtocols: ["h2", "http/1.1"] } }, /alpnProtocols.*needs \["http\/1\.1"\]/],
    [{ fingerprints: ["00"] }, /fingerprints: got "00"/],
    [{ proxy: "p.test" }, /proxy: got no URL/],
    [{ proxy: 1 }, /proxy: got number/],
    [{ socketPath: "" }, /socketPath: got "", needs a path/],
    [{ socketPath: 1 }, /socketPath: got 1/],
    [{ localHost: "localhost" }, /localHost: got "localhost", needs a numeric address/],
    [{ localHost: 1 }, /localHost: got 1/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => new Routes(options as RouteOptions), { message });
    assert.throws(() => new Routes({}).of(HTTPS, options as RouteOptions), { message });
  }
});
