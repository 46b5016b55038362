/** Shutting a server down: no request that was accepted is lost, everybody is told, and it ends in bounded time. */
import assert from "node:assert/strict";
import {
  Cancelled,
  CancelScope,
  moveOnAfter,
  now,
  sleep,
  sleepForever,
  taskGroup,
  type TaskGroup,
} from "arborio";
import { connectTcp, listenTcp } from "arborio/net";
import { fieldsOf, get, RawClient, simTest } from "../connection/raw-client.test.kit.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openServer, serve } from "./open-server.ts";
import type { Handler } from "./handler.ts";
import type { Server } from "./server.ts";

const LOCAL = { port: 80, host: "127.0.0.1" } as const;

const slow: Handler = async () => {
  await sleep(1000);
  return new HttpResponse("done");
};

async function connected(): Promise<RawClient> {
  return new RawClient(await connectTcp("127.0.0.1", 80));
}

simTest("Server.close: lets what goes on finish and says so, then takes nothing", async () => {
  const server = await openServer(slow, LOCAL);
  const busy = await connected();
  await busy.send(get());
  const before = now();
  await sleep(100);
  await taskGroup(async (group) => {
    group.startSoon(() => server.close());
    const { head, body } = await busy.response();
    assert.equal(body, "done");
    assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
    busy.stream.close();
  });
  assert.ok(now() - before < 1600, `${now() - before} ms`);
  await assert.rejects(connectTcp("127.0.0.1", 80));
});

simTest(
  "Server.close: idle connections end soon, and a request that was on its way is answered",
  async () => {
    const server = await openServer(() => new HttpResponse("hello"), LOCAL);
    const [idle, late, fresh] = [await connected(), await connected(), await connected()];
    for (const one of [idle, late]) {
      await one.send(get());
      await one.response();
    }
    const before = now();
    await taskGroup(async (group) => {
      group.startSoon(() => server.close());
      group.startSoon(async () => {
        assert.equal(await idle.end(), "end");
        assert.ok(now() - before < 700, `${now() - before} ms`);
      });
      for (const one of [late, fresh]) {
        group.startSoon(async () => {
          await sleep(200);
          await one.send(get());
          const { head, body } = await one.response();
          assert.equal(body, "hello");
          assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
          one.stream.close();
        });
      }
    });
    assert.ok(now() - before < 1000, `${now() - before} ms`);
  },
);

simTest(
  "Server.close: what is not done after the grace is cancelled, its cleanup waited for, and the client told 503",
  async () => {
    let cleaned = 0;
    const seen: unknown[] = [];
    const server = await openServer(async () => {
      try {
        return await sleepForever();
      } catch (error) {
        seen.push(error);
        throw error;
      } finally {
        cleaned = now();
      }
    }, LOCAL);
    const raw = await connected();
    await raw.send(get());
    await sleep(10);
    const before = now();
    await server.close({ graceMs: 1000 });
    assert.ok(seen[0] instanceof Cancelled);
    assert.ok(cleaned - before >= 1000 && now() - before < 1100);
    const { head } = await raw.response();
    assert.equal(head.status, 503);
    assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
  },
);

simTest("Server.close: a body that is cut is no whole body for the client", async () => {
  const server = await openServer(
    () =>
      new HttpResponse(async (sink) => {
        await sink.send("some");
        await sleepForever();
      }),
    LOCAL,
  );
  const raw = await connected();
  await raw.send(get());
  assert.equal((await raw.head()).status, 200);
  assert.equal(await raw.piece(), "some");
  await server.close({ graceMs: 100 });
  assert.equal((await raw.rest())[1], "reset");
});

simTest(
  "Server.close: cancelled, it cancels what goes on, waits for it, and does not throw",
  async () => {
    let running = 0;
    const server = await openServer(async () => {
      running += 1;
      try {
        return await sleepForever();
      } finally {
        running -= 1;
      }
    }, LOCAL);
    const raw = await connected();
    await raw.send(get());
    await sleep(10);
    const before = now();
    await moveOnAfter(100, async () => {
      await server.close({ graceMs: 60_000 });
      assert.equal(running, 0);
    });
    assert.ok(now() - before < 200);
  },
);

simTest("Server.close: again with less grace, by two at once, and when all has ended", async () => {
  const server = await openServer(() => sleepForever(), LOCAL);
  const raw = await connected();
  await raw.send(get());
  await sleep(10);
  const before = now();
  await taskGroup(async (group) => {
    group.startSoon(() => server.close({ graceMs: 60_000 }));
    await sleep(100);
    await server.close({ graceMs: 100 });
  });
  assert.ok(now() - before < 300);
  await server.close();
  await server.ended();
});

