import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { CancelScope, gather, moveOnAfter, now, run, sleep, sleepForever, soft } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import type { RequestContext } from "../server/request-context.ts";
import { HttpResponse } from "../web/http-response.ts";
import {
  createHealthChecks,
  type HealthChecks,
  type HealthChecksOptions,
} from "./health-checks.ts";

/** In virtual time. */
function test(title: string, body: () => Promise<void>): void {
  void runnerTest(title, () => run(body, { backend: simulator({ seed: 1 }) }));
}

async function readiness(health: HealthChecks): Promise<[number, unknown]> {
  const response = await health.ready();
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  return [response.status, await response.json()];
}

test("createHealthChecks: alive always, ready without checks and with those that work", async () => {
  const bare = createHealthChecks();
  assert.equal(bare.live().status, 200);
  assert.deepEqual(await bare.live().json(), { status: "alive" });
  assert.deepEqual(await readiness(bare), [200, { status: "ready", checks: {} }]);
  const health = createHealthChecks({
    checks: { db: () => sleep(10), queue: () => undefined, truth: () => true },
  });
  assert.deepEqual(await readiness(health), [
    200,
    { status: "ready", checks: { db: "ok", queue: "ok", truth: "ok" } },
  ]);
});

test("createHealthChecks: a check that throws, gives false or takes too long is told by name, and by nothing else", async () => {
  const failures: string[] = [];
  const never = new Promise<never>(() => {});
  let cleaned = false;
  const health = createHealthChecks({
    checks: {
      good: () => "password=hunter2",
      throws: () => Promise.reject(new Error("password=hunter2")),
      throwsAtOnce: () => {
        throw new Error("password=hunter2");
      },
      refuses: () => false,
      hangs: () => never,
      waits: async (signal) => {
        try {
          await sleepForever();
        } finally {
          cleaned = signal.aborted;
        }
      },
    },
    onFailure: (name, error) => failures.push(`${name}: ${(error as Error).name}`),
  });
  const [status, body] = await readiness(health);
  assert.equal(now(), 5000, "beside one another, with one deadline each");
  assert.equal(status, 503);
  assert.deepEqual(body, {
    status: "not-ready",
    checks: {
      good: "ok",
      throws: "failed",
      throwsAtOnce: "failed",
      refuses: "failed",
      hangs: "timed-out",
      waits: "timed-out",
    },
  });
  assert.ok(cleaned);
  assert.deepEqual(failures.sort(), [
    "hangs: TimeoutError",
    "refuses: Error",
    "throws: Error",
    "throwsAtOnce: Error",
    "waits: TimeoutError",
  ]);
});

test("createHealthChecks: one round of checks at a time, used again for cacheMs", async () => {
  let calls = 0;
  const health = createHealthChecks({
    checks: { db: () => ((calls += 1), sleep(100)) },
    cacheMs: 2000,
  });
  const all = await gather(Array.from({ length: 50 }, () => () => health.ready()));
  assert.ok(all.every((response) => response.status === 200));
  assert.equal(calls, 1);
  await sleep(1999);
  await health.ready();
  assert.equal(calls, 1);
  await sleep(1);
  await health.ready();
  assert.equal(calls, 2);
});

test("createHealthChecks: who asks and goes away keeps no other from an answer", async () => {
  let calls = 0;
  const health = createHealthChecks({ checks: { db: () => ((calls += 1), sleep(100)) } });
  const [gone, stayed] = await gather([
    () => moveOnAfter(50, () => health.ready()),
    () => sleep(10).then(() => health.ready()),
  ]);
  assert.equal(gone, undefined);
  assert.equal((stayed as HttpResponse).status, 200);
  assert.equal(calls, 2);
  assert.equal(now(), 150);
});

test("createHealthChecks: not ready from the moment a shutdown asks, though it still answers, and checks no more", async () => {
  const scope = new CancelScope();
  let calls = 0;
  await scope.run(async () => {
    const health = createHealthChecks({ checks: { db: () => void (calls += 1) }, cacheMs: 0 });
    assert.equal((await health.ready()).status, 200);
    scope.shutdown({ graceMs: 10_000 });
    assert.deepEqual(await readiness(health), [503, { status: "shutting-down" }]);
    assert.equal(health.live().status, 200);
  });
  assert.equal(calls, 1);
});

