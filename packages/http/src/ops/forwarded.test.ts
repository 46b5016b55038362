import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ConnectionFacts, createClientOf, type TrustProxies } from "./forwarded.ts";

const PROXY = "10.0.0.1";
const INTERNAL: TrustProxies = ["10.0.0.0/8", "fd00::/8"];
const FORWARDED: TrustProxies = { proxies: ["10.0.0.0/8", "fd00::/8"], fields: "forwarded" };

function seen(trust: TrustProxies, fields: readonly string[], peer = PROXY) {
  const facts: ConnectionFacts = {
    peer: peer === "unix" ? { path: "" } : { host: peer, port: 40_000 },
    scheme: "http",
    host: "inside:8080",
    fields,
  };
  const { address, scheme, host } = createClientOf(trust)(facts);
  return `${scheme}://${host} from ${address}`;
}

const X = "X-Forwarded-For";

test("createClientOf: nothing is believed from who is not trusted", () => {
  const claims = [X, "1.1.1.1", "x-forwarded-proto", "https", "x-forwarded-host", "evil.example"];
  const plain = "http://inside:8080 from 192.0.2.9";
  assert.equal(seen(INTERNAL, claims, "192.0.2.9"), plain);
  assert.equal(seen(0, claims, "192.0.2.9"), plain);
  assert.equal(seen([], claims, "192.0.2.9"), plain);
  assert.equal(
    seen(() => false, claims, "192.0.2.9"),
    plain,
  );
  assert.equal(seen(FORWARDED, ["forwarded", "for=1.1.1.1"], "192.0.2.9"), plain);
  assert.equal(seen(INTERNAL, claims, "unix"), "http://inside:8080 from unix");
});

test("createClientOf: walks from the right to the first address that is not trusted; what a client put left of it counts nothing", () => {
  const cases: readonly (readonly [TrustProxies, string, string])[] = [
    [INTERNAL, "192.0.2.7", "192.0.2.7"],
    [INTERNAL, "6.6.6.6, 192.0.2.7", "192.0.2.7"],
    [INTERNAL, "10.9.9.9, 192.0.2.7", "192.0.2.7"],
    [INTERNAL, "6.6.6.6, 192.0.2.7, 10.0.0.2, 10.0.0.3", "192.0.2.7"],
    [INTERNAL, "10.0.0.9, 10.0.0.3", "10.0.0.9"],
    [INTERNAL, "192.0.2.7:55555", "192.0.2.7"],
    [INTERNAL, "[2001:DB8::7]:55555", "2001:db8::7"],
    [INTERNAL, "2001:db8::7", "2001:db8::7"],
    [INTERNAL, "1.1.1.1, ::ffff:10.0.0.2", "1.1.1.1"],
    [INTERNAL, "1.1.1.1,,192.0.2.7,", "192.0.2.7"],
    [INTERNAL, "1.1.1.1, nonsense, 10.0.0.2", "unknown"],
    [INTERNAL, "1.1.1.1, unknown, 10.0.0.2", "unknown"],
    [1, "6.6.6.6, 192.0.2.7", "192.0.2.7"],
    [2, "6.6.6.6, 192.0.2.7, 10.0.0.2", "192.0.2.7"],
    [2, "192.0.2.7", "192.0.2.7"],
    [9, "6.6.6.6, 192.0.2.7", "6.6.6.6"],
    [(address) => address !== "192.0.2.7", "6.6.6.6, 192.0.2.7, 5.5.5.5", "192.0.2.7"],
  ];
  for (const [trust, value, address] of cases)
    assert.equal(seen(trust, [X, value]), `http://inside:8080 from ${address}`, value);
  assert.equal(
    seen(INTERNAL, [X, "6.6.6.6", "x-FORWARDED-for", "192.0.2.7"]),
    "http://inside:8080 from 192.0.2.7",
  );
  assert.equal(seen(INTERNAL, []), "http://inside:8080 from 10.0.0.1");
  assert.equal(seen(["unix"], [X, "192.0.2.7"], "unix"), "http://inside:8080 from 192.0.2.7");
});

test("createClientOf: scheme and host as the outermost trusted proxy told them, nonsense left out", () => {
  const withProto = (proto: string, addresses = "192.0.2.7") =>
    seen(INTERNAL, [X, addresses, "X-Forwarded-Proto", proto]).split("://")[0];
  assert.equal(withProto("https"), "https");
  assert.equal(withProto("HTTPS"), "https");
  for (const bad of ["ftp", "", "https:", "https\u0000", "java script"])
    assert.equal(withProto(bad), "http", bad);
  assert.equal(
    withProto("https, http", "6.6.6.6, 192.0.2.7"),
    "http",
    "the first is the client's own",
  );
  assert.equal(withProto("https, http", "192.0.2.7, 10.0.0.2"), "https", "the first is a proxy's");
  assert.equal(
    withProto("https, http", "192.0.2.7"),
    "http",
    "as many as not, so the nearest proxy's",
  );
  const withHost = (host: string) => seen(INTERNAL, [X, "192.0.2.7", "X-Forwarded-Host", host]);
  for (const good of ["example.com", "example.com:8443", "[::1]:80", "a_b.example"])
    assert.equal(withHost(good), `http://${good} from 192.0.2.7`);
  for (const bad of ["a b", "a/b", "user@host", "a:port", "a:123456", "[::1", "a\r\nb", '"x"', "é"])
    assert.equal(withHost(bad), "http://inside:8080 from 192.0.2.7", bad);
});

test("createClientOf: only the fields that the proxies write are read, since they pass on the others", () => {
  const both = [X, "1.1.1.1", "Forwarded", "for=2.2.2.2;proto=https"];
  assert.equal(seen(INTERNAL, both), "http://inside:8080 from 1.1.1.1");
  assert.equal(seen(FORWARDED, both), "https://inside:8080 from 2.2.2.2");
});

