import assert from "node:assert/strict";
import { test } from "node:test";
import {
  abandonOnCancel,
  CancelScope,
  checkpoint,
  DeadlockError,
  Lock,
  moveOnAfter,
  now,
  run,
  sleep,
  sleepForever,
  type TaskGroup,
  taskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import { simulator, type SimulatorOptions } from "../sim.ts";

/** In which order nine tasks start, go on after a checkpoint, and wake from equal sleeps. */
async function orderOf(options: SimulatorOptions): Promise<string> {
  const log: string[] = [];
  await run(
    (group) => {
      for (const name of "abcdefghi")
        group.startSoon(async () => {
          log.push(name);
          await checkpoint();
          log.push(name.toUpperCase());
          await sleep(1);
          log.push(name);
        });
    },
    { backend: simulator(options), signals: [] },
  );
  return log.join("");
}

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  const [outcome] = await Promise.allSettled([promise]);
  return (outcome as PromiseRejectedResult).reason as Error;
}

test("simulator: a seed gives one order, the same on every runtime", async () => {
  assert.equal(await orderOf({ seed: 1 }), "baAicehHdEDgBGCIfFgefcidbha");
  assert.equal(await orderOf({ seed: 42 }), "gGcCafihHFIbeEdADBciabhfdeg");
  assert.equal(await orderOf({ seed: 2 ** 40 + 7 }), "igaGhfceEIbABCHFdDecfdbghia");
});

test("simulator: the same again with the same seed, and different with another", async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const order = await orderOf({ seed });
    assert.equal(await orderOf({ seed }), order);
    orders.add(order);
  }
  assert.equal(orders.size, 20);
});

test('simulator: order "fifo" is the order of a host', async () => {
  const order = await orderOf({ order: "fifo" });
  assert.equal(order, "abcdefghiABCDEFGHIabcdefghi");
  assert.equal(await orderOf({ order: "fifo", seed: 99 }), order);
});

test("simulator: every order comes up, no task is favoured", async () => {
  const firsts = new Map<string, number>();
  for (let seed = 0; seed < 200; seed++) {
    const first = (await orderOf({ seed })).charAt(0);
    firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  assert.equal(firsts.size, 9);
  for (const [name, count] of firsts) assert.ok(count > 5, `${name} came first ${count} times`);
});

test("simulator: time begins at 0 and jumps to the next timer when every task waits", async () => {
  const log: number[] = [];
  const start = performance.now();
  await run(
    async (group) => {
      assert.equal(now(), 0);
      group.startSoon(() => sleep(3_600_000).then(() => log.push(now())));
      group.startSoon(() => sleep(0.5).then(() => log.push(now())));
      await sleep(86_400_000 * 365);
      log.push(now());
    },
    { backend: simulator(), signals: [] },
  );
  assert.deepEqual(log, [0.5, 3_600_000, 86_400_000 * 365]);
  assert.ok(performance.now() - start < 10_000);
});

test("simulator: time stands still while anything is ready, and while a task computes", async () => {
  await run(
    async (group) => {
      group.startSoon(() => sleep(1));
      for (let round = 0; round < 1000; round++) await checkpoint();
      const until = performance.now() + 3;
      while (performance.now() < until);
      await waitAllTasksBlocked();
      assert.equal(now(), 0);
    },
    { backend: simulator(), signals: [] },
  );
});

test("simulator: a loop over checkpoints does not hold up time for ever", async () => {
  const rounds = await run(
    async () => {
      let count = 0;
      await moveOnAfter(5, async () => {
        for (;;) {
          await checkpoint();
          count += 1;
        }
      });
      return count;
    },
    { backend: simulator(), signals: [] },
  );
  assert.ok(rounds > 1000);
});

test("simulator: each run begins anew, also side by side", async () => {
  const backend = simulator({ seed: 5 });
  const one = (): Promise<number> =>
    run(() => sleep(7).then(() => now()), { backend, signals: [] });
  assert.equal(await one(), 7);
  assert.deepEqual(await Promise.all([one(), one()]), [7, 7]);
});

test("simulator: a deadlock is reported with the tree of tasks and what each waits on", async () => {
  let cleanedUp = false;
  const error = await errorOf(
    run(
      async (group) => {
        const locks = [new Lock(), new Lock()] as const;
        for (const [name, mine, other] of [
          ["forward", locks[0], locks[1]],
          ["backward", locks[1], locks[0]],
        ] as const)
          group.startSoon(
            async () => {
              const lease = await mine.acquire();
              try {
                await sleep(1);
                await other.acquire();
              } finally {
                lease.release();
                cleanedUp = true;
              }
            },
            { name },
          );
      },
      { backend: simulator(), signals: [] },
    ),
  );
  assert.ok(error instanceof DeadlockError);
  assert.match(error.message, /forward/);
  assert.match(error.message, /backward/);
  assert.match(error.message, /lock/i);
  assert.ok(cleanedUp, "cancelled, so that finally blocks run");
});

test("simulator: a deadlock that cancellation cannot reach is reported too", async () => {
  const error = await errorOf(
    run(() => new CancelScope({ shield: true }).run(() => sleepForever()), {
      backend: simulator(),
      signals: [],
    }),
  );
  assert.ok(error instanceof DeadlockError);
  assert.match(error.message, /sleepForever/);
});

test("simulator: a task that waits for the world outside is no deadlock", async () => {
  const value = await run(
    () => new Promise((resolve) => setTimeout(() => resolve("from outside"), 10)),
    { backend: simulator(), signals: [] },
  );
  assert.equal(value, "from outside");
});

test("simulator: nor is one that waits for it through abandonOnCancel", async () => {
  const outside = new Promise((resolve) => setTimeout(() => resolve("from outside"), 10));
  const value = await run(() => abandonOnCancel(outside), { backend: simulator(), signals: [] });
  assert.equal(value, "from outside");
});

test("simulator: a deadlock is reported too that comes when the world outside has answered", async () => {
  const answer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
  for (const main of [
    () => answer().then(() => sleepForever()),
    (group: TaskGroup) => {
      group.startSoon(answer);
      return sleepForever();
    },
  ]) {
    const error = await errorOf(run(main, { backend: simulator(), signals: [] }));
    assert.ok(error instanceof DeadlockError);
  }
});

test("simulator: wrong seeds and orders are refused", () => {
  assert.throws(() => simulator({ seed: -1 }), RangeError);
  assert.throws(() => simulator({ seed: 1.5 }), RangeError);
  assert.throws(() => simulator({ seed: "1" as never }), TypeError);
  assert.throws(() => simulator({ order: "lifo" as never }), RangeError);
});

test("simulator: a group's failures and cancellations come in the seeded order", async () => {
  const messages = async (): Promise<string> => {
    const error = await errorOf(
      run(
        () =>
          taskGroup((group) => {
            for (const name of "abc")
              group.startSoon(async () => {
                await checkpoint();
                throw new Error(name);
              });
          }),
        { backend: simulator({ seed: 8 }), signals: [] },
      ),
    );
    return error.message;
  };
  assert.equal(await messages(), await messages());
});
