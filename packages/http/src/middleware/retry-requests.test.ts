import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { failAfter, moveOnAfter, now, run, sleep, taskGroup } from "arborio";
import { wallNow } from "arborio/lowlevel";
import { listenTcp } from "arborio/net";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { ClientResponse } from "../client/client-response.ts";
import { openHttpClient } from "../client/http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { formatHttpDate } from "../protocol/http-date.ts";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { retryRequests } from "./retry-requests.ts";

function test(title: string, body: () => Promise<void>): void {
  void nodeTest(title, async () => {
    await run(body, { signals: [], backend: simulator({ seed: 1 }) });
  });
}

/** A server that answers in turn with these; the last one again and again. */
async function answering(...answers: (number | HttpResponse)[]): Promise<{
  server: Server;
  times: number[];
}> {
  const times: number[] = [];
  const server = await openServer(
    (request) => {
      times.push(now());
      const answer = answers[Math.min(times.length, answers.length) - 1] as number | HttpResponse;
      return typeof answer === "number"
        ? new HttpResponse(`${request.method} ${times.length}`, { status: answer })
        : answer.clone();
    },
    { port: 0, host: "127.0.0.1" },
  );
  return { server, times };
}

test("retryRequests: statuses that may pass, with growing waits", async () => {
  const { server, times } = await answering(503, 502, 200);
  await using _server = server;
  const delays: number[] = [];
  const delayMs = (attempt: number): number => {
    delays.push(attempt);
    return attempt * 1000;
  };
  await using client = openHttpClient({
    base: server.url,
    middleware: [retryRequests({ delayMs })],
  });
  assert.equal((await client.request("/")).text(), "GET 3");
  assert.deepEqual(delays, [1, 2]);
  const waits = times.slice(1).map((at, index) => at - (times[index] as number));
  assert.ok(waits[0]! >= 1000 && waits[0]! < 1100, waits.join());
  assert.ok(waits[1]! >= 2000 && waits[1]! < 2100, waits.join());
});

test("retryRequests: the last response is given as it is", async () => {
  const { server, times } = await answering(503);
  await using _server = server;
  await using client = openHttpClient({
    base: server.url,
    middleware: [retryRequests({ attemptsMax: 4 })],
  });
  const response = await client.request("/");
  assert.equal(response.status, 503);
  assert.equal(response.text(), "GET 4");
  assert.equal(times.length, 4);
});

for (const [name, status, options] of [
  ["a status that does not pass", 404, {}],
  ["a method that may not be sent twice", 503, { method: "POST", body: "x" }],
  ["a body that cannot be sent twice", 503, { method: "PUT", body: streamed() }],
] as const) {
  test(`retryRequests: not for ${name}`, async () => {
    const { server, times } = await answering(status, 200);
    await using _server = server;
    await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
    assert.equal((await client.request("/", options)).status, status);
    assert.equal(times.length, 1);
  });
}

async function* streamed(): AsyncGenerator<string> {
  yield "x";
}

test("retryRequests: methods and statuses can be chosen", async () => {
  const { server, times } = await answering(404, 200);
  await using _server = server;
  const middleware = [retryRequests({ methods: ["POST"], statuses: [404] })];
  await using client = openHttpClient({ base: server.url, middleware });
  assert.equal((await client.request("/", { method: "POST", body: "x" })).text(), "POST 2");
  assert.equal(times.length, 2);
});

for (const [name, value] of [
  ["seconds", () => "7"],
  ["a date", () => formatHttpDate(wallNow() + 7000)],
] as const) {
  test(`retryRequests: waits as long as Retry-After says, in ${name}`, async () => {
    const headers = { "retry-after": value() };
    const { server, times } = await answering(new HttpResponse("", { status: 429, headers }), 200);
    await using _server = server;
    await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
    assert.equal((await client.request("/")).status, 200);
    const wait = (times[1] as number) - (times[0] as number);
    assert.ok(wait >= 6000 && wait <= 8000, `${wait}`);
  });
}

