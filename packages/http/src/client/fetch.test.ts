/** `client.fetch` and `client.request`: what is sent for which options, and what comes back. */
import assert from "node:assert/strict";
import { basicCredentials } from "../protocol/credentials.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { FetchOptions } from "./client-options.ts";
import { ownFields, type Seen, sitesTest, valuesOf } from "./sites.test.kit.ts";

const A = "http://a.wild.test";

sitesTest("fetch: methods are written as on the web", async (sites) => {
  await using client = sites.client();
  for (const [given, sent] of [
    ["get", "GET"],
    ["Post", "POST"],
    ["patch", "patch"],
    ["PATCH", "PATCH"],
    ["delete", "DELETE"],
    ["QUERY", "QUERY"],
    ["options", "OPTIONS"],
    ["connected", "connected"],
  ] as const) {
    sites.seen.length = 0;
    await client.request(`${A}/`, { method: given });
    assert.equal(sites.seen[0]?.method, sent);
  }
});

sitesTest(
  "fetch: base is joined as RFC 3986 has it, and an absolute URL overrides it",
  async (sites) => {
    await using client = sites.client({ base: `${A}/v1/` });
    for (const [url, sent] of [
      ["users", `${A}/v1/users`],
      ["./users/../x", `${A}/v1/x`],
      ["/users", `${A}/users`],
      ["../users", `${A}/users`],
      ["?a=1", `${A}/v1/?a=1`],
      ["", `${A}/v1/`],
      ["//b.wild.test/x", "http://b.wild.test/x"],
      ["http://b.wild.test:8080/x", "http://b.wild.test:8080/x"],
    ] as const) {
      sites.seen.length = 0;
      assert.equal((await client.request(url)).url, sent);
      assert.deepEqual(sites.lines, [`GET ${sent}`]);
    }
    assert.equal((await client.request(new URL(`${A}/z`))).url, `${A}/z`);
  },
);

sitesTest("fetch: a query is added to that of the URL", async (sites) => {
  await using client = sites.client();
  for (const [url, query, sent] of [
    ["/", { a: 1, b: [true, "x"], c: null, d: undefined, e: 2n }, "/?a=1&b=true&b=x&e=2"],
    ["/?z=%20", { a: "b c&d" }, "/?z=%20&a=b+c%26d"],
    ["/?", { a: "1" }, "/?a=1"],
    ["/?z=1&", { a: "1" }, "/?z=1&a=1"],
    [
      "/",
      [
        ["a", "1"],
        ["a", 2],
      ],
      "/?a=1&a=2",
    ],
    ["/x#part", new URLSearchParams("a=1"), "/x?a=1"],
    ["/x", {}, "/x"],
    ["/", { __proto__x: "ä" }, "/?__proto__x=%C3%A4"],
  ] as [string, FetchOptions["query"] & {}, string][]) {
    sites.seen.length = 0;
    await client.request(A + url, { query });
    assert.equal(sites.seen[0]?.target, sent);
  }
});

sitesTest(
  "fetch: fields of a request take the place of the client's, repeated ones are all sent, null takes away",
  async (sites) => {
    await using client = sites.client({
      headers: [
        ["x-both", "client"],
        ["x-client", "1"],
        ["x-client", "2"],
        ["User-Agent", "mine"],
      ],
    });
    for (const [headers, own] of [
      [undefined, ["x-both: client", "x-client: 1", "x-client: 2"]],
      [{ "X-Both": "request" }, ["x-client: 1", "x-client: 2", "X-Both: request"]],
      [
        [
          ["x-both", "1"],
          ["X-BOTH", "2"],
        ],
        ["x-client: 1", "x-client: 2", "x-both: 1", "X-BOTH: 2"],
      ],
      [{ "x-client": null, "x-new": " padded\t" }, ["x-both: client", "x-new: padded"]],
      [new Headers({ "x-both": "web" }), ["x-client: 1", "x-client: 2", "x-both: web"]],
      [new Map([["x-both", "map"]]), ["x-client: 1", "x-client: 2", "x-both: map"]],
    ] as [FetchOptions["headers"], string[]][]) {
      sites.seen.length = 0;
      await client.request(`${A}/`, headers === undefined ? {} : { headers });
      assert.deepEqual(ownFields(sites.seen[0] as Seen), own);
      assert.deepEqual(valuesOf(sites.seen[0] as Seen, "user-agent"), ["mine"]);
    }
    await client.request(`${A}/`, { headers: { "user-agent": null, accept: null } });
    const last = sites.seen.at(-1) as Seen;
    assert.deepEqual([...valuesOf(last, "user-agent"), ...valuesOf(last, "accept")], []);
  },
);

