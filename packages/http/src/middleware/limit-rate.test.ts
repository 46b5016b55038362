import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { gather, moveOnAfter, now, run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { openHttpClient } from "../client/http-client.ts";
import type { HttpClient } from "../client/http-client.ts";
import type { Middleware } from "../client/middleware.ts";
import type { RequestFailedError } from "../connection/request-failed-error.ts";
import type { Server } from "../server/server.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { limitRate, type LimitRateOptions } from "./limit-rate.ts";

function test(title: string, body: () => Promise<void>): void {
  for (const seed of [1, 2, 3]) {
    void nodeTest(`${title} [seed ${seed}]`, async () => {
      await run(body, { signals: [], backend: simulator({ seed }) });
    });
  }
}

interface Limited extends AsyncDisposable {
  readonly client: HttpClient;
  readonly server: Server;
  readonly seen: { readonly at: number; readonly path: string }[];
}

async function limited(
  options: LimitRateOptions,
  answer: () => HttpResponse = () => new HttpResponse(""),
): Promise<Limited> {
  const seen: { at: number; path: string }[] = [];
  const server = await openServer(answer, { port: 0, host: "127.0.0.1" });
  // Behind it: on the network they may overtake one another.
  const record: Middleware = (request, next) => {
    seen.push({ at: now(), path: new URL(request.url).pathname });
    return next(request);
  };
  const client = openHttpClient({ base: server.url, middleware: [limitRate(options), record] });
  const dispose = async (): Promise<void> => {
    await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { client, server, seen, [Symbol.asyncDispose]: dispose };
}

test("limitRate: never more than burst at once, nor than the rate", async () => {
  await using all = await limited({ requestsMax: 10, perMs: 1000, burst: 5 });
  await taskGroup(async (group) => {
    for (let count = 0; count < 60; count++) group.startSoon(() => all.client.request("/"));
  });
  const times = all.seen.map(({ at }) => at).sort((a, b) => a - b);
  for (const [index, at] of times.entries()) {
    const within = times.filter((other) => other >= at && other < at + 1000).length;
    assert.ok(within <= 15, `${within} within a second from request ${index} on`);
  }
  const took = (times.at(-1) as number) - (times[0] as number);
  assert.ok(took >= 5400 && took < 5700, `${took}`);
});

test("limitRate: first come, first served; what was not used is there later, up to burst", async () => {
  await using all = await limited({ requestsMax: 1, perMs: 100, burst: 2 });
  await taskGroup(async (group) => {
    for (let count = 0; count < 6; count++) {
      group.startSoon(() => all.client.request(`/${count}`));
      await sleep(1);
    }
  });
  assert.deepEqual(
    all.seen.map(({ path }) => path),
    ["/0", "/1", "/2", "/3", "/4", "/5"],
  );
  await sleep(10_000);
  const start = now();
  for (let count = 0; count < 3; count++) await all.client.request("/");
  assert.ok(now() - start >= 95 && now() - start < 130, `${now() - start}`);
});

test("limitRate: who is cancelled while it waits has used nothing", async () => {
  await using all = await limited({ requestsMax: 1, perMs: 1000 });
  await all.client.request("/first");
  await moveOnAfter(500, () => all.client.request("/cancelled"));
  const start = now();
  await all.client.request("/second");
  assert.ok(now() - start <= 550, `${now() - start}`);
  assert.deepEqual(
    all.seen.map(({ path }) => path),
    ["/first", "/second"],
  );
});

test("limitRate: keys are held back each for itself", async () => {
  const keyOf = ({ url }: { url: string }): string => new URL(url).pathname;
  await using all = await limited({ requestsMax: 1, perMs: 1000, keyOf });
  const start = now();
  for (const path of ["/a", "/b", "/c"]) await all.client.request(path);
  assert.ok(now() - start < 100);
});

for (const [status, after, waitMs] of [
  [429, "5", 5000],
  [503, "5", 5000],
  [429, "100000", 60_000],
  [200, "5", 0],
  [429, "soon", 0],
] as const) {
  test(`limitRate: ${status} with Retry-After: ${after} holds back all for ${waitMs} ms`, async () => {
    let asked = 0;
    await using all = await limited({ requestsMax: 100, perMs: 1000 }, () => {
      const isFirst = ++asked === 1;
      const headers = isFirst ? { "retry-after": after } : {};
      return new HttpResponse("", { status: isFirst ? status : 200, headers });
    });
    await all.client.request("/first");
    const start = now();
    await taskGroup(async (group) => {
      for (let count = 0; count < 5; count++) group.startSoon(() => all.client.request("/"));
    });
    for (const { at } of all.seen.slice(1)) assert.ok(at - start >= waitMs - 100, `${at - start}`);
    assert.ok(now() - start < waitMs + 500, `${now() - start}`);
  });
}

test("limitRate: who waits already waits longer when the server says so", async () => {
  let asked = 0;
  await using all = await limited({ requestsMax: 1, perMs: 100 }, () => {
    const status = ++asked === 1 ? 429 : 200;
    return new HttpResponse("", { status, headers: { "retry-after": "3" } });
  });
  await taskGroup(async (group) => {
    for (let count = 0; count < 3; count++) group.startSoon(() => all.client.request("/"));
  });
  const [first = 0, second = 0, third = 0] = all.seen.map(({ at }) => at);
  assert.ok(second - first >= 2990, `${second - first}`);
  assert.ok(third - second >= 99 && third - second < 200, `${third - second}`);
});

test("limitRate: who would wait too long fails at once", async () => {
  await using all = await limited({ requestsMax: 1, perMs: 1000, waitMs: 2000 });
  const outcomes = await gather(
    Array.from({ length: 6 }, (_, index) => async () => {
      await sleep(index);
      return await all.client.request("/").then(
        ({ status }) => status,
        (error: RequestFailedError) => `${error.reason} ${error.isLocal} ${now() < 100}`,
      );
    }),
  );
  assert.deepEqual(outcomes, [
    200,
    200,
    200,
    ...Array.from({ length: 3 }, () => "refused true true"),
  ]);
  assert.equal(all.seen.length, 3);
});

for (const [after, waitMs, passing] of [
  ["30", 1000, 0],
  ["1", 1100, 1],
  ["1", 3000, 2],
] as const) {
  test(`limitRate: nobody waits longer than ${waitMs} ms, though the server asks for ${after} s while they wait`, async () => {
    let asked = 0;
    await using all = await limited({ requestsMax: 1, perMs: 500, waitMs }, () => {
      const status = ++asked === 1 ? 429 : 200;
      return new HttpResponse("", {
        status,
        headers: status === 429 ? { "retry-after": after } : {},
      });
    });
    const start = now();
    const outcomes = await gather(
      Array.from({ length: 3 }, (_, index) => async () => {
        await sleep(index);
        const outcome = await all.client.request("/").then(
          ({ status }) => status,
          (error: RequestFailedError) => error.reason,
        );
        assert.ok(now() - start < waitMs + 50, `${now() - start}`);
        return outcome;
      }),
    );
    const expected = [429, "refused", "refused"].fill(200, 1, 1 + passing);
    assert.deepEqual(outcomes, expected);
    assert.equal(all.seen.length, 1 + passing);
  });
}

test("limitRate: who comes in a pause is told at once that those before it come first", async () => {
  let asked = 0;
  await using all = await limited({ requestsMax: 2, perMs: 1000, burst: 2, waitMs: 1400 }, () => {
    const isFirst = ++asked === 1;
    return new HttpResponse("", {
      status: isFirst ? 503 : 200,
      headers: isFirst ? { "retry-after": "1" } : {},
    });
  });
  await all.client.request("/");
  const start = now();
  const outcomes = await gather(
    Array.from({ length: 4 }, (_, index) => async () => {
      await sleep(index);
      return await all.client.request("/").then(
        () => Math.floor((now() - start) / 500),
        (error: RequestFailedError) => `${error.reason} ${now() - start < 100}`,
      );
    }),
  );
  assert.deepEqual(outcomes, [2, 2, "refused true", "refused true"]);
});

void nodeTest("cancelEverywhere: limitRate", async () => {
  await run(
    async () => {
      const sweep = await cancelEverywhere(async () => {
        await using all = await limited({ requestsMax: 1, perMs: 50 });
        await all.client.request("/");
        await all.client.request("/");
      });
      assert.ok(sweep.rounds.waiting > 3, JSON.stringify(sweep));
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});

void nodeTest("limitRate: wrong options", () => {
  assert.throws(() => limitRate({ requestsMax: 0 }), /requestsMax \}\): got 0, needs at least 1/);
  assert.throws(() => limitRate({ requestsMax: 1, burst: 1.5 }), /burst \}\): got 1.5/);
  assert.throws(() => limitRate({ requestsMax: 1, burst: Infinity }), /burst \}\): got Infinity/);
  assert.throws(() => limitRate({ requestsMax: 1, perMs: Infinity }), /perMs \}\): got Infinity/);
  assert.throws(() => limitRate({ requestsMax: 1, waitMs: -1 }), /waitMs \}\): got -1/);
  limitRate({ requestsMax: 1.5 });
  assert.throws(() => limitRate({ requestsMax: 1, perMs: NaN }), /perMs/);
});
