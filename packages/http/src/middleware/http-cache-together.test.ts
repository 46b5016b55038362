/** What a cache does with equal requests at once. */
import assert from "node:assert/strict";
import { Event, gather, now, sleep, taskGroup, type TaskHandle } from "arborio";
import { openHttpClient } from "../client/http-client.ts";
import type { Middleware } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import { cacheOutcome } from "./cache/cache-outcome.ts";
import { httpCache } from "./http-cache.ts";
import { cached, counting, FRESH, pieces, slowStore, test } from "./http-cache.test.kit.ts";

test("httpCache: equal requests at once are one, first come, first served", async () => {
  for (const answer of [
    async () => {
      await sleep(100);
      return new HttpResponse("text", { headers: FRESH });
    },
    () => pieces(3, 10, 100),
  ]) {
    await using all = await cached(answer);
    const outcomes = await gather(
      Array.from({ length: 20 }, () => async () => cacheOutcome(await all.client.request("/"))),
    );
    assert.equal(all.seen.length, 1);
    assert.equal(outcomes.filter((outcome) => outcome === "miss").length, 1);
    assert.equal(outcomes.filter((outcome) => outcome === "collapsed").length, 19);
    await gather(
      ["de", "en"].map(
        (language) => () =>
          all.client.request("/other", { headers: { "accept-language": language } }),
      ),
    );
    assert.equal(all.seen.length, 3, "these are not equal");
  }
});

test("httpCache: whoever is cancelled, the next goes on, first come, first served", async () => {
  const order: string[] = [];
  const cache = httpCache();
  await using all = await cached(counting(FRESH));
  const ask = async (name: string): Promise<string> => {
    // Behind the cache, which does not see what tells them apart.
    const slow: Middleware = async (request, next) => {
      order.push(name);
      await sleep(100);
      return await next(request);
    };
    const response = await all.client.request("/", { middleware: [cache, slow] });
    return `${name} ${response.text()} ${cacheOutcome(response)}`;
  };
  await taskGroup(async (group) => {
    const tasks: TaskHandle<string>[] = [];
    for (const name of ["a", "b", "c", "d", "e"]) {
      tasks.push(group.startSoon(() => ask(name)));
      await sleep(5);
    }
    tasks[2]?.cancel();
    tasks[0]?.cancel();
    await sleep(5);
    assert.deepEqual(order, ["a", "b"]);
    tasks[1]?.cancel();
    await sleep(5);
    assert.deepEqual(order, ["a", "b", "d"]);
    const late = group.startSoon(() => ask("late"));
    assert.equal(await tasks[3]?.result(), "d 1 miss");
    assert.equal(await tasks[4]?.result(), "e 1 collapsed");
    assert.equal(await late.result(), "late 1 collapsed");
  });
  assert.deepEqual(order, ["a", "b", "d"]);
});

test("httpCache: at whatever moment one of several is cancelled, the others get theirs", async () => {
  for (let index = 0; index < 3; index++) {
    for (let cancelMs = 0; cancelMs <= 34; cancelMs++) {
      await using all = await cached(() => pieces(2, 10), { store: slowStore() });
      await taskGroup(async (group) => {
        const tasks: TaskHandle<string>[] = [];
        for (let count = 0; count < 3; count++) {
          tasks.push(group.startSoon(() => all.ask()));
          await sleep(1);
        }
        await sleep(cancelMs);
        tasks[index]?.cancel();
        for (const [count, task] of tasks.entries()) {
          if (count === index) continue;
          assert.match(await task.result(), /^a{10}b{10} /, `${index} at ${cancelMs}`);
        }
      });
      await all.expect(`${"a".repeat(10)}${"b".repeat(10)} hit`);
    }
  }
});

