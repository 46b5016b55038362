import assert from "node:assert/strict";
import { CancelScope, sleep, taskGroup } from "arborio";
import { cancelEverywhere, waitAllTasksBlocked } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { PASSED_OVER_MAX } from "./pool-policy.ts";
import { EMPTY, type FakeConnection, isPoolError, world } from "./pooled.test.kit.ts";

simTest(
  "Pool: the warmest connection comes first, and one is opened only if none is idle",
  async () => {
    const { pool, network } = world();
    const first = await network.take();
    const second = await network.take();
    assert.deepEqual(pool.statistics(), { ...EMPTY, lent: 2 });
    pool.give("a", second);
    pool.give("a", first);
    assert.equal(pool.takeNowait("b"), null);
    assert.equal(pool.takeNowait("a"), first);
    assert.equal(await network.take(), second);
    assert.equal(pool.takeNowait("a"), null);
    assert.equal(network.opened, 2);
    assert.ok(Object.isFrozen(pool.statistics()));
  },
);

simTest(
  "Pool: an idle connection that is dead, or was idle for too long, is closed and not given",
  async () => {
    const { pool, network } = world();
    const connections = [await network.take(), await network.take(), await network.take()] as const;
    for (const connection of connections) pool.give("a", connection);
    connections[2].isReusable = false;
    connections[1].idleUntil = 0;
    assert.equal(pool.takeNowait("a"), connections[0]);
    assert.ok(connections[1].isClosed && connections[2].isClosed);
    assert.deepEqual(pool.statistics(), { ...EMPTY, lent: 1 });
  },
);

simTest(
  "Pool: who waits is served first come, first served, and nobody who comes later overtakes him",
  async () => {
    const { pool, network } = world({ connectionsMax: 1 });
    const served: number[] = [];
    const held = await network.take();
    await taskGroup(async (group) => {
      for (let index = 0; index < 5; index++) {
        group.startSoon(async () => {
          const connection = await network.take();
          served.push(index);
          await sleep(1);
          // Who comes at the very moment has to wait.
          assert.equal(pool.takeNowait("a"), null);
          pool.give("a", connection);
          if (pool.statistics().waiting > 0) assert.equal(pool.takeNowait("a"), null);
        });
        await waitAllTasksBlocked();
      }
      assert.deepEqual(pool.statistics(), { ...EMPTY, lent: 1, waiting: 5 });
      pool.give("a", held);
      assert.equal(pool.takeNowait("a"), null);
    });
    assert.deepEqual(served, [0, 1, 2, 3, 4]);
    assert.equal(network.opened, 1);
    assert.deepEqual(pool.statistics(), { ...EMPTY, idle: 1 });
  },
);

simTest(
  "Pool: a slot is held while a connection is made; if that fails, the next one has it",
  async () => {
    const { pool, network } = world({ originConnectionsMax: 1 });
    network.dialMs = () => 10;
    network.failure = () => (network.open.size === 0 && network.dialing === 0 ? refusal : null);
    const refusal = new Error("refused");
    await taskGroup(async (group) => {
      group.startSoon(() => assert.rejects(network.take(), refusal));
      await waitAllTasksBlocked();
      group.startSoon(() => assert.rejects(network.take(), refusal));
      await waitAllTasksBlocked();
      assert.deepEqual(pool.statistics(), { ...EMPTY, connecting: 1, waiting: 1 });
      await sleep(15);
      assert.deepEqual(pool.statistics(), { ...EMPTY, connecting: 1 });
    });
    assert.deepEqual(pool.statistics(), EMPTY);
  },
);

simTest("Pool: who is cancelled while it connects leaves its slot to the next", async () => {
  const { pool, network } = world({ connectionsMax: 1 });
  network.dialMs = () => 10;
  const scope = new CancelScope();
  await taskGroup(async (group) => {
    group.startSoon(() => scope.run(() => network.take()));
    await waitAllTasksBlocked();
    group.startSoon(async () => assert.equal((await network.take("b")).key, "b"));
    await waitAllTasksBlocked();
    scope.cancel();
  });
  assert.deepEqual(pool.statistics(), { ...EMPTY, lent: 1 });
});

