/** Redirects: which are followed, with which method and body, where to, and which are errors. */
import assert from "node:assert/strict";
import { now, sleep } from "arborio";
import { connectTcp } from "arborio/net";
import { type BodySource } from "../web/payload.ts";
import { HttpResponse } from "../web/http-response.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { sitesTest, valuesOf } from "./sites.test.kit.ts";

const A = "http://a.wild.test";

/** A redirect of a request with a body: the method and body that come to its end. */
const METHODS: readonly (readonly [number, string, string, boolean])[] = [
  [301, "POST", "GET", false],
  [302, "POST", "GET", false],
  [303, "POST", "GET", false],
  [307, "POST", "POST", true],
  [308, "POST", "POST", true],
  [301, "PUT", "PUT", true],
  [302, "PUT", "PUT", true],
  [303, "PUT", "GET", false],
  [307, "PUT", "PUT", true],
  [301, "DELETE", "DELETE", true],
  [303, "DELETE", "GET", false],
  [303, "HEAD", "HEAD", false],
  [302, "HEAD", "HEAD", false],
  [308, "HEAD", "HEAD", false],
  [303, "GET", "GET", false],
  [301, "GET", "GET", false],
];

for (const [status, method, then, keepsBody] of METHODS) {
  sitesTest(
    `redirect: ${status} of ${method} becomes ${then}`,
    async (sites) => {
      await using client = sites.client();
      sites.redirects([`${A}/there`], status);
      const body = method === "GET" || method === "HEAD" ? null : "a body";
      const about = {
        "content-language": "en",
        "content-encoding": "own",
        "content-location": "/",
      };
      const headers = { ...about, "x-mine": "1" };
      const response = await client.request(`${A}/here`, { method, body, headers });
      assert.equal(response.status, 200);
      assert.equal(response.url, `${A}/there`);
      assert.deepEqual(
        response.history.map((one) => [one.status, one.url]),
        [[status, `${A}/here`]],
      );
      const [, last] = sites.seen;
      assert.ok(last !== undefined);
      assert.equal(last.method, then);
      assert.equal(last.body, keepsBody ? "a body" : "");
      assert.deepEqual(valuesOf(last, "content-type").length, keepsBody ? 1 : 0);
      assert.deepEqual(valuesOf(last, "content-length"), keepsBody ? ["6"] : []);
      const isDropped = then !== method;
      for (const [name, value] of Object.entries(about))
        assert.deepEqual(valuesOf(last, name), isDropped ? [] : [value]);
      assert.deepEqual(valuesOf(last, "x-mine"), ["1"]);
    },
    [1],
  );
}

/** A `Location`, and where it leads from `http://a.wild.test/one/two?x=1`. */
const LOCATIONS: readonly (readonly [string, string])[] = [
  ["/three", `${A}/three`],
  ["three", `${A}/one/three`],
  ["../three", `${A}/three`],
  ["?y=2", `${A}/one/two?y=2`],
  ["#part", `${A}/one/two?x=1`],
  ["//b.wild.test/three", "http://b.wild.test/three"],
  ["HTTP://B.WILD.TEST:80/three", "http://b.wild.test/three"],
  ["http://b.wild.test:8080/three", "http://b.wild.test:8080/three"],
  ["/\u00c3\u00a4?\u00c3\u00bc", `${A}/%C3%A4?%C3%BC`],
  ["/a b", `${A}/a%20b`],
  ["https://example.test/three", "https://example.test/three"],
];

for (const [location, to] of LOCATIONS) {
  sitesTest(
    `redirect: the Location ${location} leads to ${to}`,
    async (sites) => {
      await using client = sites.client();
      sites.redirects([location]);
      const response = await client.request(`${A}/one/two`, { query: { x: 1 } });
      assert.equal(response.url, to);
      assert.equal(sites.lines[1], `GET ${to}`);
    },
    [1],
  );
}

sitesTest(
  "redirect: a Location that is missing or empty gives the response as it is",
  async (sites) => {
    await using client = sites.client();
    for (const headers of [{}, { location: "" }]) {
      sites.answer = () => new HttpResponse("no", { status: 302, headers });
      const response = await client.request(`${A}/`);
      assert.equal(response.status, 302);
      assert.equal(response.text(), "no");
      assert.deepEqual(response.history, []);
    }
    // These are none.
    sites.answer = () => new HttpResponse("", { status: 300, headers: { location: "/other" } });
    assert.equal((await client.request(`${A}/`)).status, 300);
    sites.answer = () => new HttpResponse("", { status: 201, headers: { location: "/other" } });
    assert.equal((await client.request(`${A}/`)).status, 201);
  },
);

