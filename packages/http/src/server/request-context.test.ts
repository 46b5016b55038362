import assert from "node:assert/strict";
import { InvalidStateError, sleep } from "arborio";
import { connectTcp } from "arborio/net";
import { fieldsOf, get, lines, RawClient, simTest } from "../connection/raw-client.test.kit.ts";
import { testClient } from "../testing/test-client.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openServer } from "./open-server.ts";

simTest(
  "context.earlyHints: sent at once, as often as wanted, before the response, and not to HTTP/1.0",
  async () => {
    await using client = testClient(async (_request, context) => {
      await context.earlyHints({ link: "</a.css>; rel=preload" });
      await sleep(100);
      await context.earlyHints([
        ["link", "</b.css>; rel=preload"],
        ["link", "</c.css>; rel=preload"],
      ]);
      return new HttpResponse("page");
    });
    const raw = new RawClient(client.connect());
    await raw.send(get());
    const first = await raw.head();
    assert.equal(first.status, 103);
    assert.deepEqual(fieldsOf(first, "link"), ["</a.css>; rel=preload"]);
    assert.equal(fieldsOf((await raw.head()) as never, "link").length, 2);
    assert.equal((await raw.response()).body, "page");
    await raw.send(lines("GET / HTTP/1.0", ""));
    assert.equal((await raw.response()).head.status, 200);
  },
);

simTest(
  "context.earlyHints: after the response has begun it is InvalidStateError; wrong fields are TypeError",
  async () => {
    const errors: unknown[] = [];
    await using client = testClient(async (_request, context) => {
      await context.earlyHints({ "x y": "z" }).catch((error: unknown) => errors.push(error));
      await context.earlyHints({ x: "a\r\nb: c" }).catch((error: unknown) => errors.push(error));
      return new HttpResponse(async (sink) => {
        await sink.send("body");
        await context.earlyHints({ link: "<a>" }).catch((error: unknown) => errors.push(error));
      });
    });
    const raw = new RawClient(client.connect());
    await raw.send(get());
    assert.equal((await raw.response()).body, "body");
    assert.ok(errors[0] instanceof TypeError && errors[1] instanceof TypeError);
    assert.ok(errors[2] instanceof InvalidStateError);
  },
);

simTest(
  "context: peer, local and raw fields, over a connection of the network and in memory",
  async () => {
    const handler = (_request: Request, context: Parameters<Parameters<typeof testClient>[0]>[1]) =>
      HttpResponse.json([
        context.peer ?? null,
        context.local ?? null,
        context.tls ?? null,
        context.rawFields,
      ]);
    await using server = await openServer(handler, { port: 80, host: "127.0.0.1" });
    using stream = await connectTcp("127.0.0.1", server.port);
    const raw = new RawClient(stream);
    await raw.send(get("/", "X-Some: Thing"));
    assert.deepEqual(JSON.parse((await raw.response()).body), [
      stream.localAddress,
      stream.remoteAddress,
      null,
      ["host", "a", "X-Some", "Thing"],
    ]);
    await using client = testClient(handler);
    const inMemory = await (await client.fetch("/")).json();
    assert.deepEqual(inMemory.slice(0, 3), [null, null, null]);
  },
);

simTest(
  "context.client and request.url: as the connection has it, unless a trusted proxy says otherwise",
  async () => {
    const handler = (request: Request, context: Parameters<Parameters<typeof testClient>[0]>[1]) =>
      HttpResponse.json({ ...context.client, url: request.url });
    const proxied = get(
      "/a?b",
      "x-forwarded-for: 6.6.6.6, 192.0.2.7",
      "x-forwarded-proto: https",
      "x-forwarded-host: example.org",
    );
    const ask = async (trust: object, request: string): Promise<unknown> => {
      await using server = await openServer(handler, { port: 80, host: "127.0.0.1", ...trust });
      using stream = await connectTcp("127.0.0.1", server.port);
      const raw = new RawClient(stream);
      await raw.send(request);
      return JSON.parse((await raw.response()).body);
    };
    assert.deepEqual(await ask({}, proxied), {
      address: "127.0.0.1",
      scheme: "http",
      host: "a",
      url: "http://a/a?b",
    });
    assert.deepEqual(await ask({ trustProxies: ["127.0.0.0/8"] }, proxied), {
      address: "192.0.2.7",
      scheme: "https",
      host: "example.org",
      url: "https://example.org/a?b",
    });
    assert.deepEqual(await ask({ trustProxies: ["10.0.0.0/8"] }, proxied), {
      address: "127.0.0.1",
      scheme: "http",
      host: "a",
      url: "http://a/a?b",
    });
    const absolute = proxied.replace("/a?b", "http://b.example/x?y");
    const seen = (await ask({ trustProxies: 1 }, absolute)) as { url: string };
    assert.equal(seen.url, "https://example.org/x?y");
  },
);

simTest("request.url: of a client that names nobody, it is the server's own address", async () => {
  const handler = (request: Request): Response => new HttpResponse(request.url);
  await using server = await openServer(handler, { port: 8080, host: "::1" });
  using stream = await connectTcp("::1", server.port);
  const raw = new RawClient(stream);
  await raw.send(lines("GET /x HTTP/1.0", ""));
  assert.equal((await raw.response()).body, "http://[::1]:8080/x");
});

simTest("request.signal: aborts when the client leaves, and not when all went well", async () => {
  const aborted: string[] = [];
  await using client = testClient(async (request) => {
    const path = new URL(request.url).pathname;
    (request as HttpRequest).signal.addEventListener("abort", () => aborted.push(path));
    if (path === "/left") await sleep(1000);
    return new HttpResponse("");
  });
  await (await client.fetch("/well")).text();
  const stream = client.connect();
  await new RawClient(stream).send(get("/left"));
  await sleep(1);
  stream.close();
  await sleep(10);
  assert.deepEqual(aborted, ["/left"]);
});
