import assert from "node:assert/strict";
import { test } from "node:test";
import type { SocketAddress } from "arborio/net";
import type { RequestHead } from "../protocol/message.ts";
import { createClientOf } from "./forwarded.ts";
import type { TracedEnd, TracedRequest } from "./server-trace.ts";
import { endAttributes, requestAttributes } from "./trace-attributes.ts";

function requestOf(
  head: Partial<RequestHead> | null,
  ends: { peer?: SocketAddress; local?: SocketAddress } = {},
): TracedRequest {
  const whole = head === null ? null : { ...HEAD, ...head };
  return {
    connection: {
      peer: ends.peer ?? { host: "192.0.2.7", port: 5000 },
      local: ends.local ?? { host: "10.0.0.1", port: 8080 },
      tls: undefined,
      openedAt: 0,
    },
    scheme: "http",
    head: whole,
    startedAt: 0,
  };
}

const HEAD: RequestHead = {
  version: "1.1",
  fields: ["Host", "example.com:8443", "User-Agent", "curl/8"],
  framing: 0,
  keepAlive: true,
  method: "GET",
  target: "/a/b?q=1&q=2",
  authority: "example.com:8443",
  expectsContinue: false,
  upgrade: "",
};

const END: TracedEnd = { outcome: "sent", status: 200, fields: [], bodyBytes: 13, endedAt: 1 };

test("requestAttributes: the names and values of the semantic conventions", () => {
  assert.deepEqual(requestAttributes(requestOf({})), {
    "http.request.method": "GET",
    "url.scheme": "http",
    "url.path": "/a/b",
    "url.query": "q=1&q=2",
    "network.protocol.name": "http",
    "network.protocol.version": "1.1",
    "network.peer.address": "192.0.2.7",
    "network.peer.port": 5000,
    "client.address": "192.0.2.7",
    "server.address": "example.com",
    "server.port": 8443,
    "user_agent.original": "curl/8",
  });
});

test("requestAttributes: an unknown method is _OTHER, so that nobody fills a metric with names", () => {
  const attributes = requestAttributes(requestOf({ method: "BREW" }));
  assert.equal(attributes["http.request.method"], "_OTHER");
  assert.equal(attributes["http.request.method_original"], "BREW");
  assert.equal(requestAttributes(requestOf({ method: "get" }))["http.request.method"], "_OTHER");
  assert.equal(requestAttributes(requestOf({ method: "QUERY" }))["http.request.method"], "QUERY");
});

test("requestAttributes: path and query in each form of the target; what opens a signed URL is not told", () => {
  const cases = [
    ["/", "/", undefined],
    ["/?", "/", undefined],
    ["/a?b?c=/d", "/a", "b?c=/d"],
    ["http://example.com", "/", undefined],
    ["http://example.com?x=1", "/", "x=1"],
    ["http://example.com/a?x", "/a", "x"],
    ["//evil/..", "//evil/..", undefined],
    ["*", "*", undefined],
    ["example.com:443", "", undefined],
    [
      "/f?sig=abc&a=sig&Signature=x&X-Goog-Signature=&AWSAccessKeyId=k%20",
      "/f",
      "sig=REDACTED&a=sig&Signature=REDACTED&X-Goog-Signature=REDACTED&AWSAccessKeyId=REDACTED",
    ],
    ["/f?notsig=abc", "/f", "notsig=abc"],
  ] as const;
  for (const [target, path, query] of cases) {
    const attributes = requestAttributes(requestOf({ target }));
    assert.equal(attributes["url.path"], path, target);
    assert.equal(attributes["url.query"], query, target);
  }
});

test("requestAttributes: the server as the client called it, else where it listens", () => {
  const server = (authority: string, local?: SocketAddress) => {
    const { "server.address": host, "server.port": port } = requestAttributes(
      requestOf({ authority }, local === undefined ? {} : { local }),
    );
    return [host, port];
  };
  assert.deepEqual(server("example.com"), ["example.com", 80]);
  assert.deepEqual(server("[::1]:9"), ["::1", 9]);
  assert.deepEqual(server("[::1]"), ["::1", 80]);
  assert.deepEqual(server(""), ["10.0.0.1", 8080]);
  assert.deepEqual(server("", { path: "/run/app.sock" }), ["/run/app.sock", undefined]);
});

test("requestAttributes: the client behind trusted proxies, and through a Unix socket", () => {
  const fields = [
    "x-forwarded-for",
    "198.51.100.1",
    "x-forwarded-proto",
    "https",
    "x-forwarded-host",
    "shop.example",
  ];
  const attributes = requestAttributes(
    requestOf({ fields }, { peer: { path: "" } }),
    createClientOf(["unix"]),
  );
  assert.equal(attributes["client.address"], "198.51.100.1");
  assert.equal(attributes["url.scheme"], "https");
  assert.equal(attributes["server.address"], "shop.example");
  assert.equal(attributes["server.port"], 443);
  assert.equal(attributes["network.peer.address"], undefined);
  assert.equal(attributes["user_agent.original"], undefined);
});

test("requestAttributes: what was refused before there was a head", () => {
  assert.deepEqual(requestAttributes(requestOf(null)), {
    "http.request.method": "_OTHER",
    "url.scheme": "http",
    "network.protocol.name": "http",
    "network.peer.address": "192.0.2.7",
    "network.peer.port": 5000,
    "client.address": "192.0.2.7",
    "server.address": "10.0.0.1",
    "server.port": 8080,
  });
});

test("endAttributes: status, size, and of errors only the kind", () => {
  assert.deepEqual(endAttributes(END), {
    "http.response.status_code": 200,
    "http.response.body.size": 13,
  });
  const type = (end: Partial<TracedEnd>, error?: unknown) =>
    endAttributes({ ...END, ...end }, error)["error.type"];
  assert.equal(type({ status: 404 }), undefined);
  assert.equal(type({ status: 503 }), "503");
  assert.equal(type({ status: 500 }, new TypeError("secret")), "TypeError");
  assert.equal(type({ status: 500 }, "secret"), "_OTHER");
  assert.equal(type({ outcome: "client-left" }), "client-left");
  assert.equal(
    endAttributes({ ...END, status: 0, outcome: "cut" })["http.response.status_code"],
    undefined,
  );
});