/** What cannot be followed, and why. */
const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ["http://", "redirect-url", /leads to "http:\/\/", which is no URL/],
  ["http://a:b:c@x y/", "redirect-url", /leads to "http:\/\/…@x y\/", which is no URL/],
  ["http://[::1/", "redirect-url", /no URL/],
  ["http://a.wild.test:99999/", "redirect-url", /no URL/],
  ["http://a%3Ab:secret@b.wild.test/", "redirect-url", /test\/" with credentials that cannot be/],
  ["http://a%00:secret@b.wild.test/", "redirect-url", /test\/" with credentials that cannot be/],
  ["ftp://example.test/", "redirect-scheme", /a URL of ftp:/],
  ["file:///etc/passwd", "redirect-scheme", /a URL of file:/],
  ["javascript:alert(1)", "redirect-scheme", /a URL of javascript:/],
  ["data:text/plain,hello", "redirect-scheme", /a URL of data:/],
];

for (const [location, reason, message] of REFUSED) {
  sitesTest(
    `redirect: the Location ${location} is an error`,
    async (sites) => {
      await using client = sites.client();
      sites.redirects([location]);
      await assert.rejects(client.fetch(`${A}/`), (error) => {
        assert.ok(error instanceof RequestFailedError);
        assert.equal(error.reason, reason);
        assert.equal(error.phase, "redirect");
        assert.match(error.message, message);
        assert.equal(error.url, `${A}/`);
        return true;
      });
      assert.equal(sites.seen.length, 1);
    },
    [1],
  );
}

sitesTest("redirect: one that is an error gives its connection back", async (sites) => {
  await using client = sites.client();
  for (const [location, options] of [
    ["http://", {}],
    ["/x", { redirect: "error" }],
    ["/x", { redirectsMax: 0 }],
  ] as const) {
    const endless = async (sink: { send(piece: string): Promise<void> }): Promise<void> => {
      for (;;) await sink.send("x".repeat(1000));
    };
    sites.answer = () => new HttpResponse(endless, { status: 302, headers: { location } });
    await assert.rejects(client.fetch(`${A}/`, options), { phase: "redirect" });
    assert.equal(client.statistics().connectionsActive, 0);
  }
});

sitesTest("redirect: of a body without end little is taken, and not for long", async (sites) => {
  for (const waitMs of [0, 10_000]) {
    await using client = sites.client();
    const endless = async (sink: { send(piece: string): Promise<void> }): Promise<void> => {
      for (;;) {
        await sink.send("x".repeat(10_000));
        if (waitMs > 0) await sleep(waitMs);
      }
    };
    sites.answer = ({ target }) =>
      target === "/"
        ? new HttpResponse(endless, { status: 302, headers: { location: "/x" } })
        : new HttpResponse("page");
    const start = now();
    assert.equal((await client.request(`${A}/`)).text(), "page");
    assert.ok(client.statistics().bytesReceived < 500_000);
    assert.ok(now() - start < 1000, `${now() - start}`);
  }
});

sitesTest("redirect: several Locations are none", async (sites) => {
  await using client = sites.client();
  const headers: [string, string][] = [
    ["location", "/x"],
    ["location", "/y"],
  ];
  sites.answer = () => new HttpResponse("", { status: 302, headers });
  await assert.rejects(client.fetch(`${A}/`), { reason: "protocol" });
  assert.equal(sites.seen.length, 1);
});

sitesTest(
  "redirect: a loop ends at redirectsMax, of the request, of the client, by default 10",
  async (sites) => {
    await using client = sites.client({ limits: { redirectsMax: 3 } });
    await using plain = sites.client();
    sites.answer = () => new HttpResponse("", { status: 302, headers: { location: "/" } });
    await assert.rejects(client.fetch(`${A}/`), {
      name: "RequestFailedError",
      reason: "too-many-redirects",
    });
    assert.equal(sites.seen.length, 4);
    sites.seen.length = 0;
    await assert.rejects(plain.fetch(`${A}/`), { reason: "too-many-redirects" });
    assert.equal(sites.seen.length, 11);
    sites.seen.length = 0;
    await assert.rejects(client.fetch(`${A}/`, { redirectsMax: 1 }), /more than 1 redirects/);
    assert.equal(sites.seen.length, 2);
  },
);

sitesTest(
  'redirect: "manual" gives it, "error" throws, of the request before the client',
  async (sites) => {
    await using client = sites.client({ redirect: "manual" });
    sites.redirects([`${A}/x`, `${A}/x`, `${A}/x`]);
    const response = await client.request(`${A}/`);
    assert.equal(response.status, 302);
    assert.equal(response.headers.get("location"), `${A}/x`);
    await assert.rejects(client.fetch(`${A}/`, { redirect: "error" }), {
      reason: "redirect",
      phase: "redirect",
    });
    assert.equal((await client.request(`${A}/`, { redirect: "follow" })).url, `${A}/x`);
  },
);

sitesTest(
  "redirect: a body that is a stream is not sent twice, and the error comes before anything is",
  async (sites) => {
    await using client = sites.client();
    const stream = (): BodySource => new Response("a body").body;
    const producer: BodySource = (sink) => sink.send("a body");
    for (const body of [stream(), producer]) {
      sites.seen.length = 0;
      sites.redirects([`${A}/there`], 307);
      await assert.rejects(client.fetch(`${A}/`, { method: "POST", body }), (error) => {
        assert.ok(error instanceof RequestFailedError);
        assert.equal(error.reason, "request-body");
        assert.match(error.message, /a stream can be sent only once/);
        return true;
      });
      assert.equal(sites.seen.length, 1);
    }
    // A redirect that drops the body follows all the same.
    sites.redirects([`${A}/there`], 303);
    const response = await client.request(`${A}/`, { method: "POST", body: stream() });
    assert.equal(response.url, `${A}/there`);
    // Nor does any that follows ask for it.
    sites.answer = ({ target }) =>
      target === "/end"
        ? new HttpResponse("page")
        : new HttpResponse("", {
            status: target === "/" ? 303 : 307,
            headers: { location: target === "/" ? "/there" : "/end" },
          });
    const last = await client.request(`${A}/`, { method: "POST", body: stream() });
    assert.equal(last.text(), "page");
  },
);

sitesTest(
  "redirect: text, bytes, JSON, forms and files are sent again as they were",
  async (sites) => {
    await using client = sites.client();
    const form = new FormData();
    form.set("file", new File(["some text"], "a.txt", { type: "text/plain" }));
    form.set("text", "b");
    for (const options of [
      { body: "text" },
      { body: new TextEncoder().encode("bytes") },
      { body: new Blob(["blob"], { type: "image/png" }) },
      { json: { a: [1] } },
      { form: { a: 1 } },
      { form },
      { body: "x".repeat(100_000) },
    ]) {
      sites.seen.length = 0;
      sites.redirects([`${A}/1`, "http://b.wild.test/2"], 307);
      const response = await client.request(`${A}/`, { method: "POST", ...options });
      assert.equal(response.status, 200);
      const [first, second, third] = sites.seen;
      assert.ok(first !== undefined && first.body.length >= 3);
      assert.equal(second?.body, first.body);
      assert.equal(third?.body, first.body);
      assert.deepEqual(valuesOf(third ?? first, "content-type"), valuesOf(first, "content-type"));
    }
  },
);

sitesTest("redirect: the fragment is kept, unless the Location has one", async (sites) => {
  await using client = sites.client();
  sites.redirects(["/x", "/y"]);
  using kept = await client.fetch(`${A}/#part`);
  assert.equal(kept.request.fragment, "#part");
  assert.equal(kept.url, `${A}/y`);
  sites.redirects(["/x#other", "/y"]);
  using other = await client.fetch(`${A}/#part`);
  assert.equal(other.request.fragment, "#other");
});

sitesTest(
  "redirect: the connection of a redirect with a small body is used again, that of an endless one is not",
  async (sites) => {
    let connections = 0;
    for (const [bytes, expected] of [
      [10, 1],
      [20_000, 1],
      [10_000_000, 2],
    ] as const) {
      connections = 0;
      sites.answer = ({ target }) =>
        target === "/"
          ? new HttpResponse("x".repeat(bytes), { status: 302, headers: { location: "/x" } })
          : new HttpResponse("page");
      await using one = sites.client({
        connect: async ({ host, port }) => {
          connections += 1;
          return await connectTcp(host, port);
        },
      });
      assert.equal((await one.request(`${A}/`)).text(), "page");
      assert.equal(connections, expected, `${bytes} bytes`);
    }
  },
);

sitesTest(
  "redirect: middleware sees each of them, and the query of the request is not put on again",
  async (sites) => {
    const urls: string[] = [];
    await using client = sites.client({
      middleware: [
        (request, next) => {
          urls.push(request.url);
          return next(request);
        },
      ],
    });
    sites.redirects(["/x?b=2", "/y"]);
    await client.request(`${A}/`, { query: { a: 1 } });
    assert.deepEqual(urls, [`${A}/?a=1`, `${A}/x?b=2`, `${A}/y`]);
  },
);
