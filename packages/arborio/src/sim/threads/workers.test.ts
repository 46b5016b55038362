import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import {
  CapacityLimiter,
  checkpoint,
  gather,
  mapConcurrent,
  moveOnAfter,
  now,
  run,
  sleep,
  taskGroup,
} from "../../index.ts";
import { simulate, simulator } from "../../sim.ts";
import {
  BrokenWorkerError,
  currentDefaultThreadLimiter,
  runInProcess,
  runInThread,
} from "../../threads.ts";
import * as kit from "./workers.test.kit.ts";

const { MODULE } = kit;
const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

/** How many of `count` calls ended, and how. */
async function outcomes(count: number, run: typeof runInThread = runInThread): Promise<string> {
  let text = "";
  for (let call = 0; call < count; call++) {
    try {
      await run(MODULE, "sum", { args: [[call]] });
      text += ".";
    } catch (error) {
      assert.ok(error instanceof BrokenWorkerError);
      text += "x";
    }
  }
  return text;
}

test("runInThread, simulated: a call takes simulated time, which is the seed's", async () => {
  const timesOf = (seed: number): Promise<number[]> =>
    simulate({ seed }, async () => {
      const times: number[] = [];
      for (let call = 0; call < 5; call++) {
        times.push(await runInThread<number>(MODULE, "time"));
        times.push(now());
      }
      return times;
    });
  const times = await timesOf(1);
  assert.deepEqual(await timesOf(1), times);
  assert.notDeepEqual(await timesOf(2), times);
  for (const [index, time] of times.entries()) assert.ok(time > (times[index - 1] ?? 0));
});

test("runInThread, simulated: no time passes while a module is loaded, which the host does", async () => {
  const slow = `data:text/javascript,
    await new Promise((go) => setTimeout(go, 50));
    export const two = () => 2;`;
  await simulate({ seed: 1, workers: { serviceMsMax: 0 } }, async (_world, group) => {
    const ticker = group.startSoon(async () => {
      for (;;) await sleep(1);
    });
    assert.equal(await runInThread(slow, "two"), 2);
    assert.ok(now() < 100, `${now()} ms`);
    assert.ok(now() > 5, `${now()} ms`);
    ticker.cancel();
  });
  await simulate({ seed: 1 }, async () => {
    await assert.rejects(
      runInThread("data:text/javascript,throw new Error('broken')", "two"),
      /^TypeError: .*cannot be loaded: broken/s,
    );
  });
});

test("runInThread, simulated: arguments and results are copies, what is transferred is gone", () =>
  simulate({ seed: 1 }, async () => {
    const item = { changed: false };
    const result = await runInThread(MODULE, "change", { args: [item] });
    assert.deepEqual([item, result], [{ changed: false }, { changed: true }]);
    const bytes = new Uint8Array(3);
    const copied = await runInThread<Uint8Array>(MODULE, "change", {
      args: [bytes],
      transfer: [bytes.buffer],
    });
    assert.deepEqual([bytes.byteLength, copied.byteLength], [0, 3]);
    assert.deepEqual(await runInThread(MODULE, "fill", { args: [2] }), Uint8Array.of(7, 7));
    await assert.rejects(
      runInThread(MODULE, "change", { args: [{ no: () => {} }] }),
      /the argument at index 0 cannot be sent/,
    );
    assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
  }));

test("runInThread, simulated: as many calls at once as there are processors", () =>
  simulate({ seed: 1, workers: { processors: 3 } }, async ({ localhost }) => {
    assert.equal(currentDefaultThreadLimiter().totalTokens, 3);
    let most = 0;
    await taskGroup(async (group) => {
      for (let call = 0; call < 9; call++)
        group.startSoon(() => runInThread(MODULE, "pause", { args: [1000] }));
      while (currentDefaultThreadLimiter().statistics().tasksWaiting === 0) await checkpoint();
      const begin = now();
      while (currentDefaultThreadLimiter().borrowedTokens > 0) {
        most = Math.max(most, localhost.workers.running.length);
        await sleep(10);
      }
      assert.ok(now() - begin >= 3000);
    });
    assert.equal(most, 3);
    assert.equal(localhost.workers.calls, 9);
    assert.deepEqual(
      localhost.workers.running.map(({ name }) => name),
      ["arborio thread 1", "arborio thread 2", "arborio thread 3"],
    );
    await sleep(60_000); // idle ones end
    assert.deepEqual(localhost.workers.running, []);
  }));

test("runInThread, simulated: the function uses the clock, the scopes and the threads of its world", () =>
  simulate({ seed: 1 }, async () => {
    assert.equal(await runInThread(MODULE, "pause", { args: [3_600_000] }), "rested");
    assert.ok(now() > 3_600_000);
    assert.equal(await runInThread(MODULE, "parts", { args: [5] }), 5);
    assert.equal(await runInThread(MODULE, "ownDeadline"), undefined);
    assert.equal(await runInThread(MODULE, "nested"), 6);
  }));

