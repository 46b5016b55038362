import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { waitAllTasksBlocked } from "../core/idle.ts";
import {
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
  GroupClosedError,
} from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { Event } from "../sync/event.ts";
import { failAfter, moveOnAfter, sleep, sleepForever } from "../sync/timeouts.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { ConnectionFailedError } from "./errors.ts";
import { listenTcp } from "./listen-tcp.ts";
import type { Listener } from "./listener.ts";
import type { SocketStream } from "./socket-stream.ts";

const test = onEveryBackend(runnerTest);

function listen(): Promise<Listener> {
  return listenTcp(0, { host: "127.0.0.1" });
}

function connect(listener: Listener): Promise<SocketStream> {
  return connectTcp("127.0.0.1", listener.port);
}

async function echo(stream: SocketStream): Promise<void> {
  for await (const chunk of stream) await stream.send(chunk);
}

/** Waits until the other side has closed. */
async function end(stream: SocketStream): Promise<void> {
  await assert.rejects(stream.receive(), EndOfStream);
}

/** Waits until `done` says so. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(1);
}

test("Listener.serve: a task for each connection, all at once; the stream is closed when its handler ends", async (group) => {
  using listener = await listen();
  const all = new Event();
  let active = 0;
  group.startSoon(
    () =>
      listener.serve(async function greet(stream) {
        active += 1;
        if (active === 3) all.set();
        await all.wait();
        await stream.send(new Uint8Array([active]));
      }),
    { daemon: true },
  );
  const clients = [await connect(listener), await connect(listener), await connect(listener)];
  for (const client of clients) {
    assert.deepEqual([...(await client.receive())], [3]);
    await end(client);
    client.close();
  }
});

test("Listener.serve: ends when the listener is closed and its handlers have ended; works again after it was cancelled", async (group) => {
  using listener = await listen();
  await moveOnAfter(5, () => listener.serve(echo));
  const serving = group.startSoon(() => listener.serve(echo));
  using client = await connect(listener);
  await client.send(new Uint8Array([5]));
  assert.deepEqual([...(await client.receive())], [5]);
  listener.close();
  await waitAllTasksBlocked();
  assert.equal(serving.status, "pending");
  await client.sendEof();
  await end(client);
  await serving.wait();
  await listener.serve(() => assert.fail("served after the end"));
});

test("Listener.serve: nobody else accepts meanwhile, also while it waits for a handler to end", async (group) => {
  using listener = await listen();
  group.startSoon(() => listener.serve(echo, { maxConnections: 1 }), { daemon: true });
  using client = await connect(listener);
  await client.send(new Uint8Array(1));
  await client.receive();
  await assert.rejects(listener.accept(), BusyResourceError);
  await assert.rejects(listener.serve(echo), BusyResourceError);
});

test("Listener.serve: at most maxConnections are handled at once; the others wait", async (group) => {
  using listener = await listen();
  const gate = new Event();
  let [active, most, done] = [0, 0, 0];
  group.startSoon(
    () =>
      listener.serve(
        async () => {
          active += 1;
          most = Math.max(most, active);
          await gate.wait();
          await sleep(1);
          active -= 1;
          done += 1;
        },
        { maxConnections: 2 },
      ),
    { daemon: true },
  );
  const clients: SocketStream[] = [];
  for (let count = 0; count < 5; count++) clients.push(await connect(listener));
  await until(() => listener.statistics().connectionsWaiting === 3);
  assert.equal(listener.statistics().connectionsHandled, 2);
  gate.set();
  for (const client of clients) await end(client);
  assert.deepEqual([most, done, active], [2, 5, 0]);
  for (const client of clients) client.close();
});

test("Listener.serve: closing the listener ends it also while it waits for a handler to end", async (group) => {
  using listener = await listen();
  await taskGroup(async (handlers) => {
    const serving = group.startSoon(() =>
      listener.serve(() => sleepForever(), { maxConnections: 1, group: handlers }),
    );
    using _client = await connect(listener);
    await until(() => listener.statistics().connectionsHandled === 1);
    listener.close();
    await serving.result();
    handlers.cancel();
  });
});

test("Listener.serve: a shutdown stops accepting and closes the listener; handlers go on until the grace is over", async (group) => {
  using listener = await listen();
  const server = new CancelScope();
  const ends: string[] = [];
  const serving = group.startSoon(() =>
    server.run(() =>
      listener.serve(async (stream) => {
        const [kind] = await stream.receive();
        try {
          if (kind === 1) await sleep(30);
          else await sleepForever();
          ends.push("finished");
        } catch (error) {
          ends.push("cut");
          throw error;
        }
      }),
    ),
  );
  using quick = await connect(listener);
  using slow = await connect(listener);
  await quick.send(new Uint8Array([1]));
  await slow.send(new Uint8Array([2]));
  await until(() => listener.statistics().connectionsHandled === 2);
  server.shutdown({ graceMs: 200 });
  await waitAllTasksBlocked();
  await assert.rejects(connect(listener), ConnectionFailedError);
  assert.deepEqual(ends, []);
  await serving.wait();
  assert.deepEqual(ends, ["finished", "cut"]);
  assert.ok(server.cancelledCaught);
  await end(quick);
  await end(slow);
});

test("Listener.serve: a shutdown while all handlers are busy also stops it", async (group) => {
  using listener = await listen();
  const server = new CancelScope();
  const serving = group.startSoon(() =>
    server.run(() => listener.serve(echo, { maxConnections: 1 })),
  );
  using client = await connect(listener);
  await client.send(new Uint8Array(1));
  await client.receive();
  server.shutdown({ graceMs: 10_000 });
  await client.sendEof();
  await end(client);
  await serving.wait();
  assert.equal(server.cancelledCaught, false);
});

test("Listener.serve: a shutdown without grace closes the listener too", async (group) => {
  for (const maxConnections of [Infinity, 1]) {
    using listener = await listen();
    const server = new CancelScope();
    const serving = group.startSoon(() =>
      server.run(() => listener.serve(() => sleepForever(), { maxConnections })),
    );
    using client = await connect(listener);
    await until(() => listener.statistics().connectionsHandled === 1);
    server.shutdown();
    await serving.wait();
    assert.ok(server.cancelledCaught);
    await end(client);
    await assert.rejects(listener.accept(), ClosedResourceError);
  }
});

test("Listener.serve: cancelled, its handlers have ended, and the listener is open", async () => {
  using listener = await listen();
  let ended = 0;
  await taskGroup(async (group) => {
    const serving = group.startSoon(() =>
      listener.serve(async (stream) => {
        try {
          await stream.receive();
        } finally {
          ended += 1;
        }
      }),
    );
    using client = await connect(listener);
    await until(() => listener.statistics().connectionsHandled === 1);
    serving.cancel();
    await serving.wait();
    assert.deepEqual([ended, listener.statistics().connectionsHandled], [1, 0]);
    await end(client);
    using _second = await connect(listener);
    using _accepted = await listener.accept();
  });
});

test("Listener.serve: with a group, handlers run there and outlive serve", async () => {
  using listener = await listen();
  await taskGroup(async (handlers) => {
    using client = await connect(listener);
    await moveOnAfter(20, () => listener.serve(echo, { group: handlers }));
    await client.send(new Uint8Array([9]));
    assert.deepEqual([...(await client.receive())], [9]);
    client.close();
  });
});

test("Listener.serve: a group that has ended is an error, and the connection is closed", async (group) => {
  using listener = await listen();
  const handlers = await taskGroup((own: TaskGroup) => own);
  const serving = group.startSoon(async () => {
    await assert.rejects(listener.serve(echo, { group: handlers }), GroupClosedError);
  });
  using client = await connect(listener);
  await end(client);
  await serving.wait();
});

test("Listener.serve: wrong arguments are refused", async () => {
  using listener = await listen();
  await assert.rejects(
    listener.serve("no" as never),
    /Listener\.serve: got "no", needs a function/,
  );
  await assert.rejects(listener.serve(echo, { maxConnections: 0 }), /maxConnections.*got 0/);
  for (const group of [null, {}, 3])
    await assert.rejects(
      failAfter(1000, () => listener.serve(echo, { group: group as never })),
      /serve\({ group }\): got .*, needs a TaskGroup/,
    );
  await assert.rejects(listener.serve(echo, { onError: 1 as never }), /onError.*got 1/);
  await assert.rejects(listener.serve(echo, null as never), TypeError);
});