test("createClientOf: Forwarded by its grammar, from the right", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "for=192.0.2.60;proto=https;by=203.0.113.43;host=example.com",
      "https://example.com from 192.0.2.60",
    ],
    ['For="[2001:db8:cafe::17]:4711"', "http://inside:8080 from 2001:db8:cafe::17"],
    ['for="192.0.2.60:80"; PROTO=https', "https://inside:8080 from 192.0.2.60"],
    ["for=6.6.6.6, for=192.0.2.60", "http://inside:8080 from 192.0.2.60"],
    ["for=192.0.2.60;proto=https, for=10.0.0.2;proto=http", "https://inside:8080 from 192.0.2.60"],
    ["for=192.0.2.60;proto=https, for=10.0.0.2", "https://inside:8080 from 192.0.2.60"],
    ["for=192.0.2.60, for=10.0.0.2;proto=https", "https://inside:8080 from 192.0.2.60"],
    ["for=_hidden, for=10.0.0.2", "http://inside:8080 from _hidden"],
    ['for="_Gazonk:_port"', "http://inside:8080 from _Gazonk"],
    ['for="unknown:80"', "http://inside:8080 from unknown"],
    ['for="unknown"', "http://inside:8080 from unknown"],
    ["for=UNKNOWN", "http://inside:8080 from unknown"],
    ["proto=https", "https://inside:8080 from unknown"],
    ['for="192.0.2.60:_x"', "http://inside:8080 from 192.0.2.60"],
    ['host="example.com:8443";for=192.0.2.60', "http://example.com:8443 from 192.0.2.60"],
    ['for="\\1\\9\\2.0.2.60"', "http://inside:8080 from 192.0.2.60"],
    ['for=192.0.2.60;x="a,for=6.6.6.6";proto=https', "https://inside:8080 from 192.0.2.60"],
    ['for=192.0.2.60;x="\\",for=6.6.6.6";proto=https', "https://inside:8080 from 192.0.2.60"],
    ['for=192.0.2.60;x="\\\\", for=10.0.0.2;proto=https', "https://inside:8080 from 192.0.2.60"],
    ['for=6.6.6.6, for=192.0.2.60;x="\\"";proto=https', "https://inside:8080 from 192.0.2.60"],
    // What is not by the grammar tells nothing.
    ["for=192.0.2.60:80", "http://inside:8080 from unknown"],
    ["for=192.0.2.60;for=6.6.6.6", "http://inside:8080 from unknown"],
    ["for =192.0.2.60", "http://inside:8080 from unknown"],
    ["192.0.2.60", "http://inside:8080 from unknown"],
    ['for="192.0.2.60', "http://inside:8080 from unknown"],
    ["for=2001:db8::1", "http://inside:8080 from unknown"],
    ['for="2001:db8::1 x"', "http://inside:8080 from unknown"],
    // Empty elements and pairs mean nothing.
    [", for=192.0.2.60;, ", "http://inside:8080 from 192.0.2.60"],
  ];
  for (const [value, expected] of cases)
    assert.equal(seen(FORWARDED, ["Forwarded", value]), expected, value);
});

test("createClientOf: no beginning that a client makes up changes what the trusted proxy wrote after it", () => {
  const wrote = [
    "for=192.0.2.60;proto=https",
    'for="[2001:db8::1]:80";host="a.example";proto=https',
  ];
  const pieces = [
    '"',
    "\\",
    ",",
    ";",
    "=",
    "for=",
    "1.1.1.1",
    "proto=http",
    " ",
    'for="',
    "é",
    "_x",
  ];
  const begun = fc
    .array(fc.constantFrom(...pieces), { maxLength: 12 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(begun, fc.constantFrom(...wrote), fc.boolean(), (client, proxy, joined) => {
      const fields = joined
        ? ["Forwarded", `${client}, ${proxy}`]
        : ["Forwarded", client, "forwarded", proxy];
      assert.equal(seen(FORWARDED, fields), seen(FORWARDED, ["Forwarded", proxy]));
    }),
  );
  const list = fc.array(fc.constantFrom("1.1.1.1", ",", " ", "10.0.0.2", "unknown", "x"), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(list, (client) => {
      assert.equal(
        seen(INTERNAL, [X, `${client.join("")}, 192.0.2.7`]),
        "http://inside:8080 from 192.0.2.7",
      );
    }),
  );
});

test("createClientOf: a long list of quotes and commas costs time in proportion", () => {
  const value = `${'\\"",'.repeat(16_000)}for=10.0.0.2`;
  assert.match(seen(FORWARDED, ["Forwarded", value]), /from unknown$/);
  assert.match(seen(FORWARDED, ["Forwarded", `${"\\".repeat(60_000)}", for=10.0.0.2`]), /unknown$/);
  assert.match(seen(1000, [X, "10.0.0.1,".repeat(8000)]), /from 10.0.0.1$/);
});

test("createClientOf: what cannot be trusted is refused, and said why", () => {
  for (const bad of [-1, 1.5, Number.NaN]) assert.throws(() => createClientOf(bad), RangeError);
  assert.throws(() => createClientOf(["10.0.0.1/8"]), /bits set/);
  for (const bad of [true, null, "10.0.0.0/8", {}, { proxies: "x" }])
    assert.throws(() => createClientOf(bad as never), {
      name: "TypeError",
      message: /needs a number of proxies/,
    });
  assert.throws(
    () => createClientOf({ proxies: 1, fields: "via" as never }),
    /needs "x-forwarded"/,
  );
});