test("retryRequests: a server that wants more time than there is gets no second request", async () => {
  const headers = { "retry-after": "61" };
  const { server, times } = await answering(new HttpResponse("", { status: 503, headers }), 200);
  await using _server = server;
  await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
  assert.equal((await client.request("/")).status, 503);
  assert.equal(times.length, 1);
  const most = new HttpResponse("", { status: 503, headers: { "retry-after": "60" } });
  const patient = await answering(most, 200);
  await using _other = patient.server;
  assert.equal((await client.request(patient.server.url)).status, 200);
});

test("retryRequests: connections that break, and that cannot be made", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const { port } = listener;
  await moveOnAfter(10_000, async () => {
    let attempts = 0;
    const counting = retryRequests({ attemptsMax: 3, delayMs: () => 1 });
    await using client = openHttpClient({
      middleware: [
        counting,
        async (request, next) => {
          attempts += 1;
          if (attempts === 2) listener.close();
          const served = attempts === 1 ? listener.accept().then((stream) => stream.close()) : null;
          const response = next(request);
          await served;
          return await response;
        },
      ],
    });
    await assert.rejects(client.fetch(`http://127.0.0.1:${port}/`), (error) => {
      assert.ok(error instanceof RequestFailedError);
      assert.equal(error.reason, "unreachable");
      return true;
    });
    assert.equal(attempts, 3);
  });
});

test("retryRequests: an origin that is down is asked little more than without", async () => {
  const { server, times } = await answering(503);
  await using _server = server;
  const middleware = [retryRequests({ delayMs: () => 0 })];
  await using client = openHttpClient({ base: server.url, middleware });
  for (let count = 0; count < 200; count++) await client.request("/");
  assert.ok(times.length >= 200 + 40 && times.length <= 200 + 51, `${times.length}`);
});

test("retryRequests: connections of responses that are not given are given back", async () => {
  const { server } = await answering(503, 503, 200);
  await using _server = server;
  await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
  await client.request("/");
  assert.equal(server.statistics().connectionsOpen, 1);
});

test("retryRequests: what is dropped holds no connection while the next attempt waits, and goes", async () => {
  const endless = new HttpResponse(
    async (sink) => {
      for (;;) {
        await sink.send("x".repeat(1000));
        await sleep(10);
      }
    },
    { status: 503 },
  );
  const { server, times } = await answering(endless, 200);
  await using _server = server;
  await using client = openHttpClient({
    base: server.url,
    limits: { connectionsMax: 1 },
    middleware: [
      retryRequests({
        delayMs: () => {
          assert.equal(client.statistics().connectionsActive, 1);
          return 5000;
        },
      }),
    ],
  });
  await taskGroup(async (group) => {
    const asking = group.startSoon(() => client.request("/"));
    await sleep(1000);
    assert.equal(client.statistics().connectionsActive, 0);
    assert.equal((await asking.result()).status, 200);
  });
  const [first = 0, second = 0] = times;
  assert.ok(second - first < 5300, `${second - first}`);
});

test("retryRequests: what went well long before allows for no more attempts", async () => {
  let isDown = false;
  let asked = 0;
  await using server = await openServer(
    () => {
      asked += 1;
      return new HttpResponse("", { status: isDown ? 503 : 200 });
    },
    { port: 0, host: "127.0.0.1" },
  );
  const middleware = [retryRequests({ delayMs: () => 0 })];
  await using client = openHttpClient({ base: server.url, middleware });
  for (let count = 0; count < 100; count++) await client.request("/");
  isDown = true;
  asked = 0;
  for (let count = 0; count < 20; count++) await client.request("/");
  // Ten that are allowed at once, and a fifth of a request for each.
  assert.ok(asked >= 20 + 12 && asked <= 20 + 14, `${asked}`);
});

test("retryRequests: an Idempotency-Key makes any method one that may be sent again", async () => {
  const { server, times } = await answering(503, 200);
  await using _server = server;
  await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
  const headers = { "idempotency-key": '"8e03978e"' };
  const response = await client.request("/", { method: "POST", body: "x", headers });
  assert.equal(response.text(), "POST 2");
  assert.equal(times.length, 2);
});

