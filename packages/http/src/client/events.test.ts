/** Server-sent events of a client: across connections, with all that ends them. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { moveOnAfter, now, run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import { openServer } from "../server/open-server.ts";
import type { Handler } from "../server/handler.ts";
import type { Server } from "../server/server.ts";
import { EventStreamError } from "../sse/event-stream-error.ts";
import { eventStreamResponse } from "../sse/event-stream-response.ts";
import { readEvents } from "../sse/read-events.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";

const test = onEveryBackend(nodeTest);

function open(handler: Handler): Promise<Server> {
  return openServer(handler, { port: 0, host: "127.0.0.1" });
}

/** In virtual time. */
function simulated(title: string, body: () => Promise<void>): void {
  for (const seed of [1, 2, 3]) {
    void nodeTest(`${title} [seed ${seed}]`, async () => {
      await run(body, { signals: [], backend: simulator({ seed }) });
    });
  }
}

function eventsResponse(text: string): Response {
  return new HttpResponse(text, { headers: { "content-type": "text/event-stream" } });
}

test("events: each as it comes, with type, data and the last id", async () => {
  await using server = await open((request) =>
    eventStreamResponse(request, async (events) => {
      await events.send({ data: "a\nb", id: "1" });
      await events.send({ event: "tick", data: "c" });
      await events.send({ data: "ü", id: "2" });
    }),
  );
  await using client = openHttpClient({ base: server.url });
  const seen: unknown[] = [];
  for await (const event of client.events("/")) {
    seen.push(event);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, [
    { type: "message", data: "a\nb", lastEventId: "1" },
    { type: "tick", data: "c", lastEventId: "1" },
    { type: "message", data: "ü", lastEventId: "2" },
  ]);
});

simulated("events: comes again with the last id, after what the server asked for", async () => {
  const asked: [number, string | null][] = [];
  await using server = await open((request) => {
    asked.push([Math.round(now() - start), request.headers.get("last-event-id")]);
    const turn = asked.length;
    if (turn === 4) return new HttpResponse(null, { status: 204 });
    return eventStreamResponse(request, async (events) => {
      await events.send({
        id: `é${turn}`,
        data: `${turn}`,
        ...(turn === 2 ? { retryMs: 100 } : {}),
      });
    });
  });
  const start = now();
  await using client = openHttpClient({ base: server.url });
  const seen: string[] = [];
  for await (const { data } of client.events("/")) seen.push(data);
  assert.deepEqual(seen, ["1", "2", "3"]);
  assert.deepEqual(
    asked.map(([, id]) => (id === null ? null : Buffer.from(id, "latin1").toString())),
    [null, "é1", "é2", "é3"],
  );
  const waits = asked.slice(1).map(([at], index) => at - (asked[index]?.[0] as number));
  assert.ok(waits[0]! >= 3000 && waits[0]! <= 3760, `${waits[0]}`);
  assert.ok(waits[1]! >= 100 && waits[1]! <= 135, `${waits[1]}`);
  assert.ok(waits[2]! >= 100 && waits[2]! <= 135, `${waits[2]}`);
});

simulated("events: a server that is away for a while: it waits longer each time", async () => {
  const asked: number[] = [];
  await using server = await open(() => {
    asked.push(now());
    if (asked.length < 5) return new HttpResponse("", { status: 503 });
    return eventsResponse("data: at last\n\n");
  });
  await using client = openHttpClient({ base: server.url });
  await using events = client.events("/", { retryMs: 1000, retryMsMax: 3000 });
  assert.equal((await events.next()).value?.data, "at last");
  const waits = asked.slice(1).map((at, index) => at - (asked[index] as number));
  for (const [index, least] of [1000, 2000, 3000, 3000].entries())
    assert.ok(waits[index]! >= least && waits[index]! <= least * 1.26, `${waits.join()}`);
});

simulated("events: gives up after attemptsMax", async () => {
  await using client = openHttpClient();
  const start = now();
  const events = client.events("http://127.0.0.1:9/", { attemptsMax: 3, retryMs: 1000 });
  await assert.rejects(events.next(), (error) => {
    assert.ok(error instanceof RequestFailedError);
    assert.equal(error.reason, "unreachable");
    return true;
  });
  assert.ok(now() - start >= 3000 && now() - start < 4000);
  assert.equal((await events.next()).done, true);
});

