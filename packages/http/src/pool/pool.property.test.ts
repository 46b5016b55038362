/** Random takes, gives, cancellations, failures and breaks: no slot is lost, no limit passed, nobody forgotten or overtaken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cancelled, CancelScope, run, sleep, type TaskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { waitAllTasksBlocked } from "arborio/testing";
import fc from "fast-check";
import { Pool } from "./pool.ts";
import { PoolError } from "./pool-error.ts";
import type { PoolLimits } from "./pool-policy.ts";
import { EMPTY, type FakeConnection, FakeNetwork } from "./pooled.test.kit.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# pool.property: seed ${printedSeed}`);

const KEYS = ["a", "b", "c"] as const;

const ACTIONS = [
  ...(["take", "take", "take", "take", "take fresh", "take soon"] as const),
  ...(["give", "give", "give", "give", "cancel", "cancel", "break", "break idle"] as const),
  ...(["close idle", "settle", "settle", "pass time"] as const),
] as const;

interface Command {
  readonly action: (typeof ACTIONS)[number];
  readonly on: number;
  /** How dialing goes. */
  readonly dialMs: number;
  readonly isDialed: boolean;
}

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    action: fc.constantFrom(...ACTIONS),
    on: fc.nat({ max: 50 }),
    dialMs: fc.constantFrom(0, 1, 5, 20),
    isDialed: fc.constantFrom(true, true, true, false),
  }),
  { maxLength: 70, size: "max" },
);

class DialFailure extends Error {}

/** One take, and what became of it. */
class Operation {
  readonly key: string;
  readonly scope: CancelScope = new CancelScope();
  state: "new" | "waiting" | "dialing" | "held" | "over" = "new";
  /** Place in the order in which takes of all keys began. */
  arrival = -1;
  connection: FakeConnection | null = null;

  constructor(key: string) {
    this.key = key;
  }
}

class World {
  readonly limits: PoolLimits;
  readonly pool: Pool<FakeConnection>;
  readonly network: FakeNetwork;
  readonly operations: Operation[] = [];
  readonly #group: TaskGroup;
  #arrivals = 0;
  isClosed = false;

  constructor(limits: PoolLimits, group: TaskGroup) {
    this.limits = limits;
    this.pool = new Pool(limits);
    this.network = new FakeNetwork(this.pool);
    this.#group = group;
  }

  in(state: Operation["state"], key?: string): Operation[] {
    return this.operations.filter(
      (one) => one.state === state && (key === undefined || one.key === key),
    );
  }

  idle(key?: string): FakeConnection[] {
    const held = new Set(this.in("held").map(({ connection }) => connection));
    return [...this.network.open].filter(
      (one) => !held.has(one) && (key === undefined || one.key === key),
    );
  }

  act({ action, on, dialMs, isDialed }: Command): Promise<void> | void {
    const some = <T>(list: readonly T[]): T | undefined => list[on % Math.max(1, list.length)];
    switch (action) {
      case "take":
      case "take fresh":
      case "take soon":
        return this.#take(some(KEYS) as string, action, dialMs, isDialed);
      case "give": {
        const one = some(this.in("held"));
        if (one !== undefined) this.give(one);
        return;
      }
      case "cancel":
        return some(this.operations.filter(({ state }) => state !== "over"))?.scope.cancel();
      case "break": {
        // One that is lent, or was handed over and not taken yet.
        return some([...this.network.open])?.close();
      }
      case "break idle":
        return some(this.idle())?.close();
      case "close idle":
        return this.pool.closeIdle();
      case "settle":
        return this.settle();
      case "pass time":
        return sleep(on % 30);
    }
  }

  give(one: Operation): void {
    const connection = one.connection as FakeConnection;
    one.state = "over";
    one.connection = null;
    if (!connection.isClosed) this.pool.give(one.key, connection);
  }