simTest(
  "Pool: an idle connection of another key makes room: the one that has the least time left",
  async () => {
    const { pool, network } = world({ connectionsMax: 3 });
    const connections = [
      await network.take("a"),
      await network.take("b"),
      await network.take("c"),
    ] as const;
    connections.forEach((connection, index) => {
      connection.idleUntil = [5000, 3000, 4000][index] as number;
      pool.give(connection.key, connection);
    });
    await network.take("d");
    assert.deepEqual(
      [...network.open].map(({ key }) => key),
      ["a", "c", "d"],
    );
    assert.deepEqual(pool.statistics(), { ...EMPTY, idle: 2, lent: 1 });
  },
);

simTest("Pool: a connection given back makes room for who waits for another key", async () => {
  const { pool, network } = world({ connectionsMax: 1 });
  const held = await network.take("a");
  await taskGroup(async (group) => {
    group.startSoon(async () => pool.give("b", await network.take("b")));
    await waitAllTasksBlocked();
    pool.give("a", held);
    assert.ok(held.isClosed);
  });
  assert.deepEqual(pool.statistics(), { ...EMPTY, idle: 1 });
});

simTest("Pool: a busy key does not starve another one", async () => {
  const { pool, network } = world({ connectionsMax: 1 });
  let ofBusy = 0;
  const scope = new CancelScope();
  await scope.run(() =>
    taskGroup(async (group) => {
      for (let index = 0; index < 4; index++) {
        group.startSoon(async () => {
          for (;;) {
            const connection = await network.take("busy");
            ofBusy += 1;
            await sleep(1);
            pool.give("busy", connection);
          }
        });
      }
      await waitAllTasksBlocked();
      const before = ofBusy;
      const connection = await network.take("other");
      // What was on its way, and those that pass it over.
      assert.ok(ofBusy - before <= PASSED_OVER_MAX + 2, `${ofBusy - before} overtook`);
      pool.give("other", connection);
      scope.cancel();
    }),
  );
  pool.closeIdle();
  assert.equal(pool.statistics().waiting, 0);
});

simTest(
  "Pool: who needs a fresh connection gets no idle one, and room is made for it",
  async () => {
    const { pool, network } = world({ originConnectionsMax: 2 });
    const connections = [await network.take(), await network.take()] as const;
    for (const connection of connections) pool.give("a", connection);
    const fresh = await network.take("a", { isFresh: true });
    assert.equal(fresh.number, 3);
    assert.ok(connections[0].isClosed && !connections[1].isClosed);
    const warm = await network.take("a");
    assert.equal(warm, connections[1]);
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        assert.equal((await network.take("a", { isFresh: true })).number, 4);
      });
      await waitAllTasksBlocked();
      pool.give("a", warm);
      assert.ok(warm.isClosed);
    });
    assert.deepEqual(pool.statistics(), { ...EMPTY, lent: 2 });
  },
);

simTest("Pool: waitMs limits the wait for a slot, not the connecting", async () => {
  const { pool, network } = world({ connectionsMax: 1 });
  network.dialMs = () => 100;
  const held = await network.take("a", { waitMs: 0 });
  await assert.rejects(network.take("a", { waitMs: 50 }), isPoolError("timeout"));
  await assert.rejects(network.take("b", { waitMs: 0 }), isPoolError("timeout"));
  await taskGroup(async (group) => {
    group.startSoon(async () => assert.equal((await network.take("b", { waitMs: 50 })).key, "b"));
    await sleep(40);
    held.close();
  });
  assert.deepEqual(pool.statistics(), { ...EMPTY, lent: 1 });
});