for (const runIn of [runInThread, runInProcess]) {
  const { name } = runIn;

  test(`${name}, simulated: a cancelled call sees it, at the latest when it asks`, async () => {
    const seen = new Set<string>();
    for (const seed of SEEDS) {
      kit.log.length = 0;
      await simulate({ seed }, async () => {
        await runIn(MODULE, "sum", { args: [[]] }); // the worker has started
        const result = await moveOnAfter(15, async () => {
          await runIn(MODULE, "ask");
          return "done";
        });
        seen.add(`${kit.log.join()}: ${result}`);
      });
    }
    seen.delete(": undefined"); // it did not begin
    assert.deepEqual([...seen].sort(), ["began,not cancelled: done", "began: undefined"]);
  });

  test(`${name}, simulated: a cancelled call is waited for, and ended after its grace`, () =>
    simulate({ seed: 1 }, async ({ localhost }) => {
      kit.log.length = 0;
      await moveOnAfter(500, () => runIn(MODULE, "linger", { args: [700] }));
      assert.ok(now() >= 1200 && now() < 1201, `${now()}`);
      assert.deepEqual(kit.log, ["began", "ended"]);
      assert.equal(localhost.workers.running.length, 1);

      const begin = now();
      await moveOnAfter(500, () => runIn(MODULE, "linger", { args: [5000], graceMs: 100 }));
      assert.ok(now() - begin >= 600 && now() - begin < 601, `${now() - begin}`);
      assert.deepEqual(kit.log, ["began", "ended", "began"]);
      assert.equal(localhost.workers.running.length, 0);
    }));

  test(`${name}, simulated: crash lets the worker of one call crash, before or after its work`, async () => {
    const seen = new Set<string>();
    for (const seed of SEEDS) {
      kit.log.length = 0;
      await simulate({ seed }, async ({ localhost }) => {
        localhost.workers.crash(3);
        for (const word of ["one", "two"]) await runIn(MODULE, "note", { args: [word] });
        await assert.rejects(runIn(MODULE, "note", { args: ["three"] }), BrokenWorkerError);
        await runIn(MODULE, "note", { args: ["four"] });
        assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
        assert.throws(() => localhost.workers.crash(4), RangeError);
        seen.add(kit.log.join());
      });
    }
    assert.deepEqual([...seen].sort(), ["one,two,four", "one,two,three,four"]);
  });
}

test("runInThread, runInProcess, simulated: a crash tells what a real one tells", () =>
  simulate({ seed: 1 }, async ({ localhost }) => {
    localhost.workers.crash();
    await assert.rejects(runInThread(MODULE, "sum", { args: [[]] }), { exitCode: 1 });
    localhost.workers.crash();
    await assert.rejects(runInProcess(MODULE, "sum", { args: [[]] }), { signal: "SIGSEGV" });
  }));

test("simulator({ workers: { crashRate } }): so many calls fail, and the seed says which", async () => {
  const outcomesOf = (seed: number): Promise<string> =>
    simulate({ seed, workers: { crashRate: 0.25 } }, () => outcomes(200));
  const text = await outcomesOf(1);
  assert.equal(await outcomesOf(1), text);
  assert.notEqual(await outcomesOf(2), text);
  const crashed = text.split("x").length - 1;
  assert.ok(crashed > 25 && crashed < 75, text);
  assert.equal(await simulate({ seed: 1 }, () => outcomes(50)), ".".repeat(50));
  const always = simulate({ seed: 1, workers: { crashRate: 1 } }, () => outcomes(20));
  assert.equal(await always, "x".repeat(20));
});

test("runInThread, simulated: the order in which calls end is the seed's", async () => {
  const orderOf = (seed: number): Promise<string> =>
    simulate({ seed }, async () => {
      const order: number[] = [];
      const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
      await mapConcurrent(
        numbers,
        async (number) => {
          await runInThread(MODULE, "sum", { args: [[number]] });
          order.push(number);
        },
        { concurrency: 8 },
      );
      return order.join("");
    });
  const orders = await Promise.all(SEEDS.map(orderOf));
  assert.deepEqual(await Promise.all(SEEDS.map(orderOf)), orders);
  assert.ok(new Set(orders).size > 5, orders.join());
});

test("runInThread, simulated: random cancellation loses no token and no worker", async () => {
  const ended = { done: 0, cancelled: 0, broken: 0 };
  for (const seed of SEEDS) {
    // What nobody waits for any more may crash too.
    const onUnhandled = (error: unknown): void => assert.ok(error instanceof BrokenWorkerError);
    const workers = { crashRate: 0.05 };
    await simulate({ seed, workers, onUnhandled }, async ({ localhost }) => {
      const limiter = new CapacityLimiter(3);
      const call = async (number: number): Promise<void> => {
        const options = { limiter, abandonOnCancel: number % 3 === 0, graceMs: 10 };
        const isShort = Math.random() < 0.5;
        const delayMs = isShort ? 50 * Math.random() : Infinity;
        try {
          const result = await moveOnAfter(delayMs, async () => {
            if (isShort) await runInThread(MODULE, "linger", { ...options, args: [20] });
            else await runInThread(MODULE, "pause", { ...options, args: [number] });
            return "done" as const;
          });
          ended[result ?? "cancelled"] += 1;
        } catch (error) {
          assert.ok(error instanceof BrokenWorkerError);
          ended.broken += 1;
        }
      };
      await taskGroup((group) => {
        for (let task = 0; task < 10; task++) {
          group.startSoon(async () => {
            for (let number = 0; number < 10; number++) await call(number);
          });
        }
      });
      while (limiter.borrowedTokens > 0) await sleep(1); // abandoned ones
      assert.ok(localhost.workers.running.length <= 3);
    });
  }
  for (const [how, count] of Object.entries(ended)) assert.ok(count > 30, `${how}: ${count}`);
});

