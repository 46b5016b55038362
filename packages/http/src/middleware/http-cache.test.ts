/** What a cache keeps, for whom, how long, and how it asks again. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { sleep } from "arborio";
import { HttpResponse } from "../web/http-response.ts";
import { createMemoryCacheStore } from "./cache/memory-cache-store.ts";
import { httpCache } from "./http-cache.ts";
import { cached, counting, dateIn, test } from "./http-cache.test.kit.ts";

test("httpCache: what is fresh is given without asking, with its age", async () => {
  await using all = await cached(counting({ "cache-control": "max-age=60" }));
  await all.expect("1 miss", "1 hit");
  await sleep(40_000);
  const response = await all.client.request("/");
  assert.equal(response.text(), "1");
  assert.equal(response.headers.get("age"), "40");
  assert.equal(response.headers.get("cache-status"), "arborio; hit");
  assert.equal(response.headers.get("content-length"), "1");
  assert.equal(response.url, `${all.server.url}`);
  await sleep(20_000);
  await all.expect("2 miss", "2 hit");
  assert.deepEqual(all.seen, ["GET /", "GET /"]);
  assert.deepEqual(all.cache.statistics(), {
    hit: 3,
    stale: 0,
    revalidated: 0,
    collapsed: 0,
    miss: 2,
    bypassed: 0,
  });
});

const FRESH: readonly (readonly [headers: Record<string, string>, seconds: number])[] = [
  [{ "cache-control": "max-age=10" }, 10],
  [{ "cache-control": "MAX-AGE=10" }, 10],
  [{ "cache-control": 'private="a, b" , max-age="10"' }, 10],
  [{ "cache-control": "max-age=10, must-revalidate" }, 10],
  [{ "cache-control": "private, max-age=10" }, 10],
  [{ "cache-control": "max-age=10, s-maxage=100" }, 10],
  [{ "cache-control": "max-age=10", expires: "0" }, 10],
  [{ "cache-control": "max-age=30", age: "20" }, 10],
  [{ "cache-control": "max-age=10", pragma: "no-cache" }, 10],
  [{ "cache-control": "max-age=10", authorization: "x" }, 10],
];

for (const [headers, seconds] of FRESH) {
  test(`httpCache: fresh for ${seconds} s by ${JSON.stringify(headers)}`, async () => {
    await using all = await cached(counting(headers));
    await all.expect("1 miss");
    await sleep(seconds * 1000 - 500);
    await all.expect("1 hit");
    await sleep(1000);
    await all.expect("2 miss");
  });
}

const UNKEPT: readonly (readonly [headers: Record<string, string>, status?: number])[] = [
  [{ "cache-control": "no-store, max-age=10" }],
  [{ "cache-control": "NO-STORE, max-age=10" }],
  [{ "cache-control": "max-age=0" }],
  [{ "cache-control": "max-age=-1" }],
  [{ "cache-control": "max-age=ten" }],
  [{ "cache-control": "max-age=10, max-age=20" }],
  [{ "cache-control": "no-cache" }],
  [{ "cache-control": 'no-cache="set-cookie, x", max-age=10' }],
  [{}],
  [{ expires: "0" }],
  [{ expires: "Thu, 01 Jan 1970 00:00:00 GMT" }],
  [{ pragma: "no-cache", expires: "Fri, 01 Jan 2100 00:00:00 GMT" }],
  [{ vary: "*", "cache-control": "max-age=10" }],
  [{ vary: "accept, *", "cache-control": "max-age=10" }],
  [{ "cache-control": "max-age=10", age: "10" }],
  [{ "cache-control": "max-age=10", "content-encoding": "unknown" }],
  [{ "cache-control": "max-age=10", "content-range": "bytes 0-0/2" }, 206],
  [{ "cache-control": "max-age=10" }, 500],
  [{ "cache-control": "max-age=10" }, 401],
  [{}, 302],
];

for (const [headers, status] of UNKEPT) {
  test(`httpCache: not kept: ${status ?? 200} with ${JSON.stringify(headers)}`, async () => {
    await using all = await cached(counting(headers, status));
    const prefix = status === undefined ? "" : `${status} `;
    const how = { redirect: "manual" } as const;
    await all.expect([`${prefix}1 miss`, "/", how], [`${prefix}2 miss`, "/", how]);
    assert.equal(all.store.statistics().entries, 0);
  });
}

for (const status of [203, 301, 308, 404, 410]) {
  test(`httpCache: kept: ${status}`, async () => {
    await using all = await cached(counting({ "cache-control": "max-age=10" }, status));
    const how = { redirect: "manual" } as const;
    await all.expect([`${status} 1 miss`, "/", how], [`${status} 1 hit`, "/", how]);
  });
}

test("httpCache: Expires, and a tenth of the age since Last-Modified", async () => {
  await using expiring = await cached(counting(() => ({ expires: dateIn(10) })));
  await expiring.expect("1 miss");
  await sleep(8000);
  await expiring.expect("1 hit");
  await sleep(3000);
  await expiring.expect("2 miss");
  await using old = await cached(counting(() => ({ "last-modified": dateIn(-1000) })));
  await old.expect("1 miss");
  await sleep(98_000);
  await old.expect("1 hit");
  await sleep(4000);
  await old.expect("2 miss");
});

test("httpCache: redirects that are kept are followed from there", async () => {
  await using all = await cached((request, asked) =>
    request.url.endsWith("/a")
      ? new HttpResponse("", {
          status: 301,
          headers: { location: "/b", "cache-control": "max-age=9" },
        })
      : new HttpResponse(String(asked)),
  );
  for (const text of ["2", "3"]) {
    const response = await all.client.request("/a");
    assert.equal(response.text(), text);
    assert.equal(response.history.length, 1);
  }
  assert.deepEqual(all.seen, ["GET /a", "GET /b", "GET /b"]);
});

test("httpCache: directives of requests", async () => {
  await using all = await cached(
    counting({ "cache-control": "max-age=10, stale-if-error=0", etag: '"a"' }),
  );
  const told = (text: string): { headers: { "cache-control": string } } => ({
    headers: { "cache-control": text },
  });
  await all.expect(["504  miss", "/", told("only-if-cached")]);
  assert.deepEqual(all.seen, []);
  await all.expect("1 miss", ["1 hit", "/", told("Only-If-Cached")]);
  await sleep(5000);
  await all.expect(
    ["1 hit", "/", told("max-age=6")],
    ["1 hit", "/", told("min-fresh=4")],
    ["2 miss", "/", told("max-age=4")],
  );
  await sleep(5000);
  await all.expect(["3 miss", "/", told("min-fresh=6")], ["4 miss", "/", told("max-age=0")]);
  await all.expect(["5 miss", "/", told("NO-CACHE")], ["5 hit", "/"]);
  await all.expect(["6 miss", "/", { headers: { pragma: "no-cache" } }], "6 hit");
  await sleep(15_000);
  await all.expect(["504  miss", "/", told("only-if-cached")]);
  await all.expect(["6 stale", "/", told("max-stale")], ["6 stale", "/", told("max-stale=6")]);
  await all.expect(["7 miss", "/", told("max-stale=4")]);
  await all.expect(["8 bypassed", "/", told("no-store")], "7 hit");
});

test("httpCache: cache modes of fetch", async () => {
  const conditions: (string | null)[] = [];
  await using all = await cached((request, asked) => {
    conditions.push(request.headers.get("if-none-match"));
    return new HttpResponse(String(asked), {
      headers: { "cache-control": "max-age=10", etag: `"${asked}"` },
    });
  });
  await all.expect("1 miss", ["2 miss", "/", { cache: "no-cache" }], "2 hit");
  await all.expect(["3 miss", "/", { cache: "reload" }], ["3 hit", "/", { cache: "default" }]);
  await all.expect(["4 bypassed", "/", { cache: "no-store" }], "3 hit");
  assert.deepEqual(conditions, [null, '"1"', null, null]);
});

test("httpCache: must-revalidate and no-cache hold against max-stale", async () => {
  const headers = { "cache-control": "max-stale" };
  for (const control of ["max-age=1, must-revalidate", "no-cache, max-age=1"]) {
    await using all = await cached(counting({ "cache-control": control, etag: '"a"' }));
    await all.expect("1 miss");
    await sleep(2000);
    await all.expect(["2 miss", "/", { headers }]);
  }
});

test("httpCache: responses that vary are told apart, at most 8", async () => {
  await using all = await cached((request, asked) => {
    const language = request.headers.get("accept-language");
    return new HttpResponse(`${language} ${asked}`, {
      headers: { vary: "Accept-Language", "cache-control": "max-age=10" },
    });
  });
  const language = (text: string): { headers: Record<string, string> } => ({
    headers: { "accept-language": text },
  });
  await all.expect(
    ["de 1 miss", "/", language("de")],
    ["en 2 miss", "/", language("en")],
    ["null 3 miss", "/"],
    ["de 1 hit", "/", language("de")],
    ["en 2 hit", "/", language("en")],
    ["null 3 hit", "/"],
  );
  for (let count = 0; count < 8; count++) await all.ask("/", language(`x${count}`));
  await all.expect(["de 12 miss", "/", language("de")], ["x7 11 hit", "/", language("x7")]);
  assert.equal(all.store.statistics().entries, 1);
});

test("httpCache: users are told apart, whatever the server says", async () => {
  await using all = await cached((request) => {
    const { headers } = request;
    return new HttpResponse(`${headers.get("authorization")} ${headers.get("cookie")}`, {
      headers: { "cache-control": "public, max-age=10", "set-cookie": "id=1", etag: '"x"' },
    });
  });
  const [a, b] = [{ auth: { token: "a" } }, { auth: { token: "b" } }];
  const cookie = { headers: { cookie: "c=1" } };
  await all.expect(
    ["Bearer a null miss", "/", a],
    ["Bearer b null miss", "/", b],
    ["null null miss", "/"],
    ["null c=1 miss", "/", cookie],
    ["null null miss", "/", { credentials: "omit" }],
    ["null null miss", "/", { headers: { host: "other.test" } }],
    ["Bearer a null hit", "/", a],
    ["Bearer b null hit", "/", b],
    ["null null hit", "/"],
    ["null c=1 hit", "/", cookie],
  );
  const response = await all.client.request("/");
  assert.deepEqual(response.headers.getSetCookie(), [], "cookies are set once");
});

test("httpCache: keys hold no secrets", async () => {
  const keys: string[] = [];
  const store = { get: (key: string) => void keys.push(key), set() {}, delete() {} };
  await using all = await cached(counting({}), { store });
  await all
    .ask("/x?a=1#f", { auth: { token: "secret" }, headers: { cookie: "secret" } as never })
    .catch(() => undefined);
  await all.ask("/x?a=1#f");
  assert.match(keys[0] as string, /^GET http:\/\/127\.0\.0\.1:\d+\/x\?a=1 [0-9a-f]{64}$/);
  assert.match(keys[1] as string, /^GET http:\/\/127\.0\.0\.1:\d+\/x\?a=1$/);
  assert.ok(!keys.join().includes("secret"));
});

test("httpCache: cookies of a jar are sent, and what varies by them is not kept", async () => {
  await using all = await cached(
    (request, asked) =>
      new HttpResponse(`${request.headers.get("cookie")} ${asked}`, {
        headers: {
          "cache-control": "max-age=10",
          ...(request.url.endsWith("/vary") ? { vary: "cookie" } : {}),
          "set-cookie": `n=${asked}`,
        },
      }),
    {},
    { cookies: true },
  );
  await all.expect(["null 1 miss", "/"], ["n=1 2 miss", "/vary"], ["n=2 3 miss", "/vary"]);
  await all.expect(["null 1 hit", "/"], ["n=3 4 miss", "/vary"]);
});

for (const [name, options] of [
  ["a range", { headers: { range: "bytes=0-0" } }],
  ["a condition", { headers: { "if-none-match": '"x"' } }],
  ["another condition", { headers: { "if-modified-since": "yesterday" } }],
  ["a proxy of its own", { proxy: null }],
  ["a socket of its own", { socketPath: null }],
  ["TLS of its own", { tls: {} }],
  ["an address of its own", { localHost: "127.0.0.1" }],
] as const) {
  test(`httpCache: a request with ${name} passes by`, async () => {
    await using all = await cached(counting({ "cache-control": "max-age=10" }));
    await all.expect("1 miss", ["2 bypassed", "/", options], "1 hit");
    const given: Record<string, string> = "headers" in options ? options.headers : {};
    const headers = { ...given, "cache-control": "only-if-cached" };
    await all.expect(["504  miss", "/", { ...options, headers }]);
    assert.equal(all.seen.length, 2, "only-if-cached asks nobody");
  });
}

test("httpCache: HEAD is answered from what is kept for GET, and tells that it has changed", async () => {
  let version = 1;
  await using all = await cached(
    (_, asked) =>
      new HttpResponse(String(asked), {
        headers: { "cache-control": "max-age=10", etag: `"${version}"` },
      }),
  );
  const head = { method: "HEAD" };
  await all.expect([" miss", "/", head], [" miss", "/", head], "3 miss", [" hit", "/", head]);
  const response = await all.client.request("/", head);
  assert.equal(response.headers.get("content-length"), "1");
  await all.expect([" miss", "/", { ...head, cache: "no-cache" }], "3 hit");
  version = 2;
  await all.expect([" miss", "/", { ...head, cache: "no-cache" }], "6 miss");
});

test("httpCache: what is given belongs to who gets it", async () => {
  await using all = await cached(counting({ "cache-control": "max-age=10" }));
  for (let count = 0; count < 3; count++) {
    const { bytes } = await all.client.request("/");
    assert.equal(bytes[0], 49);
    bytes.fill(0);
    const response = await all.client.fetch("/");
    for await (const piece of response.bodyStream ?? []) piece.fill(0);
  }
});

void nodeTest("httpCache: wrong options", () => {
  assert.throws(() => httpCache({ entryBytesMax: -1 }), /entryBytesMax \}\): got -1/);
  assert.throws(() => httpCache({ store: {} as never }), /got one without get\(\)/);
  assert.throws(() => createMemoryCacheStore({ bytesMax: NaN }), /bytesMax \}\): got NaN/);
});
