/** When a subscription connects again: with servers that are away, that give nothing, and that crash. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { moveOnAfter, now, sleep } from "arborio";
import { simulate } from "arborio/sim";
import type { Handler } from "../server/handler.ts";
import { serve } from "../server/open-server.ts";
import { eventStreamResponse } from "../sse/event-stream-response.ts";
import { HEAD, simulated } from "./event-subscription.test.kit.ts";
import { openHttpClient } from "./http-client.ts";

simulated(
  "a server that asks for no wait, and is away then, is not asked without end",
  async (peer) => {
    await peer.request();
    const isFirst = peer.number === 1;
    await peer.send(
      isFirst
        ? `${HEAD}connection: close\r\n\r\nretry: 0\ndata: a\n\n`
        : "HTTP/1.1 503 Later\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
  },
  async ({ client, server }) => {
    await using events = client.events("/");
    await events.next();
    await moveOnAfter(5000, () => events.next());
    // At 0 ms, 100, 300, 700, …
    assert.ok(server.connections <= 8, `${server.connections}`);
  },
);

simulated(
  "a server that asks for no wait, and gives something each time, is asked at once; what it left half is nothing",
  async (peer) => {
    await peer.request();
    await peer.send(
      `${HEAD}connection: close\r\n\r\nretry: 0\ndata: ${peer.number}\n\nid: 9\ndata: half`,
    );
  },
  async ({ client }) => {
    await using events = client.events("/");
    const start = now();
    for (let count = 1; count <= 10; count++) {
      const { value } = await events.next();
      assert.deepEqual([value?.data, value?.lastEventId], [`${count}`, ""]);
    }
    assert.ok(now() - start < 500, `${now() - start}`);
  },
);

simulated(
  "a server that gives nothing, and asks for no wait, is not asked without end",
  async (peer) => {
    await peer.request();
    await peer.send(`${HEAD}connection: close\r\n\r\nretry: 0\n\n`);
  },
  async ({ client, server }) => {
    await using events = client.events("/");
    await moveOnAfter(1000, () => events.next());
    assert.ok(server.connections > 5 && server.connections <= 11, `${server.connections}`);
  },
);

simulated(
  "a status is judged here, whatever the client raises; a server that says how long it is away is asked then",
  async (peer) => {
    await peer.request();
    await peer.send(
      peer.number === 1
        ? "HTTP/1.1 503 Later\r\nretry-after: 20\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        : `${HEAD}\r\ndata: a\n\n`,
    );
    if (peer.number > 1) await peer.request();
  },
  async ({ server }) => {
    await using client = openHttpClient({ base: server.url, raiseForStatus: true });
    await using events = client.events("/");
    const start = now();
    assert.equal((await events.next()).value?.data, "a");
    assert.ok(now() - start >= 20_000 && now() - start < 26_000, `${now() - start}`);
  },
);

simulated(
  "an abort by its signal is heard while it waits to connect again, and there is nothing afterwards",
  async (peer) => {
    await peer.request();
    await peer.send(`${HEAD}connection: close\r\n\r\ndata: a\n\n`);
  },
  async ({ group, client, server }) => {
    const controller = new AbortController();
    await using events = client.events("/", { signal: controller.signal });
    await events.next();
    const start = now();
    group.startSoon(async () => {
      await sleep(500);
      controller.abort(new Error("enough"));
    });
    await assert.rejects(events.next(), /^Error: enough$/);
    assert.ok(now() - start < 510, `${now() - start}`);
    assert.equal((await events.next()).done, true);
    await sleep(10_000);
    assert.equal(server.connections, 1);
  },
);

simulated(
  "who asks for a moment at a time is connected again all the same",
  async (peer) => {
    await peer.request();
    await peer.send(`${HEAD}connection: close\r\n\r\ndata: ${peer.number}\n\n`);
  },
  async ({ client }) => {
    await using events = client.events("/");
    const seen: (string | undefined)[] = [];
    const start = now();
    while (seen.length < 3 && now() - start < 20_000) {
      const event = await moveOnAfter(100, () => events.next());
      if (event !== undefined) seen.push(event.value?.data);
    }
    assert.deepEqual(seen, ["1", "2", "3"]);
  },
);

void test("client.events: the server's machine crashes, and comes back: it goes on behind the last event", async () => {
  for (const seed of [1, 2, 3]) {
    await simulate({ seed }, async (world) => {
      const machine = world.host("server", { addresses: ["10.0.0.1"] });
      world.names.set("events.test", ["10.0.0.1"]);
      const program = async (): Promise<void> => {
        const handler: Handler = (request) =>
          eventStreamResponse(request, async (events) => {
            for (let next = Number(events.lastEventId ?? 0) + 1; ; next++) {
              await events.send({ id: `${next}`, data: `${next}` });
              await sleep(100);
            }
          });
        await serve(handler, { port: 80, onError: () => {} });
      };
      machine.start(program);
      await sleep(10);
      await using client = openHttpClient();
      await using events = client.events("http://events.test/", { retryMs: 500 });
      const seen: number[] = [];
      while (seen.length < 60) {
        seen.push(Number((await events.next()).value?.data));
        if (seen.length % 20 === 10) machine.crash();
        if (seen.length % 20 === 10) {
          // Nobody listens at first.
          await sleep(3000);
          machine.start(program);
        }
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 60 }, (_, index) => index + 1),
      );
    });
  }
});

simulated(
  "what is no event stream holds no connection, while it waits and afterwards",
  async (peer) => {
    await peer.request();
    const head = peer.number === 1 ? "503 Later" : "200 OK";
    await peer.send(`HTTP/1.1 ${head}\r\ncontent-type: text/html\r\n\r\nhello`);
    await peer.request();
  },
  async ({ client }) => {
    await using events = client.events("/");
    await moveOnAfter(1000, () => events.next());
    assert.equal(client.statistics().connectionsActive, 0);
    await assert.rejects(events.next(), { reason: "content-type" });
    assert.equal(client.statistics().connectionsActive, 0);
  },
);
