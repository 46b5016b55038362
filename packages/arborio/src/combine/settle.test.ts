import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { TaskCancelled } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere, onEveryBackend } from "../testing.ts";
import { settle } from "./settle.ts";

const test = onEveryBackend(nodeTest);

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

test("settle: gives every outcome in the order of the functions; a failure cancels nothing (§4.7)", async () => {
  const bad = new Error("bad");
  const results = await settle([
    () => sleep(2).then(() => "slow"),
    () => Promise.reject(bad),
    (): number => {
      throw bad;
    },
    () => 4,
  ]);
  const typed: Same<
    typeof results,
    [
      PromiseSettledResult<string>,
      PromiseSettledResult<never>,
      PromiseSettledResult<number>,
      PromiseSettledResult<number>,
    ]
  > = true;
  assert.deepEqual(results, [
    { status: "fulfilled", value: "slow" },
    { status: "rejected", reason: bad },
    { status: "rejected", reason: bad },
    { status: "fulfilled", value: 4 },
  ]);
  assert.ok(typed);
});

test("settle: any iterable will do, and of nothing comes nothing (§4.7)", async () => {
  const results = await settle(new Set([async () => 1]));
  const typed: Same<typeof results, PromiseSettledResult<number>[]> = true;
  assert.deepEqual([results, typed], [[{ status: "fulfilled", value: 1 }], true]);
  assert.deepEqual(await settle([]), []);
});

test("settle: cancellation of the surroundings is no result; all are waited for, values disposed (§4.7)", async () => {
  let closed = 0;
  let cleaned = false;
  const scope = new CancelScope();
  await scope.run(() =>
    settle([
      () => ({ [Symbol.dispose]: () => void closed++ }),
      () => Promise.reject(new Error("a result, dropped with the others")),
      async () => {
        try {
          await sleepForever();
        } finally {
          await new CancelScope({ shield: true }).run(() => sleep(1));
          cleaned = true;
        }
      },
      () => sleep(1).then(() => scope.cancel()),
    ]),
  );
  assert.ok(scope.cancelledCaught);
  assert.deepEqual([closed, cleaned], [1, true]);
});

test("settle: when cancelled, errors are dropped with the other results, also those of cleanups (§4.7)", async () => {
  const failing = async (): Promise<void> => {
    try {
      await sleepForever();
    } finally {
      await Promise.reject(new Error("cleanup"));
    }
  };
  const nested = (): Promise<void> => taskGroup((group) => void group.startSoon(failing));
  for (const fn of [failing, nested]) {
    const scope = new CancelScope();
    await scope.run(() => settle([fn, sleepForever, () => scope.cancel()]));
    assert.ok(scope.cancelledCaught);
  }
});

test("settle: functions that all end in spite of a cancellation have their results (§2.2)", async () => {
  const scope = new CancelScope();
  const stubborn = async (): Promise<number> => {
    await sleepForever().catch(() => {});
    return 1;
  };
  const failing = async (): Promise<number> => {
    await sleepForever().catch(() => {});
    throw new Error("bad");
  };
  const results = await scope.run(() => settle([stubborn, failing, () => scope.cancel()]));
  assert.deepEqual(
    results?.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.ok(!scope.cancelledCaught);
});

test("settle: a function that cancels its own task is rejected with TaskCancelled (§4.6)", async () => {
  const [quit, other] = await settle([
    async () => {
      ambientScope().cancel("enough");
      await checkpoint();
    },
    () => 1,
  ]);
  assert.equal(quit.status, "rejected");
  assert.ok(quit.status === "rejected" && quit.reason instanceof TaskCancelled);
  assert.deepEqual(other, { status: "fulfilled", value: 1 });
});

test(
  "settle: a deadline that has passed counts before its timer has run (§2.2)",
  async () => {
    const { clock } = ambientScope().kernel;
    const scope = new CancelScope({ deadline: clock.now() + 5 });
    await scope.run(() =>
      settle([
        async () => {
          ambientScope().cancel("enough");
          const cancelled: unknown = await checkpoint().catch((error: unknown) => error);
          while (clock.now() < scope.deadline);
          throw cancelled;
        },
      ]),
    );
    assert.ok(scope.cancelledCaught);
  },
  { skip: { backend: "simulator", reason: "its time stands still while a task runs" } },
);

test("settle: is a checkpoint; wrong arguments reject before anything starts (§2.1, §2.2)", async () => {
  let called = 0;
  await new CancelScope().run(async (scope) => {
    scope.cancel();
    await assert.rejects(settle([() => called++]), { name: "Cancelled" });
    await assert.rejects(settle([]), { name: "Cancelled" });
  });
  await assert.rejects(
    settle([() => called++, Promise.resolve() as never]),
    /settle: item 1 is a promise/,
  );
  await assert.rejects(settle({} as never), /settle: got an object of Object, needs an iterable/);
  assert.equal(called, 0);
});

test(
  "settle: cancelled at every step, it leaves nothing running",
  async () => {
    const { rounds } = await cancelEverywhere(async (round) => {
      let running = 0;
      round.after(() => assert.equal(running, 0));
      const work = (ms: number) => async () => {
        running += 1;
        try {
          await sleep(ms);
          if (ms === 3) throw new Error("a result");
        } finally {
          running -= 1;
        }
      };
      const results = await settle([work(0), work(5), work(3)]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ["fulfilled", "fulfilled", "rejected"],
      );
    });
    assert.ok(rounds.entry > 3 && rounds.waiting > 1 && rounds.woken > 1);
  },
  { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
);
