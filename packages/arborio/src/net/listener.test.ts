import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { BusyResourceError, ClosedResourceError, SystemError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import { sleep } from "../sync/timeouts.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { FakeNetwork, fakeError } from "./fake-network.test.kit.ts";
import { listenTcp } from "./listen-tcp.ts";
import type { Listener } from "./listener.ts";
import type { SocketStream } from "./socket-stream.ts";

const test = onEveryBackend(runnerTest);
const scripted = {
  skip: { backend: "host", reason: "the network is a script in virtual time" },
} as const;

/** A listener on a network where connections come when the test says so. */
async function listenOnFake(backlog = 10): Promise<{ network: FakeNetwork; listener: Listener }> {
  const network = new FakeNetwork({ listen: () => 7 });
  setBackend(ambientScope(), { ...currentBackend(), network });
  return { network, listener: await listenTcp(0, { backlog }) };
}

function nameOf(stream: SocketStream): string {
  return (stream.wire as unknown as { name: string }).name;
}

test("Listener.accept: connections in the order in which they came, also those that waited", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  for (let round = 0; round < 3; round++) {
    using client = await connectTcp("127.0.0.1", listener.port);
    using accepted = await assertCheckpoints(() => listener.accept());
    assert.deepEqual(accepted.remoteAddress, client.localAddress);
  }
  const accepting = listener.accept();
  await waitAllTasksBlocked();
  assert.equal(listener.statistics().tasksWaitingAccept, 1);
  using _client = await connectTcp("127.0.0.1", listener.port);
  using _accepted = await accepting;
});

test("Listener.accept: one task at a time", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const accepting = group.startSoon(() => listener.accept());
  await waitAllTasksBlocked();
  await assert.rejects(listener.accept(), BusyResourceError);
  await assert.rejects(
    listener.serve(() => {}),
    BusyResourceError,
  );
  accepting.cancel();
  using _client = await connectTcp("127.0.0.1", listener.port);
  using _accepted = await listener.accept();
});

test("Listener.close: a task that waits in accept gets ClosedResourceError, and so does whoever accepts later", async (group) => {
  const listener = await listenTcp(0, { host: "127.0.0.1" });
  group.startSoon(async () => {
    await sleep(1);
    listener.close();
    listener.close();
  });
  await assert.rejects(listener.accept(), ClosedResourceError);
  await assert.rejects(listener.accept(), ClosedResourceError);
  assert.equal(listener.statistics().tasksWaitingAccept, 0);
});

test("Listener: for await accepts until it is closed; leaving early closes nothing", async (group) => {
  const listener = await listenTcp(0, { host: "127.0.0.1" });
  using first = await connectTcp("127.0.0.1", listener.port);
  for await (const stream of listener) {
    stream.close();
    break;
  }
  await assert.rejects(first.receive());
  group.startSoon(async () => {
    using _second = await connectTcp("127.0.0.1", listener.port);
    await sleep(5);
    listener.close();
  });
  let count = 0;
  for await (const stream of listener) {
    stream.close();
    count += 1;
  }
  for await (const _stream of listener) assert.fail("a connection after the end");
  assert.equal(count, 1);
});

test("Listener: using closes it; its addresses are known also after that", async () => {
  let port: number;
  let closed: Listener;
  {
    using listener = await listenTcp(0, { host: "127.0.0.1" });
    port = listener.port;
    closed = listener;
  }
  assert.deepEqual(closed.addresses, [{ host: "127.0.0.1", port }]);
  assert.equal(closed.port, port);
  await assert.rejects(connectTcp("127.0.0.1", port));
  {
    await using listener = await listenTcp(0, { host: "127.0.0.1" });
    port = listener.port;
  }
  await assert.rejects(connectTcp("127.0.0.1", port));
});

test(
  "Listener: connections beyond the backlog are reset, and so are those that wait when it is closed",
  async () => {
    const { network, listener } = await listenOnFake(2);
    for (const name of ["a", "b", "c"]) network.arrive(name);
    assert.deepEqual(listener.statistics(), {
      tasksWaitingAccept: 0,
      connectionsWaiting: 2,
      connectionsHandled: 0,
      connectionsRefused: 1,
      connectionsBroken: 0,
    });
    assert.equal(nameOf(await listener.accept()), "a");
    listener.close();
    network.arrive("d");
    const closed = network.log.filter((line) => /reset|close/.test(line));
    assert.deepEqual(
      closed.map((line) => line.split(" ").slice(1).join(" ")),
      ["reset c", "reset b", "reset d"],
    );
    assert.deepEqual([...network.open], ["wire a"]);
    assert.ok(Object.isFrozen(listener.statistics()));
  },
  scripted,
);

test(
  "Listener: a connection that waits is not read",
  async () => {
    const { network, listener } = await listenOnFake();
    const wire = network.arrive("a");
    assert.equal(wire.receiver, null);
    using _stream = await listener.accept();
    assert.notEqual(wire.receiver, null);
    listener.close();
  },
  scripted,
);

test(
  "Listener.accept: errors of accepting are thrown, and the listener stays open",
  async () => {
    const { network, listener } = await listenOnFake();
    const isMfile = (error: unknown): boolean =>
      error instanceof SystemError && error.systemCode === "EMFILE";
    for (let count = 0; count < 100; count++)
      network.acceptor?.failed(fakeError("accept", "EMFILE"));
    for (let count = 0; count < 16; count++) await assert.rejects(listener.accept(), isMfile);
    const accepting = listener.accept();
    network.acceptor?.failed(fakeError("accept", "EMFILE"));
    await assert.rejects(accepting, isMfile);
    network.arrive("a");
    assert.equal(nameOf(await listener.accept()), "a");
  },
  scripted,
);

test(
  "Listener.accept: cancelled at every checkpoint, no connection is lost",
  async () => {
    const sweep = await cancelEverywhere(async (round) => {
      const { network, listener } = await listenOnFake();
      const accepted: string[] = [];
      round.after(() => {
        assert.equal(listener.statistics().tasksWaitingAccept, 0);
        const open = [...network.open].filter((name) => name.startsWith("wire")).length;
        assert.equal(accepted.length + listener.statistics().connectionsWaiting, open);
        listener.close();
        assert.equal([...network.open].length, accepted.length);
      });
      network.arrive("early");
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          for (const name of ["a", "b"]) {
            await sleep(1);
            network.arrive(name);
          }
        });
        while (accepted.length < 3) accepted.push(nameOf(await listener.accept()));
      });
    });
    assert.ok(sweep.rounds.woken > 0);
  },
  scripted,
);

test(
  "Listener.accept: a connection that comes in the moment of cancellation goes to the next who accepts, or to the flow that had it",
  async () => {
    const { network, listener } = await listenOnFake();
    const first = new CancelScope();
    let got: SocketStream | undefined;
    const cancelFirst = first.run(async () => {
      got = await listener.accept();
    });
    first.cancel();
    network.arrive("a");
    await cancelFirst;
    assert.equal(got, undefined);
    assert.equal(nameOf(await listener.accept()), "a");
    const second = new CancelScope();
    const wakeFirst = second.run(async () => {
      got = await listener.accept();
    });
    network.arrive("b");
    second.cancel();
    await wakeFirst;
    assert.equal(got === undefined ? "lost" : nameOf(got), "b");
    listener.close();
  },
  scripted,
);

test("Listener.accept: cancelled at every checkpoint, over sockets", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  await cancelEverywhere(async () => {
    using _client = await connectTcp("127.0.0.1", listener.port);
    using _accepted = await listener.accept();
  });
});
