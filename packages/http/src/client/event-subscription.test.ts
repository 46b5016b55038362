/** What ends a subscription, whoever asks, and what it sends. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { moveOnAfter, now, run, sleep, type TaskGroup, taskGroup } from "arborio";
import type { ClientTrace } from "./client-trace.ts";
import type { EventSubscription, EventsOptions } from "./event-subscription.ts";
import { HEAD, simulated } from "./event-subscription.test.kit.ts";
import { openHttpClient } from "./http-client.ts";

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
  "asks for an event stream that nobody has kept, unless told otherwise",
  async (peer) => {
    const head = (await peer.request()) ?? "";
    const [, accept] = /^accept: (.*)/im.exec(head) ?? [];
    const [, control] = /^cache-control: (.*)/im.exec(head) ?? [];
    await peer.send(`${HEAD}connection: close\r\n\r\ndata: ${accept}, ${control}\n\n`);
  },
  async ({ client }) => {
    for (const [headers, expected] of [
      [{}, "text/event-stream, no-store"],
      [{ Accept: "text/x", "cache-control": null }, "text/x, undefined"],
    ] as const) {
      await using events = client.events("/", { headers });
      assert.equal((await events.next()).value?.data, expected);
    }
  },
);

simulated(
  "a stream may be silent for long, unless told otherwise; then it goes on behind the last event",
  async (peer) => {
    const head = (await peer.request()) ?? "";
    const [, id = "0"] = /^last-event-id: (.*)/im.exec(head) ?? [];
    const next = `id: ${Number(id) + 1}\ndata: ${peer.number}\n\n`;
    await peer.send(`${HEAD}\r\nretry: 10\n\n${next}`);
    await sleep(300_000);
    await peer.send(`id: ${Number(id) + 2}\ndata: late\n\n`);
    await peer.request();
  },
  async ({ client }) => {
    const two = async (options: EventsOptions): Promise<unknown[]> => {
      await using events = client.events("/", options);
      const seen = [await events.next(), await events.next()];
      return seen.map(({ value }) => [value?.data, value?.lastEventId]);
    };
    assert.deepEqual(await two({}), [
      ["1", "1"],
      ["late", "2"],
    ]);
    assert.deepEqual(await two({ timeouts: { bodyMs: 1000 } }), [
      ["2", "1"],
      ["3", "2"],
    ]);
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
  "whoever asks: not one of the tasks that have had an event has to live on",
  async (peer) => {
    await peer.request();
    await peer.send(`${HEAD}\r\n`);
    for (let count = 1; count <= 6; count++) {
      await peer.send(`data: ${peer.number}.${count}\n\n`);
      await sleep(100);
    }
  },
  async ({ client, server }) => {
    const trace: ClientTrace = { requestEnd: (_, { outcome }) => void ends.push(outcome) };
    const ends: string[] = [];
    await using traced = openHttpClient({ base: server.url, trace });
    for (const one of [client, traced]) {
      await using events = one.events("/");
      const seen: (string | undefined)[] = [];
      for (let count = 0; count < 5; count++) {
        const event = await taskGroup((group) => group.startSoon(() => events.next()).result());
        seen.push(event.value?.data);
      }
      const numbers = [1, 2, 3, 4, 5].map((count) => `${server.connections}.${count}`);
      assert.deepEqual(seen, numbers);
      assert.deepEqual(ends, []);
    }
  },
);

simulated(
  "when the task ends that has opened it, nothing is left of it",
  async (peer) => {
    await peer.request();
    await peer.send(`${HEAD}\r\ndata: a\n\n`);
    await peer.request();
  },
  async ({ group, client }) => {
    const warn = mock.method(console, "warn", () => {});
    try {
      const forgetful = async (isClosed: boolean): Promise<EventSubscription> => {
        const events = client.events("/");
        await events.next();
        if (isClosed) events.close();
        return events;
      };
      await group.startSoon(() => forgetful(true)).result();
      assert.equal(warn.mock.calls.length, 0);
      const events = await group.startSoon(() => forgetful(false)).result();
      assert.equal(client.statistics().connectionsActive, 0);
      assert.equal(warn.mock.calls.length, 1);
      assert.match(
        String(warn.mock.calls[0]?.arguments[0]),
        /^client\.events: the task that opened/,
      );
      assert.equal((await events.next()).done, true);
    } finally {
      warn.mock.restore();
    }
  },
);

simulated(
  "redirects are followed, each time from the URL that was asked for, with the id",
  async (peer) => {
    for (let head = await peer.request(); head !== null; head = await peer.request()) {
      const [, path = ""] = / (\S+) /.exec(head) ?? [];
      const [, id = ""] = /^last-event-id: (.*)/im.exec(head) ?? [];
      if (path === "/") {
        await peer.send("HTTP/1.1 307 There\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n");
      } else {
        const body = `id: ${peer.number}\ndata: ${path} ${id}\n\n`;
        return await peer.send(`${HEAD}connection: close\r\n\r\n${body}`);
      }
    }
  },
  async ({ client }) => {
    await using events = client.events("/");
    const seen: (string | undefined)[] = [];
    for (let count = 0; count < 3; count++) seen.push((await events.next()).value?.data);
    assert.deepEqual(seen, ["/there ", "/there 1", "/there 2"]);
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