for (const [name, response, reason] of [
  ["a status of failure", () => new HttpResponse("no", { status: 404 }), "status"],
  ["another type", () => new HttpResponse("hello"), "content-type"],
  [
    "a type that only begins alike",
    () => new HttpResponse("", { headers: { "content-type": "text/event-streams" } }),
    "content-type",
  ],
  [
    "an event that is too large",
    () => eventsResponse(`data: ${"x".repeat(2000)}\n\n`),
    "too-large",
  ],
] as const) {
  test(`events: ${name} is an error, and it stays away`, async () => {
    let asked = 0;
    await using server = await open(() => {
      asked += 1;
      return response();
    });
    await using client = openHttpClient({ base: server.url });
    const events = client.events("/", { eventCharactersMax: 1000 });
    await assert.rejects(events.next(), (error) => {
      assert.ok(error instanceof EventStreamError, String(error));
      assert.equal(error.reason, reason);
      return true;
    });
    assert.equal((await events.next()).done, true);
    assert.equal(asked, 1);
  });
}

simulated(
  "events: bytes in any pieces, byte order marks, and what is not whole at the end",
  async () => {
    const text = "\uFEFFdata: a\r\n\r\n: comment\rdata: ü\r\rdata: cut";
    const bytes = new TextEncoder().encode(text);
    let asked = 0;
    await using server = await open(() => {
      if (++asked > 1) return new HttpResponse(null, { status: 204 });
      return new HttpResponse(
        async (sink) => {
          for (const byte of bytes) await sink.send(Uint8Array.of(byte));
        },
        { headers: { "content-type": "text/event-stream; charset=utf-8" } },
      );
    });
    await using client = openHttpClient({ base: server.url });
    const seen: string[] = [];
    for await (const { data } of client.events("/", { retryMs: 0 })) seen.push(data);
    assert.deepEqual(seen, ["a", "ü"]);
  },
);

simulated("events: a wait that is cancelled loses nothing", async () => {
  await using server = await open((request) =>
    eventStreamResponse(request, async (events) => {
      for (let count = 1; count <= 20; count++) {
        await events.send({ data: `${count}` });
        await sleep(10);
      }
    }),
  );
  await using client = openHttpClient({ base: server.url });
  await using events = client.events("/");
  const seen: string[] = [];
  while (seen.length < 20) {
    const event = await moveOnAfter(7, () => events.next());
    if (event?.value !== undefined) seen.push(event.value.data);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, index) => `${index + 1}`),
  );
});

simulated("events: one task at a time; leaving closes the connection", async () => {
  await using server = await open((request) =>
    eventStreamResponse(request, async (events) => {
      await events.send({ data: "1" });
      await sleep(100_000);
    }),
  );
  await using client = openHttpClient({ base: server.url });
  const events = client.events("/");
  await events.next();
  await taskGroup(async (group) => {
    const waiting = group.startSoon(() => events.next());
    await sleep(1);
    await assert.rejects(events.next(), /another task waits for an event/);
    waiting.cancel();
  });
  await events.return();
  await sleep(100);
  assert.equal(server.statistics().connectionsOpen, 0);
});

test("readEvents: of any response; leaving early closes it", async () => {
  await using server = await open((request) =>
    eventStreamResponse(request, async (events) => {
      for (;;) await events.send({ data: "again" });
    }),
  );
  await using client = openHttpClient({ base: server.url });
  const response = await client.fetch("/", { method: "POST", body: "{}" });
  let count = 0;
  for await (const { data } of readEvents(response)) {
    assert.equal(data, "again");
    if (++count === 3) break;
  }
  await moveOnAfter(5000, async () => {
    while (server.statistics().connectionsOpen > 0) await sleep(1);
  });
  assert.equal(server.statistics().connectionsOpen, 0);
  const foreign = new Response("data: x\n\n", { headers: { "content-type": "text/event-stream" } });
  for await (const event of readEvents(foreign)) assert.equal(event.data, "x");
});

void nodeTest("cancelEverywhere: events over two connections", async () => {
  await run(
    async () => {
      const sweep = await cancelEverywhere(async () => {
        await using server = await open((request) =>
          eventStreamResponse(request, (events) => events.send({ data: "x" })),
        );
        await using client = openHttpClient({ base: server.url });
        await using events = client.events("/", { retryMs: 10 });
        await events.next();
        await events.next();
      });
      assert.ok(sweep.rounds.waiting > 5, JSON.stringify(sweep));
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});
