/** What ends a subscription, and what hostile servers make of the waits of one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { moveOnAfter, now, run, sleep, type TaskGroup, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import type { EventSubscription, EventsOptions } from "./event-subscription.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import {
  assertNothingOpen,
  type RawPeer,
  rawServer,
  type RawServer,
} from "./raw-server.test.kit.ts";

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

interface Scene {
  readonly group: TaskGroup;
  readonly server: RawServer;
  readonly client: HttpClient;
}

/** A server of these bytes, in virtual time. Nothing of it is left. */
function simulated(
  title: string,
  serve: (peer: RawPeer) => Promise<void>,
  body: (scene: Scene) => Promise<void>,
): void {
  for (const seed of [1, 2, 3]) {
    void test(`client.events: ${title} [seed ${seed}]`, async () => {
      const main = (): Promise<void> =>
        taskGroup(async (group) => {
          const server = await rawServer(group, serve);
          const client = openHttpClient({ base: server.url });
          await body({ group, server, client });
          await sleep(10);
          assert.equal(client.statistics().connectionsActive, 0);
          await client[Symbol.asyncDispose]();
          assertNothingOpen(client.statistics());
          group.cancel("it is over");
        });
      await run(main, { signals: [], backend: simulator({ seed }) });
    });
  }
}

/** Closes it while somebody waits for its next event. @returns after how many milliseconds he was told that there is none. */
async function closedMeanwhile(group: TaskGroup, events: EventSubscription): Promise<number> {
  const start = now();
  let hasEnded: boolean | undefined;
  const waiting = group.startSoon(async () => {
    hasEnded = (await events.next()).done;
  });
  await sleep(100);
  events.close();
  await waiting.wait();
  assert.equal(hasEnded, true);
  return now() - start;
}

simulated(
  "closed while it waits to connect again: it does not",
  async (peer) => {
    await peer.request();
    await peer.send(`${HEAD}connection: close\r\n\r\ndata: a\n\n`);
  },
  async ({ group, client, server }) => {
    const events = client.events("/");
    await events.next();
    assert.ok((await closedMeanwhile(group, events)) < 200);
    await sleep(10_000);
    assert.equal(server.connections, 1);
  },
);

simulated(
  "closed while it connects: the response is not waited for",
  async (peer) => {
    await peer.request();
    await sleep(1000);
    await peer.send(`${HEAD}\r\ndata: a\n\n`);
    await peer.request();
  },
  async ({ group, client }) => {
    assert.ok((await closedMeanwhile(group, client.events("/"))) < 200);
  },
);

simulated(
  "closed while an event is waited for: there is none",
  async (peer) => {
    await peer.request();
    await peer.send(`${HEAD}\r\n`);
    await peer.request();
  },
  async ({ group, client }) => {
    assert.ok((await closedMeanwhile(group, client.events("/"))) < 200);
  },
);

simulated(
  "who gives up waiting for a connection tells nothing of the server: no attempt is counted, none put off",
  async (peer) => {
    await peer.request();
    await sleep(1000);
    await peer.send(`${HEAD}\r\ndata: a\n\n`);
    await peer.request();
  },
  async ({ client }) => {
    await using events = client.events("/", { attemptsMax: 2 });
    for (let count = 0; count < 5; count++)
      assert.equal(await moveOnAfter(500, () => events.next()), undefined);
    const start = now();
    assert.equal((await events.next()).value?.data, "a");
    assert.ok(now() - start < 1500, `${now() - start}`);
  },
);

simulated(
  "an id that no field can have is not sent back, and ends nothing",
  async (peer) => {
    const head = await peer.request();
    const asked = /last-event-id: (.*)/.exec(head ?? "")?.[1] ?? "nothing";
    const id = peer.number === 1 ? "a\u0001b" : "c";
    await peer.send(`${HEAD}connection: close\r\n\r\nid: ${id}\ndata: ${asked}\n\n`);
  },
  async ({ client }) => {
    await using events = client.events("/");
    const seen: (string | undefined)[] = [];
    for (let count = 0; count < 3; count++) seen.push((await events.next()).value?.data);
    assert.deepEqual(seen, ["nothing", "nothing", "c"]);
  },
);

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

void test("client.events: an id to begin with that cannot be sent is refused", async () => {
  await run(async () => {
    await using client = openHttpClient();
    for (const lastEventId of ["a\nb", "\0", 1 as unknown as string]) {
      const options: EventsOptions = { lastEventId };
      assert.throws(() => client.events("http://a.test/", options), {
        name: "TypeError",
        message: /lastEventId.*needs text without control characters/,
      });
    }
  });
});