test("retryRequests: no attempt that the deadline around, or a shutdown, leaves no time for", async () => {
  const headers = { "retry-after": "30" };
  const { server, times } = await answering(new HttpResponse("wait", { status: 429, headers }));
  await using _server = server;
  await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
  const response = await failAfter(10_000, () => client.request("/"));
  assert.equal(response.text(), "wait");
  assert.equal(times.length, 1);
  await taskGroup(async (group) => {
    group.scope.shutdown({ graceMs: 60_000 });
    assert.equal((await client.request("/")).status, 429);
  });
  assert.equal(times.length, 2);
});

test("retryRequests: deadlines of the client may pass, for each attempt", async () => {
  let asked = 0;
  await using server = await openServer(
    async () => {
      if (++asked < 3) await sleep(10_000);
      return new HttpResponse("late");
    },
    { port: 0, host: "127.0.0.1" },
  );
  const middleware = [retryRequests()];
  await using client = openHttpClient({ base: server.url, middleware, timeouts: { headMs: 1000 } });
  assert.equal((await client.request("/")).text(), "late");
  assert.equal(asked, 3);
  asked = -10;
  await assert.rejects(client.request("/"), { name: "RequestFailedError", reason: "timeout" });
  assert.equal(asked, -7);
});

test("retryRequests: what may pass can be said, and each retry is told", async () => {
  const { server } = await answering(503, 418, 200);
  await using _server = server;
  const told: string[] = [];
  const retrying = retryRequests({
    delayMs: () => 10,
    mayPass: (outcome) => outcome instanceof ClientResponse && outcome.status === 418,
    onRetry: ({ request, attempt, outcome, waitMs }) => {
      const { status } = outcome as ClientResponse;
      told.push(`${request.method} ${attempt} ${status} ${waitMs}`);
    },
  });
  await using client = openHttpClient({ base: server.url, middleware: [retrying] });
  assert.equal((await client.request("/")).status, 503);
  assert.equal((await client.request("/")).status, 200);
  assert.deepEqual(told, ["GET 1 418 10"]);
});

test("retryRequests: a hook that throws leaves no response behind", async () => {
  const { server } = await answering(
    new HttpResponse(
      async (sink) => {
        await sink.send("x");
        await sleep(100_000);
      },
      { status: 503 },
    ),
  );
  await using _server = server;
  const onRetry = (): never => {
    throw new Error("hook");
  };
  await using client = openHttpClient({
    base: server.url,
    middleware: [retryRequests({ onRetry })],
  });
  await assert.rejects(client.request("/"), /hook/);
  assert.equal(client.statistics().connectionsActive, 0);
});

test("retryRequests: a delay that is none is told, and leaves no response behind", async () => {
  for (const [delay, message] of [
    [NaN, /delayMs \}\): what it gave for attempt 1: got NaN, needs at least 0/],
    [-1, /got -1, needs at least 0/],
    ["5", /got "5", needs a number/],
    [undefined, /got undefined, needs a number/],
  ] as const) {
    const { server } = await answering(503, 200);
    await using _server = server;
    const middleware = [retryRequests({ delayMs: () => delay as number })];
    await using client = openHttpClient({ base: server.url, middleware });
    await assert.rejects(client.request("/"), message);
    assert.equal(client.statistics().connectionsActive, 0);
  }
});

test("retryRequests: methods are written as with fetch", async () => {
  const { server, times } = await answering(503, 200);
  await using _server = server;
  await using client = openHttpClient({
    base: server.url,
    middleware: [retryRequests({ methods: ["post"] })],
  });
  assert.equal((await client.request("/", { method: "post" })).text(), "POST 2");
  assert.equal(times.length, 2);
});

test("cancelEverywhere: retryRequests", async () => {
  const sweep = await cancelEverywhere(async () => {
    const { server } = await answering(503, 200);
    await using _server = server;
    await using client = openHttpClient({ base: server.url, middleware: [retryRequests()] });
    await client.request("/");
  });
  assert.ok(sweep.rounds.waiting > 3, JSON.stringify(sweep));
});

void nodeTest("retryRequests: wrong options", () => {
  assert.throws(
    () => retryRequests({ attemptsMax: 0 }),
    /attemptsMax \}\): got 0, needs at least 1/,
  );
  assert.throws(() => retryRequests({ budget: -1 }), /budget \}\): got -1, needs at least 0/);
  assert.throws(() => retryRequests({ retryAfterMsMax: NaN }), /retryAfterMsMax/);
});
