/** Pools that are closed, whatever goes on in them. */
import assert from "node:assert/strict";
import { taskGroup } from "arborio";
import { waitAllTasksBlocked } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { EMPTY, isPoolError, world } from "./pooled.test.kit.ts";

simTest(
  "Pool.close: idle connections are closed, those who wait or connect are refused, what is given back is closed",
  async () => {
    const { pool, network } = world({ connectionsMax: 3, originConnectionsMax: 2 });
    const lent = await network.take("a");
    pool.give("b", await network.take("b"));
    network.dialMs = () => 1000;
    await taskGroup(async (group) => {
      group.startSoon(() => assert.rejects(network.take("a"), isPoolError("closed")));
      await waitAllTasksBlocked();
      group.startSoon(() => assert.rejects(network.take("a"), isPoolError("closed")));
      await waitAllTasksBlocked();
      assert.deepEqual(pool.statistics(), { idle: 1, lent: 1, connecting: 1, waiting: 1 });
      pool.close();
      pool.close();
    });
    assert.deepEqual(pool.statistics(), { ...EMPTY, lent: 1 });
    pool.give("a", lent);
    assert.ok(lent.isClosed);
    await assert.rejects(network.take("a"), isPoolError("closed"));
    assert.equal(pool.takeNowait("a"), null);
    assert.deepEqual([pool.statistics(), network.open.size, network.dialing], [EMPTY, 0, 0]);
  },
);

simTest(
  "Pool.close: who was woken and has not resumed is refused too, and what it got is closed",
  async () => {
    for (const gets of ["connection", "slot"] as const) {
      const { pool, network } = world({ connectionsMax: 1 });
      const held = await network.take();
      await taskGroup(async (group) => {
        group.startSoon(() => assert.rejects(network.take(), isPoolError("closed")));
        await waitAllTasksBlocked();
        if (gets === "connection") pool.give("a", held);
        else held.close();
        pool.close();
      });
      assert.deepEqual([pool.statistics(), network.open.size, network.opened], [EMPTY, 0, 1]);
    }
  },
);

simTest("Pool.close: a connection that comes at that very moment is closed", async () => {
  const { pool, network } = world({ connectionsMax: 1 });
  const opening = network.opening("a");
  const closing = {
    ...opening,
    dial: async () => {
      const dialed = await opening.dial();
      pool.close();
      return dialed;
    },
  };
  const taking = pool.take("a", closing, { isFresh: false, waitMs: Infinity });
  await assert.rejects(taking, isPoolError("closed"));
  assert.deepEqual([pool.statistics(), network.open.size, network.opened], [EMPTY, 0, 1]);
});

simTest("Pool.closeIdle closes what is idle, and nothing else", async () => {
  const { pool, network } = world();
  const lent = await network.take("a");
  for (const key of ["a", "b", "b"]) await network.take(key);
  for (const connection of network.open)
    if (connection !== lent) pool.give(connection.key, connection);
  pool.closeIdle();
  assert.deepEqual([[...network.open], pool.statistics()], [[lent], { ...EMPTY, lent: 1 }]);
});
