/** How deadlines are seen; and that looking at them ends when nothing has any, and with the run. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { EndOfStream, now, run, runningTasks, sleep, taskGroup } from "arborio";
import { random } from "arborio/lowlevel";
import { simulate, simulator } from "arborio/sim";
import type { ByteReceiveStream } from "arborio/streams";
import { runHeldUp } from "../connection/held-up-process.test.kit.ts";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { Deadlines } from "./deadlines.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import { failedIn, numberingServer, rawServer } from "./raw-server.test.kit.ts";

/** When a deadline was seen. */
class Seen {
  readonly due: number;
  at: number | null = null;

  constructor(due: number) {
    this.due = due;
  }

  sweep(moment: number): void {
    if (moment >= this.due) this.at ??= now();
  }
}

function sweeps(): number {
  return runningTasks().filter(({ name }) => name === "http client deadlines").length;
}

/** What was warned of meanwhile. */
async function warnings(body: () => Promise<unknown>): Promise<string[]> {
  const { warn } = console;
  const warned: string[] = [];
  console.warn = (message: string) => void warned.push(message);
  try {
    await body();
  } finally {
    console.warn = warn;
  }
  return warned;
}

simTest(
  "Deadlines: a deadline is seen never early, and late by an eighth and a little",
  async () => {
    for (const ms of [20, 200, 1000, 60_000]) {
      const deadlines = new Deadlines(() => assert.fail("nothing is left"));
      deadlines.expect(ms);
      const first = new Seen(Infinity);
      deadlines.add(first);
      for (let count = 0; count < 10; count++) {
        await sleep(random() * 100);
        const start = now();
        const seen = new Seen(deadlines.due(ms));
        deadlines.add(seen);
        await sleep(ms - 0.001);
        assert.equal(seen.at, null, "it is early");
        await sleep(ms / 8 + 12);
        assert.ok(seen.at !== null, `${ms} ms: it is late`);
        assert.ok(seen.at - start <= ms + ms / 8 + 12);
        deadlines.delete(seen);
      }
      deadlines.delete(first);
      await deadlines.close();
    }
  },
);

simTest(
  "Deadlines: one that is shorter than those before is seen in time, though the sleep before it was long",
  async () => {
    const deadlines = new Deadlines(() => assert.fail("nothing is left"));
    deadlines.expect(60_000);
    const first = new Seen(Infinity);
    deadlines.add(first);
    await sleep(500);
    deadlines.expect(160);
    deadlines.look();
    assert.equal(deadlines.isHeldUp, false);
    const seen = new Seen(deadlines.due(160));
    deadlines.add(seen);
    await sleep(159);
    assert.equal(seen.at, null, "it is early");
    await sleep(30);
    assert.notEqual(seen.at, null, "it is late");
    deadlines.delete(first);
    deadlines.delete(seen);
    await deadlines.close();
  },
);

void test("a program that has computed for long has all of its deadlines before it, whatever it waits for", async () => {
  await runHeldUp(({ holdUp }) =>
    taskGroup(async (group) => {
      const server = await rawServer(group, async (peer) => {
        while ((await peer.request()) !== null) {
          await sleep(300);
          await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n1");
          await sleep(300);
          await peer.send("2");
        }
      });
      await using client = openHttpClient({
        base: server.url,
        timeouts: { headMs: 400, bodyMs: 400, idleMs: 60_000 },
      });
      for (let count = 0; count < 2; count++) {
        holdUp(5000);
        using response = await client.fetch("/");
        const reader = response.bodyStream as ByteReceiveStream;
        assert.equal((await reader.receive()).length, 1);
        holdUp(5000);
        assert.equal((await reader.receive()).length, 1);
        await assert.rejects(reader.receive(), EndOfStream);
      }
      assert.equal(client.statistics().connectionsOpened, 1);
      // They end all the same.
      holdUp(5000);
      const start = now();
      await assert.rejects(
        client.request("/", { timeouts: { headMs: 200 } }),
        failedIn("head", "timeout"),
      );
      assert.ok(now() - start >= 200 && now() - start < 250, `${now() - start} ms`);
      group.cancel("all was asked");
    }),
  );
});

void test("a process that was held up reads what has come before it calls anybody late", async () => {
  await runHeldUp(({ holdUp }) =>
    taskGroup(async (group) => {
      const server = await rawServer(group, async (peer) => {
        await peer.request();
        await sleep(300);
        await peer.answer("1");
      });
      await using client = openHttpClient({ base: server.url, timeouts: { headMs: 400 } });
      group.startSoon(async () => {
        await sleep(290);
        holdUp(5000);
      });
      assert.equal((await client.request("/")).text(), "1");
      group.cancel("it was asked");
    }),
  );
});

