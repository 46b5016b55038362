/** What a cache keeps of bodies, and what its memory keeps. */
import assert from "node:assert/strict";
import { moveOnAfter, taskGroup } from "arborio";
import { listenTcp } from "arborio/net";
import { openHttpClient } from "../client/http-client.ts";
import type { Middleware } from "../client/middleware.ts";
import type { RequestFailedError } from "../connection/request-failed-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import { cacheOutcome } from "./cache/cache-outcome.ts";
import { createMemoryCacheStore } from "./cache/memory-cache-store.ts";
import { httpCache } from "./http-cache.ts";
import { cached, counting, FRESH, pieces, test } from "./http-cache.test.kit.ts";

test("httpCache: a body that was read to its end is kept, in whatever way it was read", async () => {
  await using all = await cached(() => pieces(5, 1000));
  const expected = ["a", "b", "c", "d", "e"].map((letter) => letter.repeat(1000)).join("");
  const ways: ((path: string) => Promise<string>)[] = [
    async (path) => (await all.client.request(path)).text(),
    async (path) => await (await all.client.fetch(path)).text(),
    async (path) => await new Response((await all.client.fetch(path)).body).text(),
    async (path) => {
      let text = "";
      for await (const piece of (await all.client.fetch(path)).bodyStream ?? []) {
        text += new TextDecoder().decode(piece);
        piece.fill(0);
      }
      return text;
    },
    async (path) => {
      const stream = (await all.client.fetch(path)).bodyStream;
      const view = new Uint8Array(700);
      let text = "";
      for (
        let count = 0;
        text.length < 5000;
        text += new TextDecoder().decode(view.subarray(0, count))
      )
        count = (await stream?.receiveInto(view)) ?? 0;
      await assert.rejects(async () => await stream?.receive(), { name: "EndOfStream" });
      await assert.rejects(async () => await stream?.receive(), { name: "EndOfStream" });
      return text;
    },
  ];
  for (const [index, way] of ways.entries()) {
    assert.equal(await way(`/${index}`), expected);
    const again = await all.client.request(`/${index}`);
    assert.equal(again.text(), expected);
    assert.equal(cacheOutcome(again), "hit", String(index));
    assert.equal(await way(`/${index}`), expected, "from the cache");
  }
  assert.equal(all.seen.length, ways.length);
});

test("httpCache: a body that was not read to its end is not kept, nor one that was cut, nor too large a one", async () => {
  await using all = await cached(
    (request) => (request.url.endsWith("/large") ? pieces(11, 1000) : pieces(5, 1000)),
    { entryBytesMax: 10_000 },
  );
  (await all.client.fetch("/")).close();
  {
    using response = await all.client.fetch("/");
    await response.bodyStream?.receive();
  }
  await moveOnAfter(25, () => all.client.request("/"));
  assert.equal(all.store.statistics().entries, 0);
  assert.equal((await all.client.request("/large")).bytes.length, 11_000);
  assert.equal(all.store.statistics().entries, 0);
  assert.equal((await all.client.request("/")).bytes.length, 5000);
  assert.equal(all.store.statistics().entries, 1);
});

test("httpCache: entryBytesMax is kept, one byte more is not, whole or in pieces", async () => {
  await using all = await cached(
    (request) => {
      const { pathname, search } = new URL(request.url);
      const bytes = Number(pathname.slice(1));
      return search === ""
        ? new HttpResponse("x".repeat(bytes), { headers: FRESH })
        : pieces(1, bytes);
    },
    { entryBytesMax: 10 },
  );
  for (const search of ["", "?pieces"]) {
    for (const [bytes, outcome] of [
      [10, "hit"],
      [11, "miss"],
    ] as const) {
      await all.ask(`/${bytes}${search}`);
      assert.equal(cacheOutcome(await all.client.request(`/${bytes}${search}`)), outcome);
    }
  }
});

/** A server that says this to every request, and then closes. */
async function saying(answer: string, body: (url: string) => Promise<void>): Promise<void> {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  await taskGroup(async (group) => {
    group.startSoon(() =>
      listener.serve(async (stream) => {
        await stream.receive();
        await stream.send(new TextEncoder().encode(answer));
      }),
    );
    await body(`http://127.0.0.1:${listener.port}/`);
    group.cancel();
  });
}

