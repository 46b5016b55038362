/** A server whose handlers pass requests on to another server, and its responses back: a reverse proxy in one line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectTcp } from "arborio/net";
import { fromIterable } from "arborio/streams";
import { sleep } from "arborio";
import { bytesOf, lines, RawClient } from "../connection/raw-client.test.kit.ts";
import type { ResponseHead } from "../protocol/message.ts";
import type { Handler } from "../server/handler.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { responseParts } from "../web/response-parts.ts";
import { ClientResponse } from "./client-response.ts";
import type { HttpClient } from "./http-client.ts";
import { passedOn } from "./passed-on.ts";
import { type Sites, sitesTest, valuesOf } from "./sites.test.kit.ts";

const A = "http://a.wild.test";

/** Passes everything on to `a.wild.test`. */
function passing(client: HttpClient): Handler {
  return (request) => {
    const { pathname, search } = new URL(request.url);
    return client.fetch(A + pathname + search, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      redirect: "manual",
      decompress: false,
    });
  };
}

/** A proxy at port 3000 of this machine, and a client of it. */
async function withProxy(
  sites: Sites,
  use: (raw: RawClient, errors: unknown[]) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  await using client = sites.client();
  await using _server = await openServer(passing(client), {
    port: 3000,
    onError: (error) => void errors.push(error),
  });
  using stream = await connectTcp("localhost", 3000);
  await use(new RawClient(stream), errors);
  assert.deepEqual(errors, []);
}

