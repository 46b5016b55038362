/** What a cache does when servers, stores and itself fail, in the background, and when it is cancelled. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { gather, run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import type { Middleware } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import { cacheOutcome } from "./cache/cache-outcome.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { httpCache } from "./http-cache.ts";
import { cached, counting, FRESH, slowStore, test } from "./http-cache.test.kit.ts";

test("httpCache: stale-if-error stands in for errors, for a while", async () => {
  let isBroken = false;
  const breaking: Middleware = async (request, next) => {
    if (!isBroken) return await next(request);
    const { method, url } = request;
    throw new RequestFailedError("gone", { phase: "connect", reason: "unreachable", method, url });
  };
  let status = 200;
  const cache = httpCache();
  await using all = await cached(
    () =>
      new HttpResponse("text", {
        status,
        headers: status === 200 ? { "cache-control": "max-age=10, stale-if-error=20" } : {},
      }),
    {},
    { middleware: [cache, breaking] },
  );
  await all.expect("text miss");
  await sleep(15_000);
  isBroken = true;
  await all.expect("text stale");
  await assert.rejects(all.ask("/", { cache: "no-cache" }), /gone/);
  isBroken = false;
  for (status of [500, 502, 503, 504]) await all.expect("text stale");
  status = 501;
  await all.expect("501 text miss");
  status = 503;
  const told = { headers: { "cache-control": "stale-if-error=100" } };
  await sleep(20_000);
  await all.expect("503 text miss");
  status = 200;
  await all.expect("text miss");
  await sleep(15_000);
  status = 503;
  await all.expect("text stale");
  await sleep(16_000);
  await all.expect("503 text miss", ["text stale", "/", told]);
  const outcomes = await gather(Array.from({ length: 4 }, () => () => all.ask("/", told)));
  const others = Array.from({ length: 3 }, () => "text collapsed");
  assert.deepEqual(outcomes.toSorted(), [...others, "text stale"]);
});

test("httpCache: stale-if-error stands in for no mistake on this side", async () => {
  await using all = await cached(
    counting({ "cache-control": "max-age=1, stale-if-error=100", etag: '"x"' }),
  );
  const mistaken: Middleware = () => Promise.reject(new TypeError("a mistake"));
  await all.expect("1 miss");
  await sleep(2000);
  const middleware = [all.cache, mistaken];
  await assert.rejects(all.client.request("/", { middleware }), /a mistake/);
});

test("httpCache: what is never fresh is kept for errors, if it says so", async () => {
  let status = 200;
  const answer = (control: string) => (): HttpResponse =>
    new HttpResponse("text", {
      status,
      headers: status === 200 ? { "cache-control": control } : {},
    });
  for (const [control, replaced] of [
    ["max-age=0, stale-if-error=60", "text stale"],
    ["max-age=0, stale-if-error=60, must-revalidate", "503 text miss"],
    ["max-age=0", "503 text miss"],
  ] as const) {
    status = 200;
    await using all = await cached(answer(control));
    await all.expect("text miss", "text miss");
    status = 503;
    await all.expect(replaced);
  }
});

test("httpCache: stale-if-error stands in for a circuit breaker that is open", async () => {
  let status = 200;
  const cache = httpCache();
  const breaker = circuitBreaker({ failuresMax: 1 });
  await using all = await cached(
    () =>
      new HttpResponse("text", {
        status,
        headers: status === 200 ? { "cache-control": "max-age=1, stale-if-error=60" } : {},
      }),
    {},
    { middleware: [cache, breaker] },
  );
  await all.expect("text miss");
  await sleep(2000);
  status = 500;
  await all.expect("text stale", "text stale", "text stale");
  assert.equal(all.seen.length, 2);
  await assert.rejects(all.ask("/other"), /has failed again and again/);
});

test("httpCache: stale-while-revalidate uses what is there, and asks in the background, if somebody owns that", async () => {
  const answer = counting({
    "cache-control": "max-age=10, stale-while-revalidate=20",
    etag: '"x"',
  });
  await taskGroup(async (group) => {
    await using all = await cached(
      async (request, asked) => {
        if (asked > 1) await sleep(500);
        return (await answer(request, asked)) as HttpResponse;
      },
      { group },
    );
    await all.expect("1 miss");
    await sleep(15_000);
    await all.expect("1 stale", "1 stale", "1 stale");
    await sleep(1000);
    assert.equal(all.seen.length, 2, "one request for all");
    await all.expect("2 hit");
    await sleep(40_000);
    await all.expect("3 miss");
    await sleep(15_000);
    const controller = new AbortController();
    await all.expect(["3 stale", "/", { signal: controller.signal }]);
    await sleep(100);
    controller.abort();
    await sleep(1000);
    await all.expect("4 hit");
  });
  await using alone = await cached(answer);
  await alone.expect("1 miss");
  await sleep(15_000);
  await alone.expect("2 miss");
});

test("httpCache: a hundred are asked for again in the background at once; who comes then waits", async () => {
  await taskGroup(async (group) => {
    let isSlow = false;
    await using all = await cached(
      async () => {
        if (isSlow) await sleep(1000);
        const headers = { "cache-control": "max-age=1, stale-while-revalidate=1000" };
        return new HttpResponse("", { headers });
      },
      { group },
      { limits: { connectionsMax: 200, originConnectionsMax: 200 } },
    );
    const askAll = (): Promise<(string | null)[]> =>
      gather(
        Array.from({ length: 101 }, (_, index) => async () => {
          return cacheOutcome(await all.client.request(`/${index}`));
        }),
      );
    await askAll();
    await sleep(5000);
    isSlow = true;
    const outcomes = await askAll();
    assert.equal(outcomes.filter((outcome) => outcome === "stale").length, 100);
    assert.equal(outcomes.filter((outcome) => outcome === "miss").length, 1);
    await sleep(5000);
    assert.equal(all.seen.length, 202);
  });
});

test("httpCache: no work is begun in the background of a group that ends or has ended, and what fails there is told", async () => {
  const errors: unknown[] = [];
  let isBroken = false;
  const breaking: Middleware = async (request, next) => {
    if (isBroken) throw new TypeError("broken");
    return await next(request);
  };
  const answer = counting({ "cache-control": "max-age=10, stale-while-revalidate=1000" });
  let cache = httpCache();
  await using all = await cached(answer);
  await taskGroup(async (group) => {
    cache = httpCache({ group, onError: (error) => errors.push(error) });
    const how = { middleware: [cache, breaking] };
    await all.expect(["1 miss", "/", how]);
    await sleep(15_000);
    isBroken = true;
    await all.expect(["1 stale", "/", how]);
    await sleep(100);
    assert.match(String(errors), /TypeError: broken/);
    isBroken = false;
    group.scope.shutdown({ graceMs: 60_000 });
    await all.expect(["2 miss", "/", how]);
    await sleep(15_000);
  });
  await all.expect(["3 miss", "/", { middleware: [cache] }]);
});

test("httpCache: what is no longer to be kept is forgotten, and nothing of other origins", async () => {
  let control = "no-cache";
  await using all = await cached(() => {
    const headers = { "cache-control": control, etag: `"${control}"` };
    return new HttpResponse("text", { headers });
  });
  await all.expect("text miss");
  control = "no-store";
  await all.expect("text miss");
  assert.equal(all.store.statistics().entries, 0);
  await using kept = await cached(counting(FRESH));
  await using other = await cached(() => {
    const headers = { location: kept.server.url, "content-location": kept.server.url };
    return new HttpResponse("", { status: 201, headers });
  });
  const how = { middleware: [kept.cache] };
  await kept.expect("1 miss");
  await other.ask("/", { method: "POST", ...how });
  await kept.expect("1 hit");
});

test("httpCache: a store that fails fails no request", async () => {
  const errors: string[] = [];
  const fail = (what: string) => (): never => {
    throw new Error(what);
  };
  await using all = await cached(counting(FRESH), {
    store: {
      get: fail("get"),
      set: async () => {
        await sleep(1);
        throw new Error("set");
      },
      delete: fail("delete"),
    },
    onError: (error) => errors.push((error as Error).message),
  });
  await all.expect("1 miss", "2 miss", ["3 bypassed", "/", { method: "POST" }]);
  assert.deepEqual(errors, ["get", "get", "set", "get", "get", "set", "delete"]);
});

void nodeTest("cancelEverywhere: httpCache", async () => {
  const headers = { etag: '"x"', "cache-control": "max-age=1" };
  await run(
    async () => {
      const sweep = await cancelEverywhere(async () => {
        await using all = await cached(
          (request) => {
            if (request.headers.has("if-none-match"))
              return new HttpResponse(null, { status: 304, headers });
            return request.url.endsWith("/streamed")
              ? new HttpResponse(streamed(), { headers: FRESH })
              : new HttpResponse("text", { headers });
          },
          { store: slowStore() },
        );
        await all.expect("text miss", "text hit");
        await sleep(1100);
        await all.expect("text revalidated");
        await all.expect(["text bypassed", "/", { method: "POST" }], "text miss");
        await all.expect(["text miss", "/streamed"], ["text hit", "/streamed"]);
      });
      assert.ok(sweep.rounds.waiting > 10, JSON.stringify(sweep));
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});

async function* streamed(): AsyncGenerator<string> {
  yield "te";
  await sleep(1);
  yield "xt";
}