test("createHealthChecks: a shutdown of the program is seen in requests that do not know of it yet, and one of the server alone too", async () => {
  const program = new CancelScope();
  await program.run(async () => {
    const health = createHealthChecks();
    const server = new CancelScope({ shield: true });
    await server.run(async () => {
      program.shutdown({ graceMs: 1000 });
      assert.equal(server.shuttingDown, false);
      assert.equal((await health.ready()).status, 503);
    });
  });
  const health = createHealthChecks();
  const server = new CancelScope();
  await server.run(async () => {
    server.shutdown({ graceMs: 1000 });
    assert.equal((await health.ready()).status, 503);
  });
  assert.equal((await health.ready()).status, 200);
});

test("createHealthChecks: a shutdown that asks while the checks run is seen in their answer", async () => {
  const scope = new CancelScope();
  await scope.run(() =>
    gather([
      async () => {
        const health = createHealthChecks({ checks: { db: () => sleep(100) } });
        assert.deepEqual(await readiness(health), [503, { status: "shutting-down" }]);
      },
      async () => {
        await sleep(50);
        scope.shutdown({ graceMs: 1000 });
        await soft(() => sleepForever());
      },
    ]),
  );
  assert.equal(scope.cancelledCaught, false);
});

test("createHealthChecks: a failure is forgiven for gracePeriodMs since the check has worked, not before it ever has", async () => {
  let works = false;
  const health = createHealthChecks({
    checks: { db: () => works },
    cacheMs: 0,
    gracePeriodMs: 10_000,
  });
  assert.equal((await health.ready()).status, 503);
  works = true;
  assert.equal((await health.ready()).status, 200);
  works = false;
  await sleep(9999);
  assert.deepEqual(await readiness(health), [200, { status: "ready", checks: { db: "failed" } }]);
  await sleep(1);
  assert.equal((await health.ready()).status, 503);
});

test("HealthChecks.wrap: its two paths, GET and HEAD; all else is the handler's", async () => {
  const health = createHealthChecks({ checks: { db: () => false } });
  const context = {} as RequestContext;
  const inner: Request[] = [];
  const handler = health.wrap((request, given) => {
    assert.equal(given, context);
    inner.push(request);
    return new HttpResponse("inner");
  });
  const status = async (path: string, method = "GET") => {
    const before = inner.length;
    const response = await handler(new Request(`http://example.com${path}`, { method }), context);
    return inner.length > before ? "inner" : response.status;
  };
  assert.equal(await status("/healthz"), 200);
  assert.equal(await status("/healthz?full=1"), 200);
  assert.equal(await status("/healthz#x"), 200);
  assert.equal(await status("/readyz", "HEAD"), 503);
  assert.equal(await status("/readyz", "POST"), 405);
  for (const path of ["", "/", "/healthz/", "/healthz2", "/a/healthz", "/?/healthz"])
    assert.equal(await status(path), "inner", path);
  const other = health.wrap(handler, { live: "/alive", ready: "/ready" });
  assert.equal((await other(new Request("http://example.com/alive"), context)).status, 200);
  assert.equal((await other(new Request("http://example.com/ready"), context)).status, 503);
});

test("createHealthChecks: cancelled at every checkpoint, the next who asks gets an answer", async () => {
  await cancelEverywhere(async () => {
    const health = createHealthChecks({
      checks: { db: () => sleep(10), other: () => sleep(20) },
      cacheMs: 0,
    });
    const scope = new CancelScope({ shield: true });
    try {
      assert.equal((await health.ready()).status, 200);
    } finally {
      await scope.run(async () => assert.equal((await health.ready()).status, 200));
    }
  });
});

test("createHealthChecks: wrong options are refused", async () => {
  const bad: HealthChecksOptions[] = [
    { timeoutMs: -1 },
    { cacheMs: Number.NaN },
    { gracePeriodMs: -5 },
  ];
  for (const options of bad) assert.throws(() => createHealthChecks(options), RangeError);
  assert.throws(
    () => createHealthChecks({ checks: { db: true as never } }),
    /"db", needs a function/,
  );
});