sitesTest(
  "fetch: fields of the connection are left out, of Headers those too that are for another receiver",
  async (sites) => {
    await using client = sites.client();
    const record = {
      connection: "keep-alive, x-hop",
      "x-hop": "1",
      "keep-alive": "timeout=5",
      "transfer-encoding": "chunked",
      "content-length": "1000",
      te: "trailers",
      upgrade: "h2c",
      expect: "100-continue",
      "proxy-connection": "close",
      host: "virtual.test",
      "x-end": "1",
    };
    await client.request(`${A}/`, { method: "POST", body: "four", headers: record });
    const [first] = sites.seen as [Seen];
    assert.deepEqual(
      ownFields(first),
      ["content-type: text/plain;charset=UTF-8", "x-end: 1"].toSorted((a, b) => (a < b ? 1 : -1)),
    );
    assert.deepEqual(valuesOf(first, "host"), ["virtual.test"]);
    assert.deepEqual(valuesOf(first, "content-length"), ["4"]);
    assert.equal(first.body, "four");
    await client.request(`${A}/`, {
      headers: new Headers({ "x-end": "1", "proxy-authorization": "Basic x" }),
    });
    assert.deepEqual(ownFields(sites.seen[1] as Seen), ["x-end: 1"]);
  },
);

sitesTest("fetch: JSON, forms, bodies, and their types", async (sites) => {
  await using client = sites.client();
  const bytes = new TextEncoder().encode("bytes");
  for (const [options, type, body] of [
    [{ json: { a: [1, null] } }, "application/json", '{"a":[1,null]}'],
    [{ json: null }, "application/json", "null"],
    [{ json: 1, headers: { "content-type": "application/x+json" } }, "application/x+json", "1"],
    [
      { form: { a: "b c", d: [1, 2], e: null } },
      "application/x-www-form-urlencoded;charset=UTF-8",
      "a=b+c&d=1&d=2",
    ],
    [
      { form: new URLSearchParams("a=1") },
      "application/x-www-form-urlencoded;charset=UTF-8",
      "a=1",
    ],
    [{ body: "text" }, "text/plain;charset=UTF-8", "text"],
    [{ body: bytes }, "", "bytes"],
    [{ body: bytes.buffer }, "", "bytes"],
    [{ body: new Blob(["blob"], { type: "image/png" }) }, "image/png", "blob"],
    [
      { body: new URLSearchParams("a=1") },
      "application/x-www-form-urlencoded;charset=UTF-8",
      "a=1",
    ],
    [{ body: null }, "", ""],
    [{ body: "" }, "text/plain;charset=UTF-8", ""],
  ] as [FetchOptions, string, string][]) {
    sites.seen.length = 0;
    await client.request(`${A}/`, { method: "POST", ...options });
    const [seen] = sites.seen as [Seen];
    assert.equal(valuesOf(seen, "content-type").join(), type);
    assert.equal(seen.body, body);
    assert.deepEqual(valuesOf(seen, "content-length"), [String(body.length)]);
  }
});

sitesTest("fetch: a stream is sent in chunks, or with the length that is said", async (sites) => {
  await using client = sites.client();
  const stream = (): BodyInit => new Response("stream").body as ReadableStream;
  await client.request(`${A}/`, { method: "PUT", body: stream(), duplex: "half" });
  await client.request(`${A}/`, {
    method: "PUT",
    body: stream(),
    headers: { "content-length": "6" },
  });
  assert.deepEqual(
    sites.seen.map(({ body }) => body),
    ["stream", "stream"],
  );
  assert.deepEqual(
    sites.seen.map((seen) => valuesOf(seen, "content-length").join()),
    ["", "6"],
  );
  await assert.rejects(
    client.request(`${A}/`, { method: "PUT", body: stream(), headers: { "content-length": "5" } }),
    { reason: "request-body" },
  );
});

sitesTest("fetch: multipart forms have a length, and come out as they went in", async (sites) => {
  await using client = sites.client();
  let got: [string, string][] = [];
  await using _server = await openServer(
    async (request) => {
      const form = await request.formData();
      got = await Promise.all(
        [...form].map(async ([name, value]): Promise<[string, string]> => [
          name,
          typeof value === "string" ? value : `${value.name} ${value.type} ${await value.text()}`,
        ]),
      );
      return new HttpResponse(request.headers.get("content-length"));
    },
    { port: 3000 },
  );
  for (const hasFile of [true, false]) {
    const form = new FormData();
    form.append("text", 'line\nline "ä"');
    form.append('na"me\r\n', "x");
    if (hasFile) form.append("file", new File(["ä\n"], 'a".txt', { type: "image/png" }));
    if (hasFile) form.append("file", new File([], ""));
    // Only what has written the parts knows what is between them.
    const headers = { "content-type": "multipart/form-data; boundary=other" };
    const options = { method: "POST", form, ...(hasFile ? { headers } : {}) };
    const response = await client.request("http://localhost:3000/", options);
    assert.ok(Number(response.text()) > 100);
    assert.deepEqual(got.slice(0, 2), [
      ["text", 'line\r\nline "ä"'],
      ['na"me\r\n', "x"],
    ]);
    assert.deepEqual(
      got.slice(2).map(([, value]) => value),
      hasFile ? ['a".txt image/png ä\n', " application/octet-stream "] : [],
    );
  }
});