void test("connections that have ended while the program computed are not used again, without a replay", async () => {
  await runHeldUp(({ holdUp }) =>
    taskGroup(async (group) => {
      const server = await rawServer(group, async (peer) => {
        await peer.request();
        await peer.answer(`${peer.number}`);
        await sleep(50);
        if (peer.number > 1) await peer.request();
      });
      await using client = openHttpClient({ base: server.url });
      assert.equal((await client.request("/")).text(), "1");
      await sleep(49);
      holdUp(5000);
      // Its end is on the way, and nobody has looked.
      const options = { method: "POST", body: "not to be sent twice" };
      assert.equal((await client.request("/", options)).text(), "2");
      const { requestsReplayed, connectionsOpened } = client.statistics();
      assert.deepEqual([requestsReplayed, connectionsOpened], [0, 2]);
      group.cancel("all was asked");
    }),
  );
});

void test("connections that are not kept at all need no frequent looks", async () => {
  await runHeldUp(({ timers }) =>
    taskGroup(async (group) => {
      const server = await rawServer(group, async (peer) => {
        await peer.request();
        await sleep(10_000);
        await peer.answer("1");
      });
      await using client = openHttpClient({ base: server.url, timeouts: { idleMs: 0 } });
      const before = timers();
      assert.equal((await client.request("/")).text(), "1");
      assert.ok(timers() - before < 100, `${timers() - before} timers in ten seconds`);
      assert.equal(client.statistics().connectionsOpen, 0);
      group.cancel("it was asked");
    }),
  );
});

simTest(
  "Deadlines: nothing runs while nothing has deadlines, and what is added at the last moment is seen",
  async () => {
    const deadlines = new Deadlines(() => assert.fail("nothing is left"));
    deadlines.expect(160);
    assert.equal(sweeps(), 0);
    for (let count = 0; count < 5; count++) {
      let next: Seen | null = null;
      const addSoon = async (): Promise<void> => {
        await Promise.resolve();
        next = new Seen(deadlines.due(160));
        deadlines.add(next);
      };
      const last = {
        sweep() {
          deadlines.delete(last);
          // When the sweep is about to end.
          void addSoon();
        },
      };
      deadlines.add(last);
      deadlines.look();
      assert.equal(deadlines.isHeldUp, false);
      await sleep(10);
      assert.equal(sweeps(), 1);
      await sleep(300);
      assert.notEqual((next as Seen | null)?.at ?? null, null);
      deadlines.delete(next as unknown as Seen);
      await sleep(500);
      assert.equal(sweeps(), 0);
    }
    await deadlines.close();
  },
);

simTest("a client leaves no task and no timer when it is closed", async (group) => {
  const server = await numberingServer(group);
  {
    await using client = openHttpClient({ base: server.url });
    await client.request("/");
    assert.equal(sweeps(), 1);
  }
  assert.equal(sweeps(), 0);
});

for (const seed of [1, 2, 3]) {
  void test(`a client that nobody has closed ends with its run, which says so [simulator, seed ${seed}]`, async () => {
    const warned = await warnings(() =>
      simulate({ seed }, async (world) => {
        const host = world.host("server.test");
        const server = await host.run(() =>
          openServer(() => new HttpResponse("hello"), { port: 80 }),
        );
        let left: HttpClient | null = null;
        // The run ends for each host on its own; this one's ends first.
        await taskGroup(async () => {
          left = openHttpClient({ base: "http://server.test/" });
          await left.request("/");
        });
        assert.equal(server.statistics().connectionsOpen, 1);
        assert.equal((left as HttpClient | null)?.statistics().connectionsIdle, 1);
      }),
    );
    assert.equal(warned.length, 1);
    assert.match(
      warned[0] as string,
      /was not closed .* \(1\) .* await using client = openHttpClient/,
    );
  });
}

void test("a client that nobody has closed ends with its run: the server sees its end [host]", async () => {
  const ended = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    socket.on("close", () => ended.resolve());
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  let client: HttpClient | null = null;
  const warned = await warnings(() =>
    run(async () => {
      client = openHttpClient({ base: `http://127.0.0.1:${port}/` });
      await client.request("/");
    }),
  );
  await ended.promise;
  assert.equal(warned.length, 1);
  assert.equal((client as HttpClient | null)?.statistics().connectionsOpen, 0);
  await new Promise((resolve) => server.close(resolve));
});

void test("a client with no connection open is not missed when its run ends", async () => {
  const warned = await warnings(() =>
    simulate({ seed: 1 }, async () => {
      await using server = await openServer(() => new HttpResponse("hello"), { port: 0 });
      const client = openHttpClient({ base: server.url });
      await client.request("/");
      client.closeIdleConnections();
    }),
  );
  assert.deepEqual(warned, []);
});

void test("a client that is used in several runs, one after the other, has deadlines in each", async () => {
  const warned = await warnings(async () => {
    const client = openHttpClient({ timeouts: { headMs: 100 } });
    for (const seed of [1, 2]) {
      await run(
        async () => {
          await using server = await openServer(
            () => sleep(10_000).then(() => new HttpResponse("")),
            {
              port: 0,
              graceMs: 0,
            },
          );
          const start = now();
          await assert.rejects(client.request(server.url), failedIn("head", "timeout"));
          assert.ok(now() - start < 150);
          await assert.rejects(client.request(server.url), RequestFailedError);
        },
        { signals: [], backend: simulator({ seed }) },
      );
    }
  });
  assert.deepEqual(warned, []);
});