test("runInThread, simulated: a run that ends takes its workers with it", async () => {
  kit.log.length = 0;
  await run(
    async (group) => {
      group.startSoon(() => runInThread(MODULE, "linger", { args: [1] }));
      group.startSoon(() => runInThread(MODULE, "nestedForever"));
      await sleep(1000);
      group.cancel();
    },
    { backend: simulator({ seed: 1 }), signals: [] },
  );
  assert.deepEqual(kit.log, ["began", "ended"]);
  await wait(20);
});

for (const [kind, call] of [
  ["runInThread", runInThread],
  ["runInProcess", runInProcess],
] as const) {
  test(`${kind}, simulated: a function sees its cancellation before the message comes`, async () => {
    kit.log.length = 0;
    await simulate({ seed: 1, workers: { serviceMsMax: 1 } }, async () => {
      await call(MODULE, "sum", { args: [[]] }); // the worker has started
      await moveOnAfter(5, () => call(MODULE, "askAllTheTime"));
    });
    assert.deepEqual(kit.log, ["began", "seen"]);
  });

  test(`${kind}, simulated: a call that was cancelled before it came to its worker does not begin`, async () => {
    const seen = new Set<string>();
    for (const seed of SEEDS) {
      kit.log.length = 0;
      await simulate({ seed }, async () => {
        await call(MODULE, "sum", { args: [[]] }); // the worker has started
        await moveOnAfter(5, () => call(MODULE, "askAtOnce"));
        seen.add(kit.log.join());
      });
    }
    assert.deepEqual([...seen].sort(), ["", "began,not cancelled"]);
  });
}

test("runInThread, simulated: what is abandoned has time for its cleanup when the run ends", async () => {
  kit.log.length = 0;
  await simulate({ seed: 1 }, async () => {
    const options = { args: [200], abandonOnCancel: true } as const;
    await moveOnAfter(500, () => runInThread(MODULE, "linger", options));
    assert.deepEqual(kit.log, ["began"]);
  });
  assert.deepEqual(kit.log, ["began", "ended"]);
});

test("runInThread, simulated: a function that never ends keeps no run from ending", () =>
  simulate({ seed: 1 }, async () => {
    const never = "data:text/javascript,export const never = () => new Promise(() => {});";
    await moveOnAfter(1000, () => runInThread(never, "never", { abandonOnCancel: true }));
    assert.ok(now() < 1001);
  }));

test("runInProcess, simulated: idle processes end after five minutes", () =>
  simulate({ seed: 1 }, async ({ localhost }) => {
    await runInProcess(MODULE, "sum", { args: [[1]] });
    await sleep(299_000);
    assert.deepEqual(localhost.workers.running, [{ kind: "process", name: "arborio process 1" }]);
    await sleep(2000);
    assert.deepEqual(localhost.workers.running, []);
  }));

test("runInThread, simulated: threads of a thread end with it, and those of a host that crashes with that", () =>
  simulate({ seed: 1 }, async (world) => {
    const { workers } = world.localhost;
    await moveOnAfter(1000, () => runInThread(MODULE, "nestedForever", { graceMs: 0 }));
    await sleep(1);
    assert.deepEqual(workers.running, []);

    const server = world.host("server", async () => {
      await runInThread(MODULE, "pause", { args: [Infinity] });
    });
    await sleep(1000);
    assert.equal(server.workers.running.length, 1);
    server.crash();
    assert.equal(server.workers.running.length, 0);
    await server.run(() => runInThread(MODULE, "sum", { args: [[1]] }));
  }));

test("simulator: wrong options of workers are refused", () => {
  assert.throws(() => simulator({ workers: { crashRate: 2 } }), /from 0 to 1/);
  assert.throws(() => simulator({ workers: { processors: 0 } }), RangeError);
  assert.throws(() => simulator({ workers: { serviceMsMax: -1 } }), RangeError);
  assert.throws(() => simulator({ workers: { threads: 3 } as never }), /no such option/);
});

test("runInThread, simulated: calls of several tasks do not mix", () =>
  simulate({ seed: 5 }, async () => {
    const sums = await gather(
      Array.from(
        { length: 20 },
        (_, index) => () => runInThread<number>(MODULE, "sum", { args: [[index, index]] }),
      ),
    );
    assert.deepEqual(
      sums,
      Array.from({ length: 20 }, (_, index) => 2 * index),
    );
  }));