sitesTest(
  "fetch: a Request gives method, URL, fields, body and redirect; options come first",
  async (sites) => {
    await using client = sites.client();
    // Bun's Request does not tell the type of its body.
    const headers = { "x-mine": "1", "content-type": "text/plain;charset=UTF-8" };
    const request = (): Request =>
      new Request(`${A}/x?y=1#part`, { method: "put", headers, body: "text" });
    await client.request(request());
    await client.request(request(), {
      method: "PATCH",
      headers: { "x-other": "2" },
      body: "other",
    });
    await client.request(request(), { json: 1 });
    const [first, second, third] = sites.seen as [Seen, Seen, Seen];
    assert.deepEqual([first.method, first.target, first.body], ["PUT", "/x?y=1", "text"]);
    assert.deepEqual(
      ownFields(first)
        .filter((line) => !line.startsWith("transfer"))
        .toSorted(),
      ["content-type: text/plain;charset=UTF-8", "x-mine: 1"],
    );
    assert.deepEqual([second.method, second.body], ["PATCH", "other"]);
    assert.deepEqual(valuesOf(second, "x-mine"), []);
    assert.equal(third.body, "1");
    sites.redirects([`${A}/y`]);
    const manual = await client.request(new Request(`${A}/`, { redirect: "manual" }));
    assert.equal(manual.status, 302);
    const modes = new Request(`${A}/`, { cache: "no-store", credentials: "omit" });
    await using known = sites.client({ auth: { token: "t" } });
    await known.request(modes);
    const last = sites.seen.at(-1) as Seen;
    // Bun's Request forgets them.
    assert.equal(valuesOf(last, "cache-control").length, modes.cache === "no-store" ? 1 : 0);
    assert.equal(valuesOf(last, "authorization").length, modes.credentials === "omit" ? 0 : 1);
    const checked = new Request(`${A}/`, { integrity: "sha256-x" });
    // Bun's Request forgets it.
    if (checked.integrity !== "") await assert.rejects(client.fetch(checked), /integrity/);
  },
);

sitesTest("fetch: credentials of a URL, of auth, and what comes first", async (sites) => {
  const auth = { user: "me", password: "pa:ss" };
  await using client = sites.client({ auth, base: `${A}/` });
  const mine = basicCredentials("me", "pa:ss");
  for (const [url, options, sent] of [
    ["/", {}, mine],
    ["http://b.wild.test/", {}, ""],
    ["https://a.wild.test/", {}, ""],
    ["http://you:p%40ss@a.wild.test/", {}, basicCredentials("you", "p@ss")],
    ["http://you@b.wild.test/", {}, basicCredentials("you", "")],
    ["http://you:%zz@b.wild.test/", {}, basicCredentials("you", "%zz")],
    ["/", { headers: { authorization: "Bearer x" } }, "Bearer x"],
    ["http://you:p@a.wild.test/", { headers: { authorization: "Bearer x" } }, "Bearer x"],
    ["/", { headers: { authorization: null } }, ""],
    ["/", { auth: null }, ""],
    ["/", { auth: { token: "abc" } }, "Bearer abc"],
    ["http://b.wild.test/", { auth: { token: "abc" } }, "Bearer abc"],
    ["/", { credentials: "omit" }, ""],
    ["/", { credentials: "include" }, mine],
  ] as [string, FetchOptions, string][]) {
    sites.seen.length = 0;
    const response = await client.request(url, options);
    assert.deepEqual(valuesOf(sites.seen[0] as Seen, "authorization").join(), sent, url);
    assert.ok(!response.url.includes("@"));
  }
});

sitesTest(
  "fetch: Authorization and Cookie among a client's headers are for its base alone",
  async (sites) => {
    const headers = { authorization: "Bearer x", cookie: "a=1", "x-mine": "1" };
    await using client = sites.client({ headers, base: `${A}/` });
    await client.request("/");
    await client.request("http://b.wild.test/");
    await client.request("http://b.wild.test/", { headers: { "x-mine": "2" } });
    assert.deepEqual(sites.seen.map(ownFields), [
      ["authorization: Bearer x", "cookie: a=1", "x-mine: 1"],
      ["x-mine: 1"],
      ["x-mine: 2"],
    ]);
  },
);

sitesTest("fetch: cache modes are told to caches on the way", async (sites) => {
  await using client = sites.client();
  for (const [cache, sent] of [
    ["default", ""],
    ["no-store", "no-cache"],
    ["reload", "no-cache"],
    ["no-cache", "max-age=0"],
  ] as const) {
    sites.seen.length = 0;
    await client.request(`${A}/`, {
      cache,
      mode: "cors",
      keepalive: true,
      referrer: "about:client",
    });
    assert.equal(valuesOf(sites.seen[0] as Seen, "cache-control").join(), sent);
  }
  await client.request(`${A}/`, { cache: "reload", headers: { "cache-control": "max-age=5" } });
  assert.deepEqual(valuesOf(sites.seen.at(-1) as Seen, "cache-control"), ["max-age=5"]);
});
