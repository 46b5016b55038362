import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { moveOnAfter, run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { openHttpClient } from "../client/http-client.ts";
import type { HttpClient } from "../client/http-client.ts";
import type { Middleware } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import { HttpResponse } from "../web/http-response.ts";
import {
  type CircuitBreaker,
  circuitBreaker,
  type CircuitBreakerOptions,
} from "./circuit-breaker.ts";

function test(title: string, body: () => Promise<void>): void {
  void nodeTest(title, async () => {
    await run(body, { signals: [], backend: simulator({ seed: 1 }) });
  });
}

interface Guarded extends AsyncDisposable {
  readonly client: HttpClient;
  readonly breaker: CircuitBreaker;
  readonly server: Server;
  readonly origin: string;
  /** What the server answers from now on. */
  status: number;
  asked: number;
}

async function guarded(options: CircuitBreakerOptions = {}): Promise<Guarded> {
  const breaker = circuitBreaker(options);
  const server = await openServer(
    async (request) => {
      all.asked += 1;
      if (request.url.endsWith("/slow")) await sleep(1000);
      return new HttpResponse("", { status: all.status });
    },
    { port: 0, host: "127.0.0.1" },
  );
  const client = openHttpClient({ base: server.url, middleware: [breaker] });
  const all: Guarded = {
    client,
    breaker,
    server,
    origin: new URL(server.url).origin,
    status: 200,
    asked: 0,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
  return all;
}

const isRefusal = (error: unknown): boolean =>
  error instanceof RequestFailedError && error.reason === "refused" && error.isLocal;

test("circuitBreaker: opens after failures in a row, tries again after a while, closes", async () => {
  await using all = await guarded({ failuresMax: 3, openMs: 1000 });
  const state = (): string => all.breaker.stateOf(all.origin);
  all.status = 500;
  for (let count = 0; count < 2; count++) await all.client.request("/");
  all.status = 200;
  await all.client.request("/");
  all.status = 500;
  for (let count = 0; count < 2; count++) await all.client.request("/");
  assert.equal(state(), "closed", "a success between them counts");
  await all.client.request("/");
  assert.equal(state(), "open");
  assert.equal(all.asked, 6);
  await assert.rejects(all.client.request("/"), isRefusal);
  await sleep(999);
  await assert.rejects(all.client.request("/"), isRefusal);
  assert.equal(all.asked, 6);
  await sleep(2);
  assert.equal((await all.client.request("/")).status, 500);
  assert.equal(state(), "open", "the trial failed");
  await assert.rejects(all.client.request("/"), isRefusal);
  await sleep(1001);
  all.status = 200;
  await all.client.request("/");
  assert.equal(state(), "closed");
  await all.client.request("/");
});

test("circuitBreaker: one request tries, the others are refused", async () => {
  await using all = await guarded({ failuresMax: 1, openMs: 100 });
  all.status = 500;
  await all.client.request("/");
  await sleep(101);
  all.status = 200;
  await taskGroup(async (group) => {
    group.startSoon(() => all.client.request("/slow"));
    await sleep(10);
    assert.equal(all.breaker.stateOf(all.origin), "half-open");
    await assert.rejects(all.client.request("/"), isRefusal);
  });
  assert.equal(all.breaker.stateOf(all.origin), "closed");
});

test("circuitBreaker: a trial that is cancelled leaves the trying to the next one", async () => {
  await using all = await guarded({ failuresMax: 1, openMs: 100 });
  all.status = 500;
  await all.client.request("/");
  await sleep(101);
  all.status = 200;
  await moveOnAfter(50, () => all.client.request("/slow"));
  assert.equal(all.breaker.stateOf(all.origin), "open");
  await all.client.request("/");
  assert.equal(all.breaker.stateOf(all.origin), "closed");
});

test("circuitBreaker: connections that cannot be made count, cancelled requests do not", async () => {
  await using all = await guarded({ failuresMax: 2 });
  for (let count = 0; count < 5; count++) await moveOnAfter(10, () => all.client.request("/slow"));
  assert.equal(all.breaker.stateOf(all.origin), "closed");
  const unreachable = "http://127.0.0.1:9/";
  for (let count = 0; count < 2; count++)
    await assert.rejects(all.client.request(unreachable), RequestFailedError);
  await assert.rejects(all.client.request(unreachable), isRefusal);
  assert.equal(all.breaker.stateOf("http://127.0.0.1:9"), "open");
  assert.equal(all.breaker.stateOf(all.origin), "closed", "another origin");
});

test("circuitBreaker: failures on this side tell nothing of the origin", async () => {
  for (const [phase, reason, state] of [
    ["head", "timeout", "open"],
    ["head", "disconnected", "open"],
    ["tls", "certificate", "open"],
    ["pool", "timeout", "closed"],
    ["send", "request-body", "closed"],
    ["head", "closed", "closed"],
    ["connect", "refused", "closed"],
    ["redirect", "redirect-url", "closed"],
  ] as const) {
    const breaker = circuitBreaker({ failuresMax: 1 });
    const failing: Middleware = ({ method, url }) =>
      Promise.reject(new RequestFailedError("no", { phase, reason, method, url }));
    await using client = openHttpClient({ middleware: [breaker, failing] });
    await assert.rejects(client.request("http://a.test/"), { phase, reason });
    assert.equal(breaker.stateOf("http://a.test"), state, `${phase} ${reason}`);
  }
});

test("circuitBreaker: without a time to be open each request is a trial", async () => {
  await using all = await guarded({ failuresMax: 1, openMs: 0 });
  all.status = 500;
  for (let count = 1; count <= 3; count++) {
    await all.client.request("/");
    assert.equal(all.breaker.stateOf(all.origin), "open");
    assert.equal(all.asked, count);
  }
});

test("circuitBreaker: what was on its way when it opened, and fails, does not keep it open", async () => {
  let isDown = true;
  const breaker = circuitBreaker({ failuresMax: 2, openMs: 5000 });
  const behind: Middleware = async (request) => {
    const { method, url } = request;
    if (url.endsWith("/slow")) await sleep(1000);
    if (!isDown) return request.respond(new HttpResponse(""));
    throw new RequestFailedError("no", { phase: "head", reason: "timeout", method, url });
  };
  await using client = openHttpClient({ middleware: [breaker, behind] });
  const fails = async (path: string): Promise<void> => {
    await assert.rejects(client.request(`http://a.test${path}`), { reason: "timeout" });
  };
  await taskGroup(async (group) => {
    const late = group.startSoon(() => fails("/slow"));
    await sleep(10);
    for (let count = 0; count < 2; count++) await fails("/");
    await late.result();
    await sleep(4500);
    isDown = false;
    assert.equal((await client.request("http://a.test/")).status, 200);
  });
});

test("circuitBreaker: statuses that are no failure", async () => {
  await using all = await guarded({ failuresMax: 1 });
  for (const status of [404, 429, 501]) {
    all.status = status;
    await all.client.request("/");
  }
  assert.equal(all.breaker.stateOf(all.origin), "closed");
});

test("circuitBreaker: what a failure is can be said", async () => {
  await using all = await guarded({ failuresMax: 1, isFailure: ({ status }) => status === 404 });
  all.status = 404;
  await all.client.request("/");
  assert.equal(all.breaker.stateOf(all.origin), "open");
});

test("circuitBreaker: what was on its way when it opened neither closes it nor keeps it open", async () => {
  for (const status of [200, 500]) {
    await using all = await guarded({ failuresMax: 2, openMs: 5000 });
    await taskGroup(async (group) => {
      all.status = 500;
      const late = group.startSoon(() => all.client.request("/slow"));
      await sleep(10);
      for (let count = 0; count < 2; count++) await all.client.request("/");
      assert.equal(all.breaker.stateOf(all.origin), "open");
      all.status = status;
      await late.result();
      assert.equal(all.breaker.stateOf(all.origin), "open");
      await sleep(4500);
      all.status = 200;
      await all.client.request("/");
      assert.equal(all.breaker.stateOf(all.origin), "closed");
    });
  }
});

test("circuitBreaker: tells its changes", async () => {
  const changes: string[] = [];
  await using all = await guarded({
    failuresMax: 1,
    openMs: 100,
    keyOf: () => "all",
    onChange: (key, state) => changes.push(`${key} ${state}`),
  });
  all.status = 500;
  await all.client.request("/");
  await sleep(101);
  await all.client.request("/");
  await sleep(101);
  all.status = 200;
  await moveOnAfter(50, () => all.client.request("/slow"));
  await all.client.request("/");
  await all.client.request("/");
  const expected = ["open", "half-open", "open", "half-open", "open", "half-open", "closed"];
  assert.deepEqual(
    changes,
    expected.map((state) => `all ${state}`),
  );
});

test("circuitBreaker: a judgement or hook that throws leaves no response behind", async () => {
  await using server = await openServer(
    () =>
      new HttpResponse(async (sink) => {
        await sink.send("x");
        await sleep(100_000);
      }),
    { port: 0, host: "127.0.0.1" },
  );
  const fail = (): never => {
    throw new Error("judgement");
  };
  const onChange = fail;
  for (const options of [
    { isFailure: fail },
    { isFailure: () => true, failuresMax: 1, onChange },
  ]) {
    const middleware = [circuitBreaker(options)];
    await using client = openHttpClient({ base: server.url, middleware });
    await assert.rejects(client.request("/"), /judgement/);
    assert.equal(client.statistics().connectionsActive, 0);
  }
});

test("cancelEverywhere: circuitBreaker", async () => {
  const sweep = await cancelEverywhere(async () => {
    await using all = await guarded({ failuresMax: 1, openMs: 10 });
    all.status = 500;
    await all.client.request("/");
    await sleep(11);
    all.status = 200;
    await all.client.request("/");
    assert.equal(all.breaker.stateOf(all.origin), "closed");
  });
  assert.ok(sweep.rounds.waiting > 3, JSON.stringify(sweep));
});

void nodeTest("circuitBreaker: wrong options", () => {
  assert.throws(() => circuitBreaker({ failuresMax: 0 }), /failuresMax \}\): got 0/);
  assert.throws(() => circuitBreaker({ openMs: -1 }), /openMs \}\): got -1/);
});