test("httpCache: what breaks off, and what ends with its connection, is not kept", async () => {
  const head = "HTTP/1.1 200 OK\r\ncache-control: max-age=100\r\n";
  for (const [answer, isWhole] of [
    [`${head}content-length: 10\r\n\r\nhello`, false],
    [`${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`, false],
    [`${head}\r\nhello`, true],
  ] as const) {
    await saying(answer, async (url) => {
      const store = createMemoryCacheStore();
      await using client = openHttpClient({ middleware: [httpCache({ store })] });
      const text = await client.request(url).then(
        (response) => response.text(),
        (error: unknown) => (error as RequestFailedError).reason,
      );
      assert.equal(text, isWhole ? "hello" : "disconnected");
      assert.equal(store.statistics().entries, 0, answer);
    });
  }
});

test("httpCache: a memory store forgets what was not used for longest", async () => {
  const store = createMemoryCacheStore({ entriesMax: 3 });
  await using all = await cached(counting(FRESH), { store });
  for (const path of ["/a", "/b", "/c"]) await all.ask(path);
  await all.expect(["1 hit", "/a"]);
  await all.ask("/d");
  await all.expect(["1 hit", "/a"], ["5 miss", "/b"], ["1 hit", "/a"], ["6 miss", "/c"]);
  assert.equal(store.statistics().entries, 3);
  store.clear();
  assert.deepEqual(store.statistics(), { entries: 0, bytes: 0 });
  const small = createMemoryCacheStore({ bytesMax: 5000 });
  await using few = await cached(() => new HttpResponse("x".repeat(1500), { headers: FRESH }), {
    store: small,
  });
  for (const path of ["/a", "/b", "/c", "/d"]) await few.ask(path);
  const { entries, bytes } = small.statistics();
  assert.equal(entries, 2);
  assert.ok(bytes > 3000 && bytes <= 5000, String(bytes));
});

test("createMemoryCacheStore: what takes the place of another counts alone", async () => {
  let bytes = 1000;
  const small = createMemoryCacheStore({ bytesMax: 3000 });
  await using all = await cached(
    () => new HttpResponse("x".repeat(bytes), { headers: { "cache-control": "max-age=10" } }),
    { store: small },
  );
  const again = { cache: "reload" } as const;
  await all.ask("/");
  const one = small.statistics().bytes;
  for (let count = 0; count < 5; count++) await all.ask("/", again);
  assert.deepEqual(small.statistics(), { entries: 1, bytes: one });
  bytes = 500;
  await all.ask("/", again);
  assert.equal(small.statistics().bytes, one - 500 - 1, "and one digit of its length");
  bytes = 4000;
  await all.ask("/", again);
  assert.deepEqual(small.statistics(), { entries: 0, bytes: 0 });
  small.clear();
  assert.deepEqual(small.statistics(), { entries: 0, bytes: 0 });
});

test("httpCache: a response is kept after middleware behind it has looked into it", async () => {
  let looked = "";
  const looking: Middleware = async (request, next) => {
    const response = await next(request);
    looked = await response.clone().text();
    return response;
  };
  await using all = await cached(() => pieces(3, 10));
  const middleware = [httpCache(), looking];
  for (const outcome of ["miss", "hit"]) {
    const response = await all.client.request("/", { middleware });
    assert.equal(response.text(), looked);
    assert.equal(cacheOutcome(response), outcome);
  }
});

test("httpCache: a response that middleware behind it has read is given as it is, and not kept", async () => {
  const reading: Middleware = async (request, next) => {
    const response = await next(request);
    assert.equal(await response.text(), "text");
    return response;
  };
  const headers = { ...FRESH, etag: '"x"' };
  await using all = await cached(() => new HttpResponse("text", { headers }));
  for (const method of ["GET", "GET", "POST"]) {
    using response = await all.client.fetch("/", {
      method,
      middleware: [all.cache, reading],
    });
    assert.equal(response.status, 200);
    assert.equal(response.bodyUsed, true);
  }
  assert.equal(all.seen.length, 3);
  await all.expect("text miss", "text hit");
});