simTest(
  "a pipeline at a shutdown: what was read is answered in order, and the end is told",
  async () => {
    let handled = 0;
    const server = await openServer(async () => {
      await sleep(100);
      return new HttpResponse(`${(handled += 1)}`);
    }, LOCAL);
    const raw = await connected();
    await raw.send(get().repeat(5));
    await sleep(150);
    await taskGroup(async (group) => {
      group.startSoon(() => server.close());
      assert.equal((await raw.response()).body, "1");
      const { head, body } = await raw.response();
      assert.equal(body, "2");
      assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
      raw.stream.close();
    });
    assert.equal(handled, 2);
  },
);

simTest(
  "connections that came before the shutdown, and that nobody had accepted, are served",
  async () => {
    const server = await openServer(() => new HttpResponse("hello"), {
      ...LOCAL,
      limits: { connectionsMax: 1 },
    });
    const first = await connected();
    const second = await connected();
    await second.send(get());
    await sleep(10);
    await taskGroup(async (group) => {
      group.startSoon(() => server.close());
      await sleep(1);
      first.stream.close();
      assert.equal((await second.response()).body, "hello");
      second.stream.close();
    });
  },
);

simTest(
  "serve: a shutdown of the scope around is one of the server; without grace all is cancelled",
  async () => {
    for (const graceMs of [10_000, 0]) {
      const scope = new CancelScope();
      const log: string[] = [];
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => serve(slow, LOCAL)));
        await sleep(1);
        const raw = await connected();
        await raw.send(get());
        await sleep(100);
        scope.shutdown({ graceMs });
        try {
          log.push((await raw.response()).head.status.toString());
        } catch {
          log.push("none");
        }
        raw.stream.close();
      });
      assert.deepEqual(log, [graceMs === 0 ? "503" : "200"]);
      assert.equal(scope.cancelledCaught, graceMs === 0);
    }
  },
);

simTest("serve({ graceMs }): no more than the server's own grace, if that is less", async () => {
  const scope = new CancelScope();
  const before = now();
  await taskGroup(async (group) => {
    group.startSoon(() => scope.run(() => serve(() => sleepForever(), { ...LOCAL, graceMs: 500 })));
    await sleep(1);
    const raw = await connected();
    await raw.send(get());
    await sleep(10);
    scope.shutdown({ graceMs: 60_000 });
    assert.equal((await raw.response()).head.status, 503);
  });
  assert.ok(now() - before < 1000);
});

simTest(
  "Server.ended: a shutdown of the scope around shuts down a server that was opened beside main",
  async () => {
    const scope = new CancelScope();
    let server: Server | undefined;
    await taskGroup(async (group) => {
      group.startSoon(() =>
        scope.run(async () => {
          server = await openServer(slow, LOCAL);
          await server.ended();
        }),
      );
      await sleep(1);
      const raw = await connected();
      await raw.send(get());
      await sleep(100);
      scope.shutdown({ graceMs: 10_000 });
      assert.equal((await raw.response()).body, "done");
      raw.stream.close();
    });
    assert.equal(scope.cancelledCaught, false);
    assert.equal(server?.statistics().connectionsOpen, 0);
  },
);

simTest("openServer({ group }): ends with its group, by shutdown and by cancellation", async () => {
  for (const graceMs of [10_000, 0]) {
    let statuses: number[] = [];
    const scope = new CancelScope();
    await scope.run(() =>
      taskGroup(async (group: TaskGroup) => {
        await openServer(slow, { ...LOCAL, group });
        const raw = await connected();
        await raw.send(get());
        await sleep(100);
        scope.shutdown({ graceMs });
        if (graceMs === 0) return;
        statuses = [(await raw.response()).head.status];
        raw.stream.close();
      }),
    );
    assert.deepEqual(statuses, graceMs === 0 ? [] : [200]);
    await assert.rejects(connectTcp("127.0.0.1", 80));
  }
});

simTest("a listener that its owner closes: the server ends as by a shutdown", async () => {
  const listener = await listenTcp(80, { host: "127.0.0.1" });
  const server = await openServer(slow, { listener });
  const [idle, busy] = [await connected(), await connected()];
  await busy.send(get());
  await sleep(100);
  const before = now();
  listener.close();
  assert.equal(await idle.end(), "end");
  assert.equal((await busy.response()).body, "done");
  busy.stream.close();
  await server.ended();
  assert.ok(now() - before < 1500);
});
