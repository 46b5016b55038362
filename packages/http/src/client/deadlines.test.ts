/** How deadlines are seen; and that looking at them ends when nothing has any, and with the run. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { now, run, runningTasks, sleep, taskGroup } from "arborio";
import { random } from "arborio/lowlevel";
import { simulate, simulator } from "arborio/sim";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { Deadlines } from "./deadlines.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import { failedIn, numberingServer } from "./raw-server.test.kit.ts";

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
    await sleep(100);
    deadlines.expect(160);
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
      await sleep(10);
      assert.equal(sweeps(), 1);
      await sleep(300);
      assert.notEqual((next as Seen | null)?.at ?? null, null);
      deadlines.delete(next as unknown as Seen);
      await sleep(20);
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