  #take(key: string, action: string, dialMs: number, isDialed: boolean): void {
    const one = new Operation(key);
    this.operations.push(one);
    const opening = this.network.opening(key);
    const dial = async (): Promise<number> => {
      one.state = "dialing";
      this.#requireLimits(key);
      await sleep(dialMs);
      if (!isDialed) throw new DialFailure("refused");
      return await opening.dial();
    };
    const options = {
      isFresh: action === "take fresh",
      waitMs: action === "take soon" ? 10 : Infinity,
    };
    this.#group.startSoon(async () => {
      try {
        await one.scope.run(async () => {
          one.arrival = this.#arrivals++;
          one.state = "waiting";
          const fresh = this.network.opened;
          one.connection = await this.pool.take(key, { ...opening, dial }, options);
          one.state = "held";
          assert.equal(one.connection.key, key);
          assert.ok(!one.connection.isClosed, "a dead connection was given");
          if (options.isFresh) assert.ok(one.connection.number > fresh, "it is not fresh");
          this.#requireLimits(key);
        });
      } catch (error) {
        const isExpected =
          error instanceof DialFailure ||
          (error instanceof PoolError && (this.isClosed || error.reason === "timeout"));
        if (!isExpected || error instanceof Cancelled) throw error;
      } finally {
        if (one.state !== "held") one.state = "over";
      }
    });
  }

  #requireLimits(key: string): void {
    const { connectionsMax, originConnectionsMax } = this.limits;
    const ofKey = [...this.network.open].filter((one) => one.key === key).length;
    assert.ok(ofKey + this.in("dialing", key).length <= originConnectionsMax, "too many of a key");
    assert.ok(this.network.open.size + this.in("dialing").length <= connectionsMax, "too many");
  }

  /** Lets everything come to rest, and looks whether it is as it should be. */
  async settle(): Promise<void> {
    await waitAllTasksBlocked();
    for (const one of this.in("held")) {
      if (one.connection?.isClosed !== true) continue;
      one.state = "over";
      one.connection = null;
    }
    const idle = this.idle();
    assert.deepEqual(this.pool.statistics(), {
      idle: idle.length,
      lent: this.in("held").length,
      connecting: this.in("dialing").length,
      waiting: this.in("waiting").length,
    });
    const slots = (key?: string): number =>
      this.idle(key).length + this.in("held", key).length + this.in("dialing", key).length;
    for (const key of KEYS) {
      const waiting = this.in("waiting", key);
      if (waiting.length === 0) continue;
      assert.equal(this.idle(key).length, 0, "somebody waits beside an idle connection");
      if (slots(key) < this.limits.originConnectionsMax) {
        assert.equal(idle.length, 0, "somebody waits for what is idle");
        assert.equal(slots(), this.limits.connectionsMax, "somebody waits beside a free slot");
      }
      const served = [...this.in("held", key), ...this.in("dialing", key)];
      const last = Math.max(-1, ...served.map(({ arrival }) => arrival));
      for (const one of waiting) assert.ok(one.arrival > last, "somebody was overtaken");
    }
  }

  /** Gives everything back until nobody has or waits for anything. */
  async finish(): Promise<void> {
    for (let round = 0; ; round++) {
      await sleep(50);
      await this.settle();
      const held = this.in("held");
      // Dials that fail, one after the other, take their time too.
      if (this.operations.every(({ state }) => state === "over")) break;
      assert.ok(round <= this.operations.length, "it does not end");
      for (const one of held) this.give(one);
    }
    this.pool.close();
    assert.deepEqual(
      [this.pool.statistics(), this.pool.size, this.network.open.size],
      [EMPTY, 0, 0],
    );
  }

  /** Closes it in the middle of everything. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.pool.close();
    await waitAllTasksBlocked();
    for (const one of this.in("held")) this.give(one);
    assert.ok(
      this.operations.every(({ state }) => state === "over"),
      "somebody is left",
    );
    assert.deepEqual(
      [this.pool.statistics(), this.pool.size, this.network.open.size],
      [EMPTY, 0, 0],
    );
  }
}

const limits: fc.Arbitrary<PoolLimits> = fc.record({
  connectionsMax: fc.integer({ min: 1, max: 5 }),
  originConnectionsMax: fc.integer({ min: 1, max: 4 }),
});

for (const part of [0, 1, 2, 3]) {
  const title = `Pool: whatever happens in whatever order, nothing is lost, and everything is in order (${part})`;
  void test(title, async () => {
    const property = async (
      most: PoolLimits,
      list: Command[],
      seed: number,
      closes: boolean,
    ): Promise<void> => {
      const main = async (group: TaskGroup): Promise<void> => {
        const world = new World(most, group);
        for (const command of list) await world.act(command);
        if (closes) await world.close();
        else await world.finish();
      };
      await run(main, { signals: [], backend: simulator({ seed }) });
    };
    await fc.assert(fc.asyncProperty(limits, commands, fc.nat(), fc.boolean(), property), {
      seed: printedSeed + part,
      numRuns: 400,
    });
  });
}