test("httpCache: a request that fails fails for all who wait for it, once", async () => {
  let asked = 0;
  const failing: Middleware = async ({ method, url }) => {
    asked += 1;
    await sleep(100);
    throw new RequestFailedError("it broke", { phase: "head", reason: "timeout", method, url });
  };
  await using client = openHttpClient({ middleware: [httpCache(), failing] });
  const errors = await gather(
    Array.from({ length: 5 }, () => () => client.request("http://a.test/").catch(String)),
  );
  assert.equal(asked, 1);
  assert.equal(new Set(errors).size, 1);
  await assert.rejects(client.request("http://a.test/"), /it broke/);
  assert.equal(asked, 2);
});

test("httpCache: an error of this side alone is no error of the others", async () => {
  let asked = 0;
  const failing: Middleware = async (request, next) => {
    asked += 1;
    await sleep(10);
    if (asked === 1) throw new TypeError("mine");
    return await next(request);
  };
  await using all = await cached(counting(FRESH));
  const middleware = [httpCache(), failing];
  const results = await gather(
    Array.from(
      { length: 4 },
      () => () =>
        all.client.request("/", { middleware }).then(
          (response) => response.text(),
          (error: Error) => error.message,
        ),
    ),
  );
  assert.deepEqual(results.toSorted(), ["1", "1", "1", "mine"]);
});

test("httpCache: if the response is for one alone, the others ask at once, all together", async () => {
  for (const headers of [
    { "cache-control": "no-store" },
    { "cache-control": "no-cache", etag: '"x"' },
  ]) {
    await using all = await cached(async () => {
      await sleep(1000);
      return new HttpResponse("text", { headers });
    });
    const start = now();
    await gather(Array.from({ length: 10 }, () => () => all.client.request("/")));
    assert.ok(now() - start < 2500, `${now() - start}`);
    assert.equal(all.seen.length, 10);
  }
});

test("httpCache: nobody waits long for a body that does not end, and it is given as it comes", async () => {
  await using all = await cached(() => pieces(1000, 10, 100));
  const start = now();
  await gather(
    Array.from({ length: 3 }, () => async () => {
      using response = await all.client.fetch("/");
      const piece = await response.bodyStream?.receive();
      assert.equal(piece?.[0], 97);
      assert.ok(now() - start < 3000, `${now() - start}`);
    }),
  );
  assert.equal(all.seen.length, 3);
  assert.equal(all.store.statistics().entries, 0);
});

test("httpCache: what one of several makes of the bytes that he gets changes nothing for the others", async () => {
  await using all = await cached(() => pieces(3, 10, 100));
  const texts = await gather(
    Array.from({ length: 3 }, () => async () => {
      const response = await all.client.request("/");
      const text = response.text();
      response.bytes.fill(0);
      return text;
    }),
  );
  assert.equal(all.seen.length, 1);
  for (const text of [...texts, (await all.client.request("/")).text()])
    assert.equal(text, "a".repeat(10) + "b".repeat(10) + "c".repeat(10));
});

test("httpCache: what was read ahead for others is given whole, with what follows", async () => {
  await using all = await cached(() => pieces(26, 1000, 100));
  const texts = await gather(
    Array.from({ length: 2 }, () => async () => (await all.client.request("/")).text()),
  );
  const expected = Array.from({ length: 26 }, (_, at) =>
    String.fromCharCode(97 + at).repeat(1000),
  ).join("");
  assert.deepEqual(texts, [expected, expected]);
  const again = await all.client.request("/");
  assert.equal(again.text(), expected);
  assert.equal(cacheOutcome(again), "hit");
});

test("httpCache: what was on its way when its URL changed is neither kept nor joined", async () => {
  const gate = new Event();
  let state = "old";
  await using all = await cached(async ({ method }) => {
    if (method === "POST") state = "new";
    const text = state;
    if (text === "old") await gate.wait();
    return new HttpResponse(text, { headers: FRESH });
  });
  await taskGroup(async (group) => {
    const early = group.startSoon(async () => (await all.client.request("/")).text());
    await sleep(100);
    await all.ask("/", { method: "POST" });
    group.startSoon(async () => {
      await sleep(500);
      gate.set();
    });
    assert.equal(await all.ask("/"), "new miss");
    assert.equal(await early.result(), "old");
    assert.equal(await all.ask("/"), "new hit");
  });
});
