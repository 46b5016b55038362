/** What ends a subscription, and what hostile servers make of the waits of one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { moveOnAfter, now, run, sleep, type TaskGroup, taskGroup } from "arborio";
import { simulate, simulator } from "arborio/sim";
import type { Handler } from "../server/handler.ts";
import { serve } from "../server/open-server.ts";
import { eventStreamResponse } from "../sse/event-stream-response.ts";
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

simulated(
  "a body is sent on each connection: a function makes it again",
  async (peer) => {
    const head = await peer.request();
    const sent = /^content-length: (\d+)|^transfer-encoding: (chunked)/im.exec(head ?? "");
    await peer.send(
      `${HEAD}connection: close\r\n\r\nretry: 10\ndata: ${sent?.[1] ?? sent?.[2]}\n\n`,
    );
  },
  async ({ client }) => {
    const made: number[] = [];
    const body = async (sink: { send(piece: string): Promise<void> }): Promise<void> => {
      made.push(now());
      await sink.send("prompt");
    };
    for (const [one, expected] of [
      ["prompt", "6"],
      [new TextEncoder().encode("four"), "4"],
      [new URLSearchParams("a=1"), "3"],
      [new Blob(["blob!"]), "5"],
      [body, "chunked"],
    ] as const) {
      await using events = client.events("/", { method: "POST", body: one });
      for (let count = 0; count < 2; count++)
        assert.equal((await events.next()).value?.data, expected);
    }
    assert.equal(made.length, 2);
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

void test("client.events: wrong options are refused before anything is sent", async () => {
  await run(async () => {
    await using client = openHttpClient();
    async function* stream(): AsyncGenerator<string> {
      yield "x";
    }
    for (const [options, message] of [
      [{ retryMs: Infinity }, /^RangeError: client\.events\(\{ retryMs \}\): got Infinity/],
      [{ retryMs: "1" }, /^TypeError: client\.events\(\{ retryMs \}\): got "1", needs a number/],
      [{ retryMsMax: NaN }, /^RangeError: .*retryMsMax \}\): got NaN/],
      [{ attemptsMax: 0 }, /^RangeError: .*attemptsMax \}\): got 0, needs at least 1/],
      [{ eventCharactersMax: "9" }, /^RangeError: .*eventCharactersMax \}\): got 9/],
      [{ retry: 1 }, /^TypeError: fetch\(\{ retry \}\): there is no such option/],
      [null, /^TypeError: client\.events\(url, options\): got null, needs an object/],
      [
        { body: stream() },
        /\(\{ body \}\): got \[object AsyncGenerator\], which can be sent only once/,
      ],
      [
        { body: new ReadableStream() },
        /got \[object ReadableStream\], which can be sent only once/,
      ],
    ] as const)
      assert.throws(() => client.events("http://a.test/", options as EventsOptions), message);
  });
});

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