sitesTest(
  "a response of the client is the response of a handler: status, fields and body, without those of its connection",
  async (sites) => {
    sites.answer = () =>
      new HttpResponse("page", {
        status: 203,
        statusText: "Well",
        headers: [
          ["x-mine", "1"],
          ["x-mine", "2"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["proxy-authenticate", "Basic"],
          ["trailer", "x-late"],
        ],
      });
    await withProxy(sites, async (raw) => {
      await raw.send(
        lines(
          "GET /x?y=1 HTTP/1.1",
          "host: me",
          "connection: keep-alive, x-hop",
          "x-hop: 1",
          "te: trailers",
          "x-end: 1",
          "proxy-authorization: Basic x",
          "",
        ),
      );
      const { head, body } = await raw.response();
      assert.equal(head.status, 203);
      assert.equal(head.reason, "Well");
      assert.equal(body, "page");
      assert.deepEqual(valuesOf(head, "x-mine"), ["1", "2"]);
      assert.deepEqual(valuesOf(head, "set-cookie"), ["a=1", "b=2"]);
      assert.deepEqual(valuesOf(head, "content-length"), ["4"]);
      for (const name of ["proxy-authenticate", "trailer", "transfer-encoding"])
        assert.deepEqual(valuesOf(head, name), [], name);
      const [seen] = sites.seen;
      assert.ok(seen !== undefined);
      assert.equal(seen.target, "/x?y=1");
      assert.deepEqual(valuesOf(seen, "host"), ["a.wild.test"]);
      assert.deepEqual(valuesOf(seen, "x-end"), ["1"]);
      for (const name of ["x-hop", "te", "proxy-authorization", "connection"])
        assert.deepEqual(valuesOf(seen, name), [], name);
    });
  },
);

sitesTest("a handler's proxied bodies stream both ways, also while both go on", async (sites) => {
  sites.answer = () => new HttpResponse("");
  const origin = await sites.echo("b.wild.test", 9000);
  const errors: unknown[] = [];
  await using client = sites.client();
  await using _server = await openServer(
    (request) =>
      client.fetch(origin, { method: "POST", headers: request.headers, body: request.body }),
    { port: 3000, onError: (error) => void errors.push(error) },
  );
  using stream = await connectTcp("localhost", 3000);
  const raw = new RawClient(stream);
  await raw.send(lines("POST / HTTP/1.1", "host: me", "transfer-encoding: chunked", ""));
  await raw.send("5\r\nhello\r\n");
  const head = await raw.head();
  assert.equal(head.status, 200);
  assert.deepEqual(valuesOf(head, "transfer-encoding"), ["chunked"]);
  assert.equal(await raw.piece(), "hello");
  await raw.send("6\r\n world\r\n0\r\n\r\n");
  let rest = "";
  for (let piece = await raw.piece(); piece !== null; piece = await raw.piece()) rest += piece;
  assert.equal(rest, " world");
  assert.deepEqual(errors, []);
});

sitesTest(
  "a handler's proxied bodies: large ones keep their length, and nobody's memory grows",
  async (sites) => {
    const large = "x".repeat(3_000_000);
    sites.answer = ({ body }) => new HttpResponse(body);
    await using client = sites.client();
    await using _server = await openServer(passing(client), {
      port: 3000,
      limits: { bodyBytesMax: Infinity },
    });
    const response = await client.fetch("http://localhost:3000/", { method: "POST", body: large });
    assert.equal(response.headers.get("content-length"), String(large.length));
    assert.equal(await response.text(), large);
    assert.deepEqual(valuesOf(sites.seen[0] ?? { fields: [] }, "content-length"), [
      String(large.length),
    ]);
  },
);

sitesTest("a request that came is passed on as it is: method, URL, fields, body", async (sites) => {
  sites.answer = ({ body }) => new HttpResponse(`got ${body}`);
  const errors: unknown[] = [];
  await using client = sites.client({ connect: () => connectTcp("a.wild.test", 80) });
  await using _server = await openServer((request) => client.fetch(request), {
    port: 3000,
    onError: (error) => void errors.push(error),
  });
  using stream = await connectTcp("localhost", 3000);
  const raw = new RawClient(stream);
  for (const body of ["text", "more"]) {
    await raw.send(
      `${lines("PATCH /x?y=1 HTTP/1.1", "host: site.test", "x-mine: 1", "content-length: 4", "")}${body}`,
    );
    assert.equal((await raw.response()).body, `got ${body}`);
  }
  const [seen] = sites.seen;
  assert.ok(seen !== undefined);
  assert.deepEqual([seen.method, seen.target], ["PATCH", "/x?y=1"]);
  assert.deepEqual(valuesOf(seen, "host"), ["site.test"]);
  assert.deepEqual(valuesOf(seen, "x-mine"), ["1"]);
  assert.deepEqual(valuesOf(seen, "content-length"), ["4"]);
  assert.deepEqual(errors, []);
});

sitesTest("a handler's proxied response: HEAD, 204, 304 and redirects", async (sites) => {
  sites.answer = ({ target }) => {
    if (target === "/204") return new HttpResponse(null, { status: 204 });
    if (target === "/304") return new HttpResponse(null, { status: 304, headers: { etag: '"a"' } });
    if (target === "/302")
      return new HttpResponse("", { status: 302, headers: { location: "/x" } });
    return new HttpResponse("page");
  };
  await withProxy(sites, async (raw) => {
    await raw.send(lines("HEAD / HTTP/1.1", "host: me", ""));
    const head = await raw.head("HEAD");
    assert.deepEqual(valuesOf(head, "content-length"), ["4"]);
    for (const status of [204, 304, 302]) {
      await raw.send(lines(`GET /${status} HTTP/1.1`, "host: me", ""));
      const response = await raw.response();
      assert.equal(response.head.status, status);
      if (status === 302) assert.deepEqual(valuesOf(response.head, "location"), ["/x"]);
    }
  });
});

sitesTest(
  "a handler's proxied response ends with the client that leaves: nothing is left of it",
  async (sites) => {
    sites.answer = () =>
      new HttpResponse(async (sink) => {
        for (;;) {
          await sink.send("more");
          await sleep(10);
        }
      });
    await using client = sites.client();
    await using server = await openServer(passing(client), { port: 3000, onError: () => {} });
    {
      using stream = await connectTcp("localhost", 3000);
      await stream.send(bytesOf("GET / HTTP/1.1\r\nhost: me\r\n\r\n"));
      const raw = new RawClient(stream);
      await raw.head();
      await raw.piece();
      stream.abort();
    }
    await sleep(100);
    assert.equal(server.statistics().connectionsOpen, 0);
    assert.equal(
      sites.world
        .netstat("localhost")
        .filter(({ state }) => state !== "closed" && state !== "listen").length,
      0,
    );
  },
);

sitesTest(
  "responseParts: of a response of the client, its body is what came, no web stream",
  async (sites) => {
    await using client = sites.client();
    sites.answer = () => new HttpResponse(async (sink) => sink.send("page"));
    const response = await client.fetch(`${A}/`);
    assert.ok(response instanceof ClientResponse);
    const { payload } = responseParts(response);
    assert.equal(typeof (payload as { receive?: unknown }).receive, "function");
    assert.ok(!(payload instanceof ReadableStream));
    response.close();
    const read = await client.fetch(`${A}/`);
    await read.text();
    assert.throws(() => responseParts(read), TypeError);
    const wrapped = await client.fetch(`${A}/`);
    const parts = responseParts(new Response(wrapped.body, wrapped));
    assert.equal(typeof (parts.payload as { receive?: unknown }).receive, "function");
    wrapped.close();
  },
);

void test("passedOn: fields that `Connection` names are for this connection alone; trailers come behind chunks alone", () => {
  const fields = ["connection", "X-Hop, close", "x-hop", "1", "x-end", "2"];
  const head: ResponseHead = {
    version: "1.1",
    status: 200,
    reason: "",
    fields,
    framing: "chunked",
    keepAlive: true,
  };
  const trailers = (): string[] => ["a", "b"];
  const stream = fromIterable([]);
  assert.deepEqual(passedOn(head, stream, trailers).fields, ["x-end", "2"]);
  assert.equal(passedOn(head, stream, trailers).trailers, trailers);
  assert.equal(passedOn(head, null, trailers).trailers, null);
  const known = Object.assign(fromIterable([]), { length: 0 });
  assert.equal(passedOn(head, known, trailers).trailers, null);
});