simTest("Pool: a key that has no connection, and that nobody waits for, is forgotten", async () => {
  const { pool, network } = world({ connectionsMax: 2 });
  for (let number = 0; number < 5; number++) {
    const connection = await network.take(`${number}`);
    pool.give(connection.key, connection);
  }
  assert.equal(pool.size, 2);
  const held = [await network.take("a"), await network.take("b")] as const;
  await assert.rejects(network.take("c", { waitMs: 10 }), isPoolError("timeout"));
  network.failure = () => new Error("refused");
  held[1].close();
  await assert.rejects(network.take("d"), /refused/);
  assert.equal(pool.size, 1);
  held[0].close();
  assert.equal(pool.size, 0);
});

simTest("Pool.give: a connection that cannot be used again leaves its slot", async () => {
  const { pool, network } = world({ connectionsMax: 1 });
  for (const waits of [false, true]) {
    const held = await network.take();
    held.isReusable = false;
    await taskGroup(async (group) => {
      if (waits) group.startSoon(async () => pool.give("a", await network.take()));
      await waitAllTasksBlocked();
      pool.give("a", held);
      assert.ok(held.isClosed);
    });
    assert.deepEqual(pool.statistics(), { ...EMPTY, idle: waits ? 1 : 0 });
  }
  assert.equal(network.opened, 3);
});

simTest(
  "Pool: wake and cancellation, in both orders: what was handed over is not lost",
  async () => {
    for (const order of ["cancel first", "give first"] as const) {
      const { pool, network } = world({ connectionsMax: 1 });
      const held = await network.take();
      const scope = new CancelScope();
      let next: FakeConnection | null = null;
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => network.take()));
        await waitAllTasksBlocked();
        group.startSoon(async () => (next = await network.take()));
        await waitAllTasksBlocked();
        if (order === "cancel first") scope.cancel();
        pool.give("a", held);
        if (order === "give first") scope.cancel();
      });
      assert.ok(scope.cancelledCaught);
      assert.equal(next, held);
      assert.deepEqual([pool.statistics(), network.opened], [{ ...EMPTY, lent: 1 }, 1]);
    }
  },
);

simTest(
  "Pool: a connection that breaks when it was just handed over leaves its slot to who has got it",
  async () => {
    const { pool, network } = world({ connectionsMax: 1 });
    const held = await network.take();
    const got: string[] = [];
    await taskGroup(async (group) => {
      for (const name of ["first", "second"]) {
        group.startSoon(async () => {
          const connection = await network.take();
          got.push(`${name} ${connection.number}`);
          pool.give("a", connection);
        });
        await waitAllTasksBlocked();
      }
      pool.give("a", held);
      held.close();
      assert.deepEqual(pool.statistics(), { ...EMPTY, connecting: 1, waiting: 1 });
    });
    assert.deepEqual(got, ["first 2", "second 2"]);
  },
);

simTest(
  "Pool: cancelled at every checkpoint of waiting, taking over and connecting, nothing is lost",
  async () => {
    for (const gets of ["connection", "slot", "dead connection"] as const) {
      const { rounds } = await cancelEverywhere(async (round) => {
        const { pool, network } = world({ connectionsMax: 1 });
        const held = await network.take();
        round.after(() => {
          for (const connection of network.open) connection.close();
          assert.deepEqual([pool.statistics(), network.dialing], [EMPTY, 0]);
        });
        await taskGroup(async (group) => {
          group.startSoon(async () => {
            const connection = await network.take("a", { waitMs: 1000 });
            await sleep(1);
            pool.give("a", connection);
          });
          group.startSoon(async () => {
            const connection = await network.take("b");
            pool.give("b", connection);
          });
          await sleep(5);
          if (gets === "slot") held.close();
          else pool.give("a", held);
          if (gets === "dead connection") held.close();
        });
      });
      assert.ok(rounds.waiting >= 4 && rounds.woken >= 4, JSON.stringify(rounds));
    }
  },
  [1],
);
